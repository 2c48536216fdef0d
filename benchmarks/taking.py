"""Takes figures: of a run in this process, of work by hand, of a fresh process less what starting it takes."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orderlines
from benchmarks import commands, flows
from benchmarks.by_hand import ByHand
from benchmarks.measure import Side, Unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.flows import Flow
    from benchmarks.workload import Setting


@contextmanager
def engine_side(setting: Setting, flow: Flow, per: int, synchronous: str = "normal") -> Iterator[Side]:
    """Open an engine whose runs of a flow are timed, from accepting it to its end.

    :param per: what the time is divided by.
    """
    definition = orderlines.load(flows.write(setting.folder, flow))
    with orderlines.Engine(setting.store(synchronous)) as engine:

        def run() -> None:
            started = engine.start(definition)
            if started.wait() != "SUCCESS":
                raise Unfit(f"flow {definition.name}: {started.error}")

        yield Side("orderlines", lambda: timed(run) / per)


@contextmanager
def floor_side(
    setting: Setting, work: Callable[[ByHand], None], per: int, synchronous: str = "normal"
) -> Iterator[Side]:
    """Open a file in which the same is written by hand."""
    hand = ByHand(setting.by_hand, synchronous)
    yield Side("floor", lambda: timed(lambda: work(hand)) / per)
    hand.close()


def timed(work: Callable[[], None]) -> float:
    """Return how long something takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def each_more(command: Callable[[int], list[str]], small: int, large: int) -> Callable[[], float]:
    """Return what takes the time of each node more that a fresh process runs, so that starting it does not count."""

    def take() -> float:
        return (commands.seconds(command(large)) - commands.seconds(command(small))) / (large - small)

    return take
