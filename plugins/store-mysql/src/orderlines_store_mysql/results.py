"""Large values in a database: beside the runs of a store, or in one of their own.

A value lies in rows of a few parts, since the server takes no packet beyond its ``max_allowed_packet``. All parts of a
value are written in one transaction, the first one first: who holds the lock of that row has the value to himself.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.engine import URL

from orderlines.stores.results import OldValues, ResultStore
from orderlines_store_mysql.address import Address
from orderlines_store_mysql.connections import Connections
from orderlines_store_mysql.creating import may_be_there
from orderlines_store_mysql.literals import put, texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orderlines.stores.references import Reference
    from orderlines_store_mysql.transaction import Transaction

PART: Final = 256 << 10
"""Bytes of a value in one row; on their way to the server they take twice as many."""
PAGE: Final = 500
"""Values that are listed, or deleted, in one transaction."""
_AGO: Final = "UNIX_TIMESTAMP(NOW(6)) - %s"
# One moment for all parts, by the server's clock.
_NOW: Final = "SET @w = UNIX_TIMESTAMP(NOW(6))"
_WRITE: Final = "REPLACE INTO ol_values (run, sha256, part, store, written, body) VALUES (%s, %s, %s, %s, @w, %s)"
_CUT: Final = "DELETE FROM ol_values WHERE run = %s AND sha256 = %s AND part >= %s"
_READ: Final = "SELECT body FROM ol_values WHERE run = %s AND sha256 = %s ORDER BY part"
_FIRST: Final = "SELECT sha256 FROM ol_values WHERE run = %s AND part = 0"
_OLD: Final = (
    f"SELECT run, sha256 FROM ol_values WHERE part = 0 AND store = %s AND written <= {_AGO}"
    f" AND run >= %s AND (run > %s OR sha256 > %s) ORDER BY run, sha256 LIMIT {PAGE}"
)


class MySQLResults(ResultStore):
    """Keeps large values in the table ``ol_values`` (``mysql://user:password@host:port/database``).

    They are as safe as runs: each is written in one transaction. A database for them alone gets the tables of a store.
    """

    scheme = "mysql"

    def __init__(self, url: str) -> None:
        self.url = url
        self._connections = Connections(Address(url))
        self._connections.reading(lambda link: link.ask("SELECT 1"))

    @classmethod
    def place_of(cls, url: str) -> str:
        address = Address(url)
        socket = address.options.socket
        place = URL.create(
            "mysql",
            host=address.host.lower(),
            port=address.port,
            database=address.database,
            query={} if socket is None else {"socket": socket},
        )
        return place.render_as_string()

    @classmethod
    def is_there(cls, url: str) -> bool:
        return may_be_there(Address(url))

    def close(self) -> None:
        self._connections.close()

    def park(self) -> None:
        self._connections.park()

    def write(self, store: str, reference: Reference, data: bytes) -> None:
        key = (reference.run, reference.sha256)
        # One with nothing in it has a row as well.
        places = range(0, max(len(data), 1), PART)

        def work(transaction: Transaction) -> None:
            transaction.commit(
                _NOW,
                *(put(_WRITE, *key, part, store, data[at : at + PART]) for part, at in enumerate(places)),
                put(_CUT, *key, len(places)),
            )

        self._connections.writing(work, repeatable=True)

    def read(self, reference: Reference) -> bytes | None:
        asked = put(_READ, reference.run, reference.sha256)
        rows = self._connections.reading(lambda link: link.ask(asked))
        return b"".join(body for (body,) in rows) if rows else None

    def delete(self, runs: Collection[str]) -> int:
        return sum(map(self._delete, runs))

    def _delete(self, run: str) -> int:
        gone = 0
        while True:
            found = self._take_away(run, f" LIMIT {PAGE}")
            gone += found
            if found < PAGE:
                return gone

    def old(self, store: str, age: float) -> Iterator[OldValues]:
        for run, rows in groupby(self._old(store, age), key=lambda row: row[0]):
            yield OldValues(run, tuple(digest for _, digest in rows))

    def _old(self, store: str, age: float) -> Iterator[tuple[Any, ...]]:
        run, digest = "", ""
        while True:
            asked = put(_OLD, store, age, run, run, digest)
            page = self._connections.reading(lambda link, asked=asked: link.ask(asked))  # type: ignore[misc]
            yield from page
            if len(page) < PAGE:
                return
            run, digest = page[-1]

    def discard(self, run: str, digests: Collection[str], age: float) -> int:
        return self._take_away(run, put(f" AND sha256 IN {texts(digests)} AND written <= {_AGO}", age))

    def _take_away(self, run: str, which: str) -> int:
        """Delete some values of a run and return how many.

        Whoever would write one of them anew waits for the lock of its first part, until all of it is gone.
        """
        chosen = f"{put(_FIRST, run)}{which} FOR UPDATE"

        def work(transaction: Transaction) -> int:
            found: list[str] = [digest for (digest,) in transaction.ask(chosen)[0].rows]
            if found:
                transaction.commit(put(f"DELETE FROM ol_values WHERE run = %s AND sha256 IN {texts(found)}", run))
            return len(found)

        return self._connections.writing(work, repeatable=True)
