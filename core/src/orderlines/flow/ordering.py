"""Which of a node's nested lines come before which."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    After = Mapping[int, tuple[int, ...]]


def ordered(after: After, one: int, other: int) -> bool:
    """Return whether one of two lines always ends before the other opens."""
    return _comes_after(after, one, other) or _comes_after(after, other, one)


def in_turn(after: After, places: Collection[int]) -> bool:
    """Return whether of some lines no two are ever open at once: each comes after all of those before it."""
    if not after:
        return len(places) < 2  # noqa: PLR2004 -- two are open at once
    from graphlib import TopologicalSorter  # noqa: PLC0415 -- for graphs only

    wanted = frozenset(places)
    passed = 0
    most: dict[int, int] = {}  # how many of the wanted ones stand on a way to a line, at most
    for place in TopologicalSorter({**dict.fromkeys(wanted, ()), **after}).static_order():
        most[place] = max((most[before] for before in after.get(place, ())), default=0)
        if place in wanted:
            if most[place] < passed:
                return False
            passed = most[place] = passed + 1
    return True


def _comes_after(after: After, late: int, early: int) -> bool:
    seen = {late}
    waiting = [late]
    while waiting:
        for place in after.get(waiting.pop(), ()):
            if place == early:
                return True
            if place not in seen:
                seen.add(place)
                waiting.append(place)
    return False
