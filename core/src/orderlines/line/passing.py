"""What the lines of a graph pass on to those that follow them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.flow.ordering import merging_order
from orderlines.line.opening import Before

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

NEAR: Final = 64
"""Lines that are looked at for the one line that assigns a variable, before all lines that come earlier are."""
_NOBODY: Final = -1


class Assignments:
    """What the ended lines of one graph have assigned.

    A line sees what all lines before it assigned, directly or through others; where two assigned one name, the later
    one wins, as :func:`.merging_order` has it. It is given the names that it asks for and no others: in a graph of
    thousands of lines that each assign a variable of their own, to pass all on would take the square of that, in time
    and memory.

    Mostly one line assigns a name, and stands near the one that asks. For all else the last line before each that
    assigns the name is worked out once, and remembered: each line is looked at once for a name, and once more for each
    line that comes right after it.
    """

    def __init__(self, after: Mapping[int, tuple[int, ...]]) -> None:
        self._after = after
        self._own: dict[int, Mapping[str, Any]] = {}
        self._assigning: dict[str, list[int]] = {}
        self._last: dict[str, dict[int, int]] = {}
        self._ranks: Mapping[int, int] = {}

    def ended(self, place: int, own: Mapping[str, Any]) -> None:
        """Take what an ended line has assigned."""
        if place in self._own:
            return
        self._own[place] = own
        for name in own:
            self._assigning.setdefault(name, []).append(place)

    def complete(self, place: int) -> bool:
        """Return whether all lines right before one are known to have ended."""
        return all(before in self._own for before in self._after.get(place, ()))

    def before(self, place: int, names: Collection[str]) -> dict[str, Any]:
        """Return what a line is given by those before it; those that are not known have assigned nothing."""
        near = Before(self._after, place)
        found = {name: self._find(near, place, name) for name in names if name in self._assigning}
        return {name: self._own[line][name] for name, line in found.items() if line != _NOBODY}

    def _find(self, near: Before, place: int, name: str) -> int:
        """Return the last line before a place that assigns a name."""
        assigning = self._assigning[name]
        if len(assigning) == 1 and near.has_near(assigning[0], NEAR):
            return assigning[0]
        if not self._ranks:
            total = 1 + max((max(line, *before) for line, before in self._after.items() if before), default=place)
            self._ranks = {line: rank for rank, line in enumerate((_NOBODY, *merging_order(self._after, total)))}
        return self._work_out(self._last.setdefault(name, {}), place, name)

    def _work_out(self, last: dict[int, int], place: int, name: str) -> int:
        """Work out the same for all lines before it, the first ones first: a graph may be deeper than the stack."""
        waiting = [place]
        while waiting:
            one = waiting[-1]
            missing = [before for before in self._after.get(one, ()) if before not in last]
            if missing:
                waiting.extend(missing)
                continue
            waiting.pop()
            if one not in last:
                last[one] = max(
                    (
                        before if name in self._own.get(before, ()) else last[before]
                        for before in self._after.get(one, ())
                    ),
                    key=self._ranks.__getitem__,
                    default=_NOBODY,
                )
        return last[place]
