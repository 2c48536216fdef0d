"""Which of a node's nested lines come before which."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    After = Mapping[int, tuple[int, ...]]


def ordered(after: After, one: int, other: int) -> bool:
    """Return whether one of two lines always ends before the other opens."""
    return _comes_after(after, one, other) or _comes_after(after, other, one)


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
