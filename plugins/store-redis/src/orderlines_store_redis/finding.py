"""Which of a driver's runs have something to do: looked up before anything is written.

A driver may serve very many runs. Few of them are named to the server: either the driver serves few, or those of the
server that have something to do are read and compared here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from orderlines.stores.upgrading import driver_row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from orderlines.stores.records import DriverRow
    from orderlines_store_redis.connection import Connections

FEW: Final = 64
"""Runs that are named to the server rather than compared here."""
MANY: Final = 1_000
"""Runs that one script looks at."""
PAGE: Final = 256
_GOING: Final = ("status:PENDING", "status:RUNNING", "status:PAUSED")
_AHEAD: Final = 1.0
"""Seconds by which a time may be off here: the script compares it with the server's clock."""


def pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    """Return the fields of a hash by their names."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def drivers(connections: Connections) -> list[DriverRow]:
    """Return the drivers on the books, in whatever layout: one of version 1 does not say how long its lease lasts."""
    known, beats = connections.ask(
        (b"HGETALL", connections.key("drivers")), (b"HGETALL", connections.key("beats"))
    )  # fmt: skip
    counts = pairs(beats)
    rows = []
    for driver, told in pairs(known).items():
        host, boot, namespace, pid, start, *lease = json.loads(told)
        rows.append(driver_row(int(driver), (host, boot, namespace, pid, start, int(counts.get(driver, 0)), *lease)))
    return sorted(rows, key=lambda row: row.id)


def claimable(
    connections: Connections, runs: Collection[int] | None, now: float, without: Collection[int] = ()
) -> Sequence[str]:
    """Return runs, of some or of all, in which a line may be claimed, the oldest first; but not some others."""
    if runs is not None and len(runs) <= FEW:
        return [str(run) for run in runs if run not in without]
    ready, due = connections.ask(
        (b"ZRANGE", connections.key("ready"), b"0", b"-1"),
        (b"ZRANGEBYSCORE", connections.key("due"), b"-inf", repr(now + _AHEAD)),
    )
    found = sorted({*map(int, ready), *map(int, due)})
    return [str(run) for run in found if (runs is None or run in runs) and run not in without][:MANY]


def overdue(connections: Connections, runs: Collection[int] | None, now: float) -> list[int]:
    """Return runs, of some or of all, whose deadline has passed or is about to."""
    key = connections.key("deadlines")
    (found,) = connections.ask((b"ZRANGEBYSCORE", key, b"-inf", repr(now + _AHEAD)))
    return [run for run in map(int, found) if runs is None or run in runs][:MANY]


def next_due(
    connections: Connections, runs: Collection[int] | None, queues: Sequence[str] | None = None
) -> float | None:
    """Return the earliest time of a line that waits, for no queue or for some, or deadline, of some runs or of all."""
    if queues is not None:
        times = [_earliest_of(connections, queue, runs) for queue in queues]
        times.append(_next(connections, ["deadlines"], runs))
        return min((time for time in times if time is not None), default=None)
    return _next(connections, ["due", "deadlines"], runs)


def _next(connections: Connections, names: Sequence[str], runs: Collection[int] | None) -> float | None:
    kinds = [connections.key(name) for name in names]
    if runs is None or len(runs) > FEW:
        times = [time for key in kinds if (time := _earliest(connections, key, runs)) is not None]
        return min(times, default=None)
    if not runs:
        return None
    found = _scores(connections, kinds, runs)
    return min((float(time) for times in found for time in times if time is not None), default=None)


def _earliest(connections: Connections, key: bytes, runs: Collection[int] | None) -> float | None:
    for page in _by_time(connections, key):
        for run, time in page.items():
            if runs is None or int(run) in runs:
                return float(time)
    return None


def _earliest_of(connections: Connections, queue: str, runs: Collection[int] | None) -> float | None:
    for page in _by_time(connections, connections.key(f"due:={queue}")):
        if runs is None:
            return next(map(float, page.values()), None)
        of = connections.ask(*((b"HGET", connections.key("line:") + line, b"run") for line in page))
        for run, time in zip(of, page.values(), strict=True):
            if run is not None and int(run) in runs:
                return float(time)
    return None


def _by_time(connections: Connections, key: bytes) -> Iterator[dict[bytes, bytes]]:
    """Yield pages of what is sorted by time, with the times."""
    first = 0
    while True:
        span = (str(first), str(first + PAGE - 1))
        (page,) = connections.ask((b"ZRANGE", key, *span, b"WITHSCORES"))
        yield pairs(page)
        if len(page) < 2 * PAGE:
            return
        first += PAGE


def ended(connections: Connections, runs: Sequence[int]) -> list[int]:
    """Return which of some runs have ended or are unknown."""
    over: list[int] = []
    for first in range(0, len(runs), MANY):
        some = runs[first : first + MANY]
        scores = _scores(connections, [connections.key(kind) for kind in _GOING], some)
        over += [run for run, going in zip(some, zip(*scores, strict=True), strict=True) if not any(going)]
    return over


def _scores(connections: Connections, keys: Sequence[bytes], runs: Collection[int]) -> list[list[bytes | None]]:
    names: list[str | bytes] = [str(run) for run in runs]
    return connections.ask(*([b"ZMSCORE", key, *names] for key in keys))
