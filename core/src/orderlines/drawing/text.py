"""A picture for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.drawing.picture import Arrow, Box, Lane

_DOWN: Final = "│"
_SIDE: Final = "├─ "
_INSIDE: Final = "│  "
_ARROW: Final = "→"


def draw(lane: Lane) -> Iterator[str]:
    """Yield the lines of a picture: time runs down, what a node opens stands to its right."""
    yield f"flow {lane.name}"
    yield ""
    yield from _boxes(lane)


def _boxes(lane: Lane) -> Iterator[str]:
    for place, box in enumerate(lane.boxes):
        if place:
            yield _DOWN if lane.boxes[place - 1].falls else ""
        yield from _box(box)


def _box(box: Box) -> Iterator[str]:
    yield _title(box)
    for place, lane in enumerate(box.lanes):
        after = ", ".join(box.lanes[each].name for each in box.after.get(place, ()))
        yield from _lane(lane, f"  after {after}" if after else "", named=len(box.lanes) > 1)
    for arrow in box.arrows:
        yield f"{_SIDE}{_lead(arrow)}"


def _lane(lane: Lane, note: str, *, named: bool) -> Iterator[str]:
    if lane.single:
        first, *rest = _box(lane.boxes[0])
        yield f"{_SIDE}{first}{note}"
        yield from (f"{_INSIDE}{line}" for line in rest)
        return
    if named:
        yield f"{_SIDE}{lane.name}{note}"
    yield from (f"{_INSIDE}{line}".rstrip() for line in _boxes(lane))


def _title(box: Box) -> str:
    return f"{'◇' if box.gateway else '●'} {box.title}  {box.detail}"


def _lead(arrow: Arrow) -> str:
    target = arrow.target or "end"
    return f"{arrow.label} {_ARROW} {target}" if arrow.label else f"{_ARROW} {target}"
