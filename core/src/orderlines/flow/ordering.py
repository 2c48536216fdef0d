"""Which of a node's nested lines come before which."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    After = Mapping[int, tuple[int, ...]]


def merging_order(after: After, total: int) -> Sequence[int]:
    """Return the places of lines in the order in which what they assign is merged: the later one wins.

    That is the order in which the flow lists them, with what comes before a line moved up in front of it.

    :param total: how many lines there are.
    """
    if all(before < place for place, earlier in after.items() for before in earlier):
        return range(total)
    order: dict[int, None] = {}
    for listed in range(total):
        waiting = [listed]  # A graph may be deeper than the stack.
        while waiting:
            place = waiting[-1]
            if place in order:
                waiting.pop()
                continue
            missing = sorted((before for before in after.get(place, ()) if before not in order), reverse=True)
            waiting.extend(missing)
            if not missing:
                order[waiting.pop()] = None
    return list(order)


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


def clash(after: After, places: Iterable[int], ranks: Mapping[int, int]) -> tuple[int, int] | None:
    """Return two of some lines that may end in any order, if there are such.

    :param ranks: the places of lines in :func:`merging_order`.
    """
    in_order = sorted(places, key=ranks.__getitem__)
    return next((pair for pair in pairwise(in_order) if not _comes_after(after, pair[1], pair[0])), None)


def _comes_after(after: After, late: int, early: int) -> bool:
    """Return whether one line always opens after another one has ended."""
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
