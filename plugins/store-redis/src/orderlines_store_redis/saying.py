"""What calls say: logs and progress, read back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from orderlines.states import FINAL
from orderlines.stores.records import KeptLog
from orderlines_store_redis.finding import pairs
from orderlines_store_redis.reading import lines_of
from orderlines_store_redis.rows import log_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines_store_redis.connection import Connections

PAGE: Final = 200
"""Rows that are read at once."""


class Selection(NamedTuple):
    """Which rows are looked for; as :meth:`orderlines.stores.base.Store.logs`."""

    run: int
    node: str | None
    line: str | None


def logs(connections: Connections, wanted: Selection, after: int, newest: int | None) -> Iterator[KeptLog]:
    """Return what attempts said, in order of time."""
    if after:
        found = list(_Rows(connections, wanted).since(after))
        found.sort(key=lambda kept: (kept.row.at, kept.id))
    elif newest is None:
        return _Rows(connections, wanted).in_time()
    else:
        found = list(_Rows(connections, wanted).latest(newest))
    return iter(found if newest is None else found[max(len(found) - newest, 0) :])


class _Rows:
    """Rows of one run as they are read, with the paths of their lines."""

    def __init__(self, connections: Connections, wanted: Selection) -> None:
        self._connections = connections
        self._wanted = wanted
        self._stream = connections.key(f"logs:{wanted.run}")
        self._times = connections.key(f"times:{wanted.run}")
        self._paths: dict[int, str | None] = {}

    def in_time(self) -> Iterator[KeptLog]:
        """Yield the rows that are there now, a page at a time."""
        (last,) = self._connections.ask((b"XREVRANGE", self._stream, b"+", b"-", b"COUNT", b"1"))
        end = int(last[0][0].partition(b"-")[0]) if last else 0
        at, passed = b"-inf", 0
        while True:
            (page,) = self._connections.ask(
                (b"ZRANGEBYSCORE", self._times, at, b"+inf", b"WITHSCORES", b"LIMIT", str(passed), str(PAGE))
            )  # fmt: skip
            found = list(pairs(page).items())
            yield from self._read([int(number) for number, _ in found if int(number) <= end])
            if len(found) < PAGE:
                return
            same = sum(score == found[-1][1] for _, score in found)
            at, passed = found[-1][1], same + (passed if found[-1][1] == at else 0)

    def since(self, after: int) -> Iterator[KeptLog]:
        """Yield what was written after a row, in the order in which it was."""
        (found,) = self._connections.ask((b"XRANGE", self._stream, f"{after}-1", b"+"))
        yield from self._kept([(int(number.partition(b"-")[0]), fields[1]) for number, fields in found])

    def latest(self, count: int) -> list[KeptLog]:
        """Return the last rows, in order of time."""
        found: dict[int, KeptLog] = {}  # by number: what is written meanwhile moves the others down
        first = 0
        while len(found) < count:
            span = (str(first), str(first + PAGE - 1))
            (page,) = self._connections.ask((b"ZREVRANGE", self._times, *span))
            for kept in reversed(list(self._read([int(number) for number in reversed(page)]))):
                found.setdefault(kept.id, kept)
            if len(page) < PAGE:
                break
            first += PAGE
        return list(found.values())[:count][::-1]

    def _read(self, numbers: list[int]) -> Iterator[KeptLog]:
        asked = ((b"XRANGE", self._stream, f"{number}-0", f"{number}-0") for number in numbers)
        found = self._connections.ask(*asked)
        return self._kept([(number, rows[0][1][1]) for number, rows in zip(numbers, found, strict=True) if rows])

    def _kept(self, rows: list[tuple[int, bytes]]) -> Iterator[KeptLog]:
        read = [(number, log_of(self._wanted.run, row)) for number, row in rows]
        self._learn({row.line for _, row in read} - self._paths.keys())
        for number, row in read:
            path = self._paths[row.line]
            if path is not None and self._wanted.node in {None, row.node} and self._wanted.line in {None, path}:
                yield KeptLog(number, path, row)

    def _learn(self, lines: set[int]) -> None:
        """Look up the paths of lines; one that was taken away has none."""
        if lines:
            numbers = list(lines)
            rows = self._connections.look("show", *map(str, numbers))
            for number, row in zip(numbers, rows, strict=True):
                self._paths[number] = None if row is None else row[1].decode()


def progress(connections: Connections, run: int) -> dict[int, str]:
    """Return what the calls in flight of a run reported last."""
    (found,) = connections.ask((b"HGETALL", connections.key(f"progress:{run}")))
    reports = {int(line): json.loads(row) for line, row in pairs(found).items()}
    if not reports:
        return {}
    lines = lines_of(connections, list(reports))
    current = (line for line in lines if reports[line.id][:2] == [line.epoch, line.seq] and line.status not in FINAL)
    return {line.id: reports[line.id][2] for line in current}
