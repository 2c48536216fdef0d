"""What the lines of a graph pass on to those that follow them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    _Passed = Mapping[str, tuple[int, Any]]


class Assignments:
    """What the ended lines of one graph have assigned, each variable with the place of the line that did.

    A line sees what all lines before it assigned, directly or through others; where two assigned one name, the one that
    the flow lists last wins. So it is enough to pass on, for each name, the assignment with the highest place: each
    line is looked at once for each line that comes right after it, however deep the graph is.
    """

    def __init__(self, after: Mapping[int, tuple[int, ...]]) -> None:
        self._after = after
        self._own: dict[int, Mapping[str, Any]] = {}
        self._passed: dict[int, _Passed] = {}

    def ended(self, place: int, own: Mapping[str, Any]) -> None:
        """Take what an ended line has assigned."""
        self._own.setdefault(place, own)

    def complete(self, place: int) -> bool:
        """Return whether all lines right before one are known to have ended."""
        return all(before in self._own for before in self._after.get(place, ()))

    def before(self, place: int) -> dict[str, Any]:
        """Return what a line is given by those before it; those that are not known have assigned nothing."""
        self._work_out(place)
        return {name: value for name, (_, value) in self._gathered(place, {}).items()}

    def _work_out(self, place: int) -> None:
        """Work out what the lines before one pass on, the furthest first: a graph may be deeper than the stack."""
        waiting = list(self._after.get(place, ()))
        while waiting:
            one = waiting[-1]
            missing = [before for before in self._after.get(one, ()) if before not in self._passed]
            if missing:
                waiting.extend(missing)
                continue
            waiting.pop()
            if one not in self._passed:
                own = {name: (one, value) for name, value in self._own.get(one, {}).items()}
                self._passed[one] = self._gathered(one, own)

    def _gathered(self, place: int, out: dict[str, tuple[int, Any]]) -> dict[str, tuple[int, Any]]:
        for before in self._after.get(place, ()):
            for name, item in self._passed[before].items():
                if name not in out or item[0] > out[name][0]:
                    out[name] = item
        return out
