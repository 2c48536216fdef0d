"""Workloads of one line: what a step costs."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import commands, flows
from benchmarks.measure import Side
from benchmarks.taking import each_more, engine_side, floor_side
from benchmarks.workload import FULL, MICROSECONDS, NORMAL, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.workload import Setting

CHAIN = 1_000
LONG, SHORT = 2_010, 10
"""Nodes of the two runs whose difference counts through the command line."""
SMALL, LARGE = 100, 100_000
THREES = 50
"""Runs of three nodes, of which the median counts."""


@contextmanager
def chain(setting: Setting, synchronous: str) -> Iterator[list[Side]]:
    """Open a chain in this process, and its steps by hand."""
    count = setting.count(CHAIN)
    with (
        engine_side(setting, flows.chain(count), count, synchronous) as engine,
        floor_side(setting, lambda hand: hand.chain(count), count, synchronous) as floor,
    ):
        yield [floor, engine]


@contextmanager
def commanded_chain(setting: Setting) -> Iterator[list[Side]]:
    """Open a chain through the command line, reading, checking and printing included."""
    long, short = setting.count(LONG), setting.count(SHORT)
    files = {count: flows.write(setting.folder, flows.chain(count)) for count in (short, long)}
    command = each_more(lambda count: commands.run_flow(files[count], setting.store()), short, long)
    with floor_side(setting, lambda hand: hand.chain(long), long) as floor:
        yield [floor, Side("orderlines", command)]


@contextmanager
def growth(setting: Setting) -> Iterator[list[Side]]:
    """Open a short chain and a very long one."""
    small, large = setting.count(SMALL), setting.count(LARGE)
    with (
        engine_side(setting, flows.chain(small), small) as short,
        engine_side(setting, flows.chain(large), large) as long,
    ):
        yield [short._replace(name=f"{small:,} nodes"), long._replace(name=f"{large:,} nodes")]


@contextmanager
def three_nodes(setting: Setting) -> Iterator[list[Side]]:
    """Open three nodes in this process: what a run costs."""
    with (
        engine_side(setting, flows.three(), 1) as engine,
        floor_side(setting, lambda hand: hand.chain(3), 1) as floor,
    ):
        yield [_median(floor, setting.count(THREES)), _median(engine, setting.count(THREES))]


def _median(side: Side, times: int) -> Side:
    return Side(side.name, lambda: median(side.take() for _ in range(times)))


_STEP = "an UPDATE, an INSERT and a COMMIT a step with sqlite3"
WORKLOADS = (
    Workload(
        "W1", f"chain of {CHAIN:,} nodes, each adds 1; a step",
        MICROSECONDS, NORMAL, _STEP, partial(chain, synchronous="normal"),
    ),
    Workload(
        "W1-full", f"chain of {CHAIN:,} nodes, safe from a power cut; a step",
        MICROSECONDS, FULL, _STEP, partial(chain, synchronous="full"),
    ),
    Workload(
        "W1-command", f"chain by `orderlines run --json`: ({LONG:,} nodes - {SHORT} nodes) / {LONG - SHORT:,}",
        MICROSECONDS, NORMAL, _STEP, commanded_chain,
    ),
    Workload(
        "W5", f"three nodes, in process; a run, median of {THREES}",
        MICROSECONDS, NORMAL, "four transactions with sqlite3", three_nodes,
    ),
    Workload(
        "W7-growth", f"chain of {SMALL} and of {LARGE:,} nodes; a step",
        MICROSECONDS, NORMAL, "the short chain", growth,
    ),
)  # fmt: skip
