"""A flowchart in Mermaid's language, which many sites and editors draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.drawing.chart import Chart
from orderlines.drawing.picture import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.drawing.picture import Box, Lane

_INDENT: Final = "    "
_ESCAPES: Final = str.maketrans({"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;", "&": "#amp;"})


def draw(lane: Lane) -> Iterator[str]:
    """Yield the lines of a flowchart; Mermaid's own ids are numbers, so that a node may have any id."""
    yield "flowchart TD"
    yield from (_INDENT + line for line in _Flowchart(0).lane(lane))


class _Flowchart(Chart):
    def box(self, box: Box, name: str) -> Iterator[str]:
        title, detail = _escaped(box.title), _escaped(box.detail)
        if not box.lanes:
            label = f'"{title}<br/>{detail}"'
            yield f"{name}{{{label}}}" if box.gateway else f"{name}[{label}]"
            return
        # On one line: Mermaid draws what is inside over a heading's second one.
        yield f'subgraph {name}["{title}: {detail}"]'
        yield from (_INDENT + line for line in self._lanes(box))
        yield "end"

    def _lanes(self, box: Box) -> Iterator[str]:
        if len(box.lanes) == 1:
            yield from self.lane(box.lanes[0])
            return
        inner: dict[int, str] = {}
        for place, lane in enumerate(box.lanes):
            inner[place] = self.name()
            yield from self.inside(lane, inner[place])
        for place, earlier in box.after.items():
            yield from (self.arrow(inner[each], inner[place]) for each in earlier)

    def titled(self, lane: Lane, name: str) -> Iterator[str]:
        yield f'subgraph {name}["{_escaped(lane.name)}"]'
        yield from (_INDENT + line for line in self.lane(lane))
        yield "end"

    def end(self, name: str) -> str:
        return f"{name}(((end)))"

    def arrow(self, source: str, target: str, label: str = "") -> str:
        shown = f'|"{_escaped(label)}"|' if label else ""
        return f"{source} -->{shown} {target}"


def _escaped(text: str) -> str:
    return shortened(text).translate(_ESCAPES)
