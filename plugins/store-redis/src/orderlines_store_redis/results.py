"""Large values on Redis: beside the runs of a store, or in a place of their own."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from orderlines.stores.results import OldValues, ResultStore
from orderlines_store_redis.address import Address
from orderlines_store_redis.connection import Connections
from orderlines_store_redis.finding import pairs
from orderlines_store_redis.placing import place_of
from orderlines_store_redis.rows import number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orderlines.stores.references import Reference

PAGE: Final = 500
"""Runs, or values, that are looked at together."""


class RedisResults(ResultStore):
    """Keeps large values in hashes of a Redis (the URLs of the store), as safe as that keeps runs."""

    scheme = "redis"

    def __init__(self, url: str) -> None:
        self.url = url
        self._connections = Connections(Address(url))
        self._key = self._connections.key
        self._connections.ask((b"EXISTS", self._key("layout")))

    @classmethod
    def place_of(cls, url: str) -> str:
        return place_of(url)

    def close(self) -> None:
        self._connections.close()

    def park(self) -> None:
        self._connections.park()

    def write(self, store: str, reference: Reference, data: bytes) -> None:
        # Not through the script: the server would hold a large value once more for it.
        value = (b"HSET", self._key(f"values:{reference.run}"), reference.sha256, data)
        self._connections.run_beside(value, "stamp", reference.run, reference.sha256, store)

    def read(self, reference: Reference) -> bytes | None:
        (found,) = self._connections.ask((b"HGET", self._key(f"values:{reference.run}"), reference.sha256))
        data: bytes | None = found
        return data

    def delete(self, runs: Collection[str]) -> int:
        self._connections.check_open()
        return sum(int(self._connections.run("drop", run)[0]) for run in runs)

    def old(self, store: str, age: float) -> Iterator[OldValues]:
        for run in self._runs(store):
            (seconds, micros), rows = self._connections.ask((b"TIME",), (b"HGETALL", self._key("written:") + run))
            last = int(seconds) + int(micros) / 1e6 - age
            found = (
                digest.decode()
                for digest, row in pairs(rows).items()
                if row.partition(b" ")[2] == store.encode() and float(row.partition(b" ")[0]) <= last
            )
            if digests := tuple(found):
                yield OldValues(run.decode(), digests)

    def _runs(self, store: str) -> Iterator[bytes]:
        """Yield the names of the runs of a store that have large values."""
        after = b"-"
        while True:
            (page,) = self._connections.ask(
                (b"ZRANGEBYLEX", self._key(f"holders:{store}"), after, b"+", b"LIMIT", b"0", str(PAGE))
            )  # fmt: skip
            yield from page
            if len(page) < PAGE:
                return
            after = b"(" + page[-1]

    def discard(self, run: str, digests: Collection[str], age: float) -> int:
        self._connections.check_open()
        waiting, gone = iter(digests), 0
        while page := list(islice(waiting, PAGE)):
            gone += int(self._connections.run("discard", run, number(age), *page)[0])
        return gone
