"""Listing runs, newest first: through the index that leaves the fewest to look at."""

from __future__ import annotations

import heapq
from itertools import islice
from operator import neg
from typing import TYPE_CHECKING, Final

from orderlines_store_redis.reading import runs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orderlines.stores.records import RunFilter, RunRow
    from orderlines_store_redis.connection import Connections

PAGE: Final = 200
_GOING: Final = ("PENDING", "RUNNING", "PAUSED")
_NAMES: Final = 1_000
"""Names with one beginning; where there are more, runs are looked at one after the other."""


def listed(connections: Connections, limit: int, *, unfinished: bool, wanted: RunFilter | None) -> list[RunRow]:
    """Return up to so many runs that are wanted, newest first."""
    statuses: tuple[str, ...] | None = None if wanted is None else wanted.statuses or None
    if unfinished:
        statuses = tuple(status for status in _GOING if statuses is None or status in statuses)
    numbers = _numbers(connections, statuses, wanted)
    found = (row for row in _rows(connections, numbers, wanted) if statuses is None or row.status in statuses)
    return list(islice((row for row in found if wanted is None or _fits(row, wanted)), limit))


def _fits(row: RunRow, wanted: RunFilter) -> bool:
    return wanted.flow in {None, row.flow} and row.name.startswith(wanted.prefix) and not row.pruned


def _rows(connections: Connections, numbers: Iterator[int], wanted: RunFilter | None) -> Iterator[RunRow]:
    """Yield runs down to the earliest moment that is wanted: none is older than the one that was accepted before it."""
    while page := list(islice(numbers, PAGE)):
        for row in runs_of(connections, page):
            if wanted is not None and wanted.since is not None and row.created < wanted.since:
                return
            yield row


def _numbers(connections: Connections, statuses: Iterable[str] | None, wanted: RunFilter | None) -> Iterator[int]:
    if wanted is not None and wanted.prefix:
        named = _named(connections, wanted.prefix)
        if named is not None:
            return iter(named)
    if wanted is not None and wanted.flow is not None:
        return _descending(connections, f"runs:{wanted.flow}")
    if statuses is not None:
        return heapq.merge(*(_descending(connections, f"status:{status}") for status in statuses), key=neg)
    return _descending(connections, "runs")


def _descending(connections: Connections, index: str) -> Iterator[int]:
    below = b"+inf"
    while True:
        (page,) = connections.ask(
            (b"ZREVRANGEBYSCORE", connections.key(index), below, b"-inf", b"LIMIT", b"0", str(PAGE))
        )  # fmt: skip
        yield from map(int, page)
        if len(page) < PAGE:
            return
        below = b"(" + page[-1]


def _named(connections: Connections, prefix: str) -> list[int] | None:
    """Return the runs whose names begin so, or ``None`` where these are too many."""
    start = prefix.encode()
    (found,) = connections.ask(
        (b"ZRANGEBYLEX", connections.key("names"), b"[" + start, b"(" + start + b"\xff", b"LIMIT", b"0", str(_NAMES))
    )  # fmt: skip
    return None if len(found) == _NAMES else sorted((int(name.rpartition(b"\0")[2]) for name in found), reverse=True)
