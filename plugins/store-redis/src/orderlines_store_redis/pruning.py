"""Taking runs away: out of sight at once, and what belongs to them in many short scripts."""

from __future__ import annotations

import heapq
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from orderlines.states import FINAL
from orderlines.stores.records import EndedRun
from orderlines.stores.references import fingerprint
from orderlines_store_redis.rows import number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from orderlines_store_redis.connection import Connections

LINES: Final = 200
"""Lines that one script takes away: it keeps all others waiting."""
PAGE: Final = 200
"""Runs that are looked at together."""


class Old(NamedTuple):
    """Which runs may go: those that ended before a moment with one of some statuses; with any, where there are none."""

    before: float
    statuses: Collection[str]


def prunable(connections: Connections, wanted: Old, limit: int, after: int) -> list[EndedRun]:
    """Return up to so many runs that may be taken away, or are half taken away, by rising number."""
    statuses = set(wanted.statuses) or FINAL
    kinds = ["doomed", *(f"status:{status}" for status in sorted(statuses & FINAL))]
    ways = [_ended(connections, kind, after, wanted.before) for kind in kinds]
    found = list(islice(heapq.merge(*ways), limit))
    names = connections.ask(*((b"HGET", connections.key(f"run:{run}"), b"name") for run in found))
    return [EndedRun(run, name.decode()) for run, name in zip(found, names, strict=True) if name is not None]


def _ended(connections: Connections, kind: str, after: int, before: float) -> Iterator[int]:
    """Yield the runs of an index that ended before a moment; all that are half taken away."""
    while True:
        (page,) = connections.ask(
            (b"ZRANGEBYSCORE", connections.key(kind), f"({after}", b"+inf", b"LIMIT", b"0", str(PAGE))
        )  # fmt: skip
        yield from map(int, page if kind == "doomed" else _before(connections, page, before))
        if len(page) < PAGE:
            return
        after = int(page[-1])


def _before(connections: Connections, runs: Sequence[bytes], before: float) -> list[bytes]:
    if not runs:
        return []
    (ends,) = connections.ask((b"ZMSCORE", connections.key("finished"), *runs))
    return [run for run, end in zip(runs, ends, strict=True) if end is not None and float(end) < before]


def aged(connections: Connections, before: float) -> list[int]:
    """Return some runs that ended before a moment or are half taken away."""
    doomed, ended = connections.ask(
        (b"ZRANGE", connections.key("doomed"), b"0", str(PAGE - 1)),
        (b"ZRANGEBYSCORE", connections.key("finished"), b"-inf", f"({before!r}", b"LIMIT", b"0", str(PAGE)),
    )
    return list(map(int, (*doomed, *ended)))


def prune(connections: Connections, runs: Collection[int], before: float, *, expires: bool) -> list[int]:
    """Take runs away, but for those that go on or ended too late; return those that are gone now, by nobody else.

    :param expires: whether nobody else looks after the large values that are kept beside them.
    """
    gone = []
    waiting = iter(runs)
    while page := list(islice(waiting, PAGE)):
        given = connections.ask(*((b"HGET", connections.key(f"run:{run}"), b"vars") for run in page))
        for run, variables in zip(page, given, strict=True):
            if variables is not None and _prune(connections, run, before, fingerprint(variables.decode()), expires):
                gone.append(run)
    return gone


def _prune(connections: Connections, run: int, before: float, left: str, expires: bool) -> bool:  # noqa: FBT001
    words = (str(run), number(before), left, "1" if expires else "", str(LINES))
    while (what := connections.run("prune", *words)[0]) == b"more":
        pass
    return bool(what == b"gone")
