"""What the languages of charts share: which boxes there are, what they are called, and what leads where."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orderlines.drawing.picture import Box, Lane


class Chart(ABC):
    """Writes lanes line by line. Boxes are called by numbers, so that a node may have any id."""

    def __init__(self, first: int) -> None:
        """Begin with nothing.

        :param first: the number of the first box.
        """
        self._next = first

    def lane(self, lane: Lane) -> Iterator[str]:
        """Yield the boxes of a lane, and the arrows between them."""
        names = {box.id: self.name() for box in lane.boxes}
        for box in lane.boxes:
            yield from self.box(box, names[box.id])
        yield from self._arrows(lane, names)

    def inside(self, lane: Lane, name: str) -> Iterator[str]:
        """Yield one of several lanes of a box."""
        return self.box(lane.boxes[0], name) if lane.single else self.titled(lane, name)

    def name(self) -> str:
        """Return a name that nothing has yet."""
        name = self.upcoming()
        self._next += 1
        return name

    def upcoming(self) -> str:
        """Return the name that comes next."""
        return f"n{self._next}"

    @abstractmethod
    def box(self, box: Box, name: str) -> Iterator[str]:
        """Yield a box, with the lanes in it."""

    @abstractmethod
    def titled(self, lane: Lane, name: str) -> Iterator[str]:
        """Yield a lane in a frame that shows what it is called."""

    @abstractmethod
    def end(self, name: str) -> str:
        """Return the end of a lane."""

    @abstractmethod
    def arrow(self, source: str, target: str, label: str = "") -> str:
        """Return an arrow from one name to another."""

    def _arrows(self, lane: Lane, names: Mapping[str, str]) -> Iterator[str]:
        end = ""
        for place, box in enumerate(lane.boxes):
            if box.falls:
                yield self.arrow(names[box.id], names[lane.boxes[place + 1].id])
            for arrow in box.arrows:
                if arrow.target is None and not end:
                    end = self.name()
                    yield self.end(end)
                yield self.arrow(names[box.id], names[arrow.target] if arrow.target else end, arrow.label)
