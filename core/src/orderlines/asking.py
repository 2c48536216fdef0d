"""Which variables the lines of a graph ask for: worked out for a plan, so that a line is given no more than those."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.plan import PlannedBlock


class Asking:
    """Collects the names in expressions, block by block, of what is inside graphs."""

    def __init__(self) -> None:
        self._names: dict[int, set[str]] = {}

    def opened(self, block: int, opener: int, *, graph: bool) -> None:
        """Take note that a node of the block ``opener`` opens another one, as a line of a graph or otherwise."""
        if graph or opener in self._names:
            self._names[block] = set()

    def asked(self, block: int, name: str) -> None:
        """Take note that an expression in a block names a variable."""
        names = self._names.get(block)
        if names is not None:
            names.add(name)

    def work_out(self, blocks: Sequence[PlannedBlock]) -> None:
        """Tell blocks what they, and those inside them, ask for; what is inside has the higher number."""
        for number in sorted(self._names, reverse=True):
            names = self._names[number]
            for planned in blocks[number].nodes:
                names.update(*(self._names[child] for _, child in planned.children))
            blocks[number].asks = frozenset(names)
