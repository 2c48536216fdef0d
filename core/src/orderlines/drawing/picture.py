"""What there is to draw of a flow: boxes on lanes, and arrows between the boxes of a lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderlines.states import END

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orderlines.flow.model import Block, Flow, Node
    from orderlines.nodes.base import NodeType
    from orderlines.paths import Path
    from orderlines.plugins import Registry

_LONGEST: Final = 60
"""Characters of a label."""


class Arrow(NamedTuple):
    """Where a box may lead besides the next one of its lane: to another box, or to the lane's end (``None``)."""

    target: str | None
    label: str


class Box(NamedTuple):
    """A node.

    ``title`` is its id, and its name where it has one; ``detail`` says what it does; ``falls`` that it may lead to the
    next box of its lane.
    ``after`` are the lanes, by place, that must have ended before each of ``lanes`` begins.
    """

    id: str
    title: str
    detail: str
    gateway: bool
    falls: bool
    arrows: tuple[Arrow, ...]
    lanes: tuple[Lane, ...]
    after: Mapping[int, tuple[int, ...]]


class Lane(NamedTuple):
    """A line: its name, and its boxes from the first."""

    name: str
    boxes: tuple[Box, ...]

    @property
    def single(self) -> bool:
        """Whether it is nothing but the box that it is called after."""
        return len(self.boxes) == 1 and self.boxes[0].id == self.name


def picture(flow: Flow, registry: Registry) -> Lane:
    """Return the picture of a valid flow, a lane called as the flow."""
    return _Painter(flow, registry).lane(flow.name, flow.line)


class _Painter:
    def __init__(self, flow: Flow, registry: Registry) -> None:
        self._data = flow.data
        self._registry = registry

    def lane(self, name: str, block: Block) -> Lane:
        last = len(block.nodes) - 1
        hidden = any(node.id == END for node in block.nodes)
        boxes = (self._box(node, last=place == last, hidden=hidden) for place, node in enumerate(block.nodes))
        return Lane(name, tuple(boxes))

    def _box(self, node: Node, *, last: bool, hidden: bool) -> Box:
        """Return a node's box.

        :param hidden: a node of its line is called ``end``: that word leads to it, and not to the line's end.
        """
        kind = self._registry.node_type(node.type)
        lanes = tuple(self.lane(name, block) for name, block in kind.blocks(node.settings))
        through = kind.falls_through(node.settings)
        arrows = list(self._arrows(node, kind, hidden=hidden))
        if node.next is not None:
            arrows.append(Arrow(_target(node.next, hidden=hidden), "" if through else "skipped"))
        falls = through and node.next is None and not last
        return Box(
            node.id,
            _title(node),
            self._detail(node, kind),
            not through,
            falls,
            tuple(arrows),
            lanes,
            kind.after(node.settings),
        )

    def _arrows(self, node: Node, kind: NodeType, *, hidden: bool) -> Iterator[Arrow]:
        for target, path in kind.targets(node.settings, (*node.path, kind.key)):
            yield Arrow(_target(target, hidden=hidden), self._condition(path))
        for chosen in node.strategies:
            for target, _ in self._registry.strategy(chosen.name).targets(chosen.settings, ()):
                yield Arrow(_target(target, hidden=hidden), "on error")

    def _condition(self, path: Path) -> str:
        """Return under which condition a branch is taken: what stands beside its target, or the target's key."""
        branch = self._at(path[:-1])
        when = branch.get("when") if isinstance(branch, dict) else None
        if isinstance(when, str):
            return shortened(when.removeprefix("${").removesuffix("}").strip())
        return str(path[-1]) if when is None else str(when).lower()

    def _detail(self, node: Node, kind: NodeType) -> str:
        data = self._at(node.path)
        value = data.get(kind.key)
        said = [kind.key]
        if isinstance(value, (str, int, float)):
            said.append(shortened(str(value)))
        inside = value if isinstance(value, dict) else {}
        limit = inside.get("limit", data.get("limit"))
        if "as" in data:
            said.append(f"as {data['as']}")
        if limit is not None:
            said.append(f"({limit} at once)")
        if not node.enabled:
            said.append("(not enabled)")
        return " ".join(said)

    def _at(self, path: Path) -> Any:
        found: Any = self._data
        for step in path:
            found = found[step]
        return found


def _title(node: Node) -> str:
    return f"{node.id} ({shortened(node.name)})" if node.name else node.id


def _target(name: str, *, hidden: bool) -> str | None:
    return None if name == END and not hidden else name


def shortened(text: str) -> str:
    """Return a text on one line, of a length that a label may have."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
