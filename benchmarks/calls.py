"""Workloads of many calls at once."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING

from benchmarks import commands, components, flows
from benchmarks.measure import Side
from benchmarks.taking import each_more, engine_side, floor_side, timed
from benchmarks.workload import MICROSECONDS, NORMAL, NORMAL_ALONE, SECONDS, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.workload import Setting

FAN = 1_000
LONG, SHORT = 2_010, 10
SLEEPERS, AT_ONCE, NAP = 1_000, 200, 0.05
COUNTERS, PROCESSES, BUSY = 16, 2, 0.25


@contextmanager
def fan(setting: Setting) -> Iterator[list[Side]]:
    """Open a fan-out in this process, and its rows by hand."""
    count = setting.count(FAN)
    with (
        engine_side(setting, flows.fan(count, setting.fan_out), count) as engine,
        floor_side(setting, lambda hand: hand.fan(count), count) as floor,
    ):
        yield [floor, engine]


@contextmanager
def commanded_fan(setting: Setting) -> Iterator[list[Side]]:
    """Open a fan-out through the command line, reading, checking and printing included."""
    long, short = setting.count(LONG), setting.count(SHORT)
    files = {count: flows.write(setting.folder, flows.fan(count, setting.fan_out)) for count in (short, long)}
    command = each_more(lambda count: commands.run_flow(files[count], setting.store()), short, long)
    with floor_side(setting, lambda hand: hand.fan(long), long) as floor:
        yield [floor, Side("orderlines", command)]


@contextmanager
def sleepers(setting: Setting) -> Iterator[list[Side]]:
    """Open calls that sleep as greenlets; a pool of gevent by hand, in a process of its own and timed there."""
    count, at_once = setting.count(SLEEPERS), setting.count(AT_ONCE)
    command = commands.python("-m", "benchmarks.greenlets", setting.by_hand, str(count), str(at_once), str(NAP))
    with engine_side(setting, flows.sleepers(count, at_once, NAP), 1) as engine:
        yield [Side("floor", lambda: float(commands.output(command))), engine]


@contextmanager
def counters(setting: Setting) -> Iterator[list[Side]]:
    """Open calls that keep a processor busy, on two processes; one after the other by hand, and in a plain pool.

    Half of the serial time needs two processors that do not slow each other down. The pool, which keeps nothing,
    shows what this machine's two come to.
    """
    count, loops = setting.count(COUNTERS), _loops(BUSY * min(1.0, setting.scale))

    def serial() -> None:
        for _ in range(count):
            components.count(loops)

    with (
        engine_side(setting, flows.counters(count, PROCESSES, loops), 1) as engine,
        ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool,
    ):

        def pooled() -> None:
            for _ in pool.map(components.count, [loops] * count):
                pass

        yield [Side("floor", lambda: timed(serial) / PROCESSES), Side("plain pool", lambda: timed(pooled)), engine]


def _loops(seconds: float) -> int:
    """Return how far this machine counts in so many seconds."""
    trial = 1_000_000
    return round(trial * seconds / min(timed(lambda: _discard(components.count(trial))) for _ in range(5)))


def _discard(_: object) -> None:
    """Take a result that nobody needs."""


WORKLOADS = (
    Workload(
        "W2", f"{FAN:,} calls that do nothing, then their sum; a call",
        MICROSECONDS, NORMAL, "all tasks in one transaction with sqlite3", fan,
    ),
    Workload(
        "W2-command", f"the same by `orderlines run --json`: ({LONG:,} calls - {SHORT} calls) / {LONG - SHORT:,}",
        MICROSECONDS, NORMAL, "all tasks in one transaction with sqlite3", commanded_fan,
    ),
    Workload(
        "W3", f"{SLEEPERS:,} calls that sleep {NAP * 1000:g} ms, {AT_ONCE} at once, as greenlets; all of them",
        SECONDS, NORMAL, "a pool of gevent and sqlite3, committed in groups", sleepers,
    ),
    Workload(
        "W4", f"{COUNTERS} calls of {BUSY} s of pure Python on {PROCESSES} processes; all of them",
        SECONDS, NORMAL_ALONE, "half of the time that they take one after the other", counters,
    ),
)  # fmt: skip
