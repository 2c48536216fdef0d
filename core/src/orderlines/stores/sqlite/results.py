"""Large values in an SQLite file: that of the store itself, or one of their own."""

from __future__ import annotations

import json
import os
import time
from itertools import groupby
from typing import TYPE_CHECKING, Final

from orderlines.stores.results import OldValues, ResultStore
from orderlines.stores.sqlite.connection import Address, Connections
from orderlines.stores.sqlite.schema import VALUES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orderlines.stores.references import Reference

PAGE: Final = 500
"""Values that are listed, or deleted, in one transaction."""


class SQLiteResults(ResultStore):
    """Keeps large values in the table ``large_values`` of an SQLite file (``sqlite:///path``), as safe as its runs."""

    scheme = "sqlite"

    def __init__(self, url: str, connections: type[Connections] = Connections) -> None:
        self.url = url
        self._connections = connections(Address(url), VALUES)
        with self._connections.reading():
            pass

    @classmethod
    def to_look(cls, url: str) -> ResultStore:
        from orderlines.stores.sqlite.still import StillConnections, stands_still  # noqa: PLC0415 -- not to run flows

        return cls(url, StillConnections) if stands_still(Address(url).path) else cls(url)

    @classmethod
    def place_of(cls, url: str) -> str:
        from urllib.parse import quote  # noqa: PLC0415 -- only where there are large values

        return f"sqlite:///{quote(os.path.realpath(Address(url).path))}"

    @classmethod
    def is_there(cls, url: str) -> bool:
        return os.path.isfile(Address(url).path)  # noqa: PTH113 -- pathlib takes 6 ms to import

    def close(self) -> None:
        self._connections.close()

    def park(self) -> None:
        self._connections.park()

    def write(self, store: str, reference: Reference, data: bytes) -> None:
        row = (reference.run, reference.sha256, store, time.time(), data)
        with self._connections.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO large_values (run, sha256, store, written, body) VALUES (?, ?, ?, ?, ?)", row
            )

    def read(self, reference: Reference) -> bytes | None:
        with self._connections.reading() as db:
            row = db.execute(
                "SELECT body FROM large_values WHERE run = ? AND sha256 = ?", (reference.run, reference.sha256)
            ).fetchone()
        return None if row is None else bytes(row[0])

    def delete(self, runs: Collection[str]) -> int:
        return sum(map(self._delete, runs))

    def _delete(self, run: str) -> int:
        gone = 0
        while True:
            with self._connections.writing() as db:
                found = db.execute(
                    "DELETE FROM large_values WHERE rowid IN (SELECT rowid FROM large_values WHERE run = ? LIMIT ?)",
                    (run, PAGE),
                ).rowcount
            gone += found
            if found < PAGE:
                return gone

    def old(self, store: str, age: float) -> Iterator[OldValues]:
        for run, rows in groupby(self._old(store, age), key=lambda row: row[0]):
            yield OldValues(run, tuple(digest for _, digest in rows))

    def _old(self, store: str, age: float) -> Iterator[tuple[str, str]]:
        place = ("", "")
        while True:
            with self._connections.reading() as db:
                page: list[tuple[str, str]] = db.execute(
                    "SELECT run, sha256 FROM large_values WHERE (run, sha256) > (?, ?) AND store = ? AND written <= ?"
                    " ORDER BY run, sha256 LIMIT ?",
                    (*place, store, time.time() - age, PAGE),
                ).fetchall()
            yield from page
            if len(page) < PAGE:
                return
            place = page[-1]

    def discard(self, run: str, digests: Collection[str], age: float) -> int:
        with self._connections.writing() as db:
            return db.execute(
                "DELETE FROM large_values WHERE run = ? AND written <= ?"
                " AND sha256 IN (SELECT value FROM json_each(?))",
                (run, time.time() - age, json.dumps(list(digests))),
            ).rowcount
