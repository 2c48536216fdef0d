"""One connection: it sends several statements at once and reads all their answers."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pymysql
from pymysql.constants import CLIENT, SERVER_STATUS

from orderlines.errors import StoreUnavailable
from orderlines_store_mysql import forks
from orderlines_store_mysql.encrypting import Connection
from orderlines_store_mysql.explaining import RowRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orderlines_store_mysql.address import Address

LOCK_WAIT: Final = 5
"""Seconds for which the server lets a statement wait for a lock: less than a lease, so that nobody loses it so."""
PACKET: Final = 4 << 20
"""Bytes that are sent at once where that is enough; more only for a statement that needs it."""
_IDLE: Final = 10.0
"""Seconds after which a connection is asked whether it lives before it is used again."""
_ROOM: Final = 64
"""Bytes that a packet needs besides its statements."""
_SETTINGS: Final = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00',"
    f" innodb_lock_wait_timeout = {LOCK_WAIT}, autocommit = 1, completion_type = 'NO_CHAIN',"
    " sql_select_limit = 18446744073709551615, sql_safe_updates = 0, sql_auto_is_null = 0;"
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;"
    "SELECT VERSION(), @@max_allowed_packet"
)
"""Every value that what we write depends on, whatever the server's defaults are: no leap of a time zone, no shortened
texts, no snapshot that is older than the statement, no transaction begun or connection ended by a COMMIT, no rows left
out or statements refused where there are many."""
_LEAST: Final = {True: (10, 6), False: (8, 0)}


class Answer(NamedTuple):
    """What a statement came to: how many rows it found or wrote, the number it gave to a new one, what it read."""

    matched: int
    last: int
    rows: tuple[tuple[Any, ...], ...]


class Link:
    """A connection.

    :ivar busy: whether an answer is outstanding: such a connection may not be used again.
    :ivar maria: whether the server is MariaDB.
    :raises pymysql.MySQLError: there is none to be had.
    :raises StoreUnavailable: the server is too old.
    """

    def __init__(self, address: Address) -> None:
        flags = CLIENT.MULTI_STATEMENTS | CLIENT.FOUND_ROWS
        self._raw: Any = Connection(
            **address.connect_arguments(), charset="utf8mb4", client_flag=flags, autocommit=None
        )
        self._cursor: Any = self._raw.cursor()
        self.busy = False
        self._used = time.monotonic()
        self._limit = PACKET  # until the server has said
        forks.remember(self)
        ((version, limit),) = self.send(_SETTINGS)[-1].rows
        self.maria, self.version = "mariadb" in version.lower(), version
        self._limit = int(limit) - _ROOM
        if _numbers(version) < _LEAST[self.maria]:
            self.close()
            raise StoreUnavailable(
                f"store {address.shown}: the server is {version}; MySQL 8.0 or MariaDB 10.6 is needed, or newer"
            )

    def send(self, *statements: str) -> list[Answer]:
        """Send statements, in one packet if they fit, and return the answers of all.

        The server does them in turn, and none behind the first that fails.

        :raises RowRefused: one is larger than the server takes; nothing of its packet has been sent.
        :raises pymysql.MySQLError: one has failed, or the connection has.
        """
        cursor = self._cursor
        answers = []
        for packet in self._packets(statements):
            self.busy = True
            try:
                cursor.execute(packet)
                answers.append(Answer(cursor.rowcount, cursor.lastrowid, cursor.fetchall()))
                while cursor.nextset():
                    answers.append(Answer(cursor.rowcount, cursor.lastrowid, cursor.fetchall()))
            except pymysql.MySQLError:
                self.busy = not self._raw.open
                raise
            self.busy = False
        self._used = time.monotonic()
        return answers

    def ask(self, statement: str) -> tuple[tuple[Any, ...], ...]:
        """Send one statement and return what it reads."""
        return self.send(statement)[0].rows

    def clean(self) -> bool:
        """Return whether another one may use it: no answer is outstanding and no transaction open."""
        return not self.busy and self._raw.open and not self._raw.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS

    def alive(self) -> bool:
        """Return whether it can be used; the server is asked where it has not been for a while."""
        if time.monotonic() - self._used < _IDLE:
            return bool(self._raw.open)
        try:
            self._raw.ping(reconnect=False)
        except pymysql.MySQLError:
            return False
        return True

    def close(self) -> None:
        """End it; the server rolls back what is not committed."""
        if self._raw.open and not self.busy:
            self._raw.close()
        else:
            self.drop()

    def drop(self) -> None:
        """Close our end without a word to the server, to which others may be talking through the same socket."""
        self._raw._force_close()  # noqa: SLF001 -- what PyMySQL itself does at the end of a connection's life

    def _packets(self, statements: Iterable[str]) -> Iterator[bytes]:
        """Yield statements as few texts, none larger than the server takes."""
        parts: list[bytes] = []
        size = 0
        for statement in statements:
            part = statement.encode()
            if len(part) > self._limit:
                raise RowRefused(
                    f"{statement[:40].split('(')[0].strip()}: the row needs {len(part):,} bytes, and the server takes"
                    f" {self._limit:,} at once; raise its max_allowed_packet, or keep such a value in a file"
                )
            if parts and size + len(part) >= min(PACKET, self._limit):
                yield b";".join(parts)
                parts, size = [], 0
            parts.append(part)
            size += len(part) + 1
        if parts:
            yield b";".join(parts)


def _numbers(version: str) -> tuple[int, int]:
    """Return the first two numbers of a version; MariaDB may write 5.5.5- before its own."""
    found = re.match(r"(\d+)\.(\d+)", version.removeprefix("5.5.5-"))
    return (int(found[1]), int(found[2])) if found else (0, 0)
