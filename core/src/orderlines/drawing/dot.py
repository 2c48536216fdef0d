"""A graph in the language of Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.drawing.chart import Chart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.drawing.picture import Box, Lane

_INDENT: Final = "    "
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "&": "&amp;"})
"""Graphviz reads HTML's names of characters in every label."""


def draw(lane: Lane) -> Iterator[str]:
    """Yield the lines of a graph; a node with lines of its own heads a cluster that holds them."""
    yield f"digraph {_quoted(lane.name)} {{"
    yield f"{_INDENT}node [shape=box, style=rounded];"
    yield from (_INDENT + line for line in _Graph(1).lane(lane))
    yield "}"


class _Graph(Chart):
    def box(self, box: Box, name: str) -> Iterator[str]:
        shape = ", shape=diamond, style=solid" if box.gateway else ""
        head = f"{name} [label={_quoted(box.title, box.detail)}{shape}];"
        if not box.lanes:
            yield head
            return
        yield f"subgraph cluster_{name} {{"
        yield _INDENT + head
        yield from (_INDENT + line for line in self._lanes(box, name))
        yield "}"

    def _lanes(self, box: Box, name: str) -> Iterator[str]:
        if len(box.lanes) == 1:
            yield self._open(name)
            yield from self.lane(box.lanes[0])
            return
        firsts: dict[int, str] = {}
        for place, lane in enumerate(box.lanes):
            firsts[place] = self.name()
            yield from self.inside(lane, firsts[place])
        for place, first in firsts.items():
            before = box.after.get(place, ())
            yield from (self.arrow(firsts[each], first) for each in before)
            if not before:
                yield f"{name} -> {first} [style=dashed];"

    def _open(self, name: str) -> str:
        """Return the edge from a head to the box that is drawn next."""
        return f"{name} -> {self.upcoming()} [style=dashed];"

    def titled(self, lane: Lane, name: str) -> Iterator[str]:
        yield f"subgraph cluster_{name} {{"
        yield f"{_INDENT}{name} [label={_quoted(lane.name)}, shape=plaintext];"
        yield _INDENT + self._open(name)
        yield from (_INDENT + line for line in self.lane(lane))
        yield "}"

    def end(self, name: str) -> str:
        return f'{name} [label="end", shape=doublecircle];'

    def arrow(self, source: str, target: str, label: str = "") -> str:
        shown = f" [label={_quoted(label)}]" if label else ""
        return f"{source} -> {target}{shown};"


def _quoted(*lines: str) -> str:
    return '"' + "\\n".join(line.translate(_ESCAPES) for line in lines) + '"'
