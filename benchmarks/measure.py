"""Repetitions of several sides of one workload, taken in turn: what disturbs one disturbs the others as well."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Unfit(Exception):
    """What was to be measured did not happen."""


class Side(NamedTuple):
    """One way of doing a workload: orderlines, by hand (the floor), or a peer.

    :ivar take: does it once and returns its figure, in seconds or bytes.
    """

    name: str
    take: Callable[[], float]


class Figures(NamedTuple):
    """The figures of one side, one for each repetition."""

    side: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.values)


def interleave(sides: Sequence[Side], repeat: int) -> list[Figures]:
    """Take every side ``repeat`` times, in turn, after one round that does not count."""
    values: dict[str, list[float]] = {side.name: [] for side in sides}
    for side in sides:
        side.take()
    for _ in range(repeat):
        for side in sides:
            values[side.name].append(side.take())
    return [Figures(name, tuple(taken)) for name, taken in values.items()]
