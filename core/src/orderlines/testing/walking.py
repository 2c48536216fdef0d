"""Where a line may go: what a flow's document says, read anew and apart from what the engine makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Document = Mapping[str, Any]

ENDS: Final = "end"


class Walk:
    """The nodes of one line, as a canonical document has them."""

    def __init__(self, nodes: Sequence[Document], whole: Document) -> None:
        self._nodes = {node["id"]: node for node in nodes}
        self._order = [node["id"] for node in nodes]
        self._places = {name: place for place, name in enumerate(self._order)}
        self._whole = whole
        self._members: dict[str, dict[str, Document]] = {}

    def first(self) -> set[str]:
        """Return the nodes at which the line may begin."""
        return self._enabled(self._order[0])

    def next(self, node: str) -> set[str]:
        """Return the nodes to which the line may go from one of its nodes; :data:`ENDS` among them where it may end."""
        return set().union(*map(self._enabled, self._targets(self._nodes[node])))

    def inner(self, node: str, child: str, flow: Callable[[str], Document]) -> Walk:
        """Return the walk of a line that a node opens.

        :param child: the line's name among those of the node.
        :param flow: returns the document of a flow by its digest.
        """
        found = self._nodes[node]
        if "flow" in found:
            entered = flow(self._whole["flows"][found["flow"]])
            return Walk(entered["line"], entered)
        if "graph" in found:
            return Walk([self._member(node, child)], self._whole)
        return Walk(_inner(found, child), self._whole)

    def before(self, node: str, child: str) -> list[str]:
        """Return the lines of a graph that must have ended before one of them begins."""
        if "graph" not in self._nodes[node]:
            return []
        after: list[str] = self._member(node, child).get("after", [])
        return after

    def _member(self, node: str, child: str) -> Document:
        """Return the node of a graph that has an id."""
        members = self._members.get(node)
        if members is None:
            members = self._members[node] = {each["id"]: each for each in self._nodes[node]["graph"]["nodes"]}
        return members[child]

    def _targets(self, node: Document) -> Iterator[str]:
        yield from _gotos(node.get("on_error"))
        if "next" in node:
            yield node["next"]
        elif "switch" in node:
            yield from (branch.get("goto") or branch["else"] for branch in node["switch"])
        else:
            place = self._places[node["id"]] + 1
            yield self._order[place] if place < len(self._order) else ENDS

    def _enabled(self, node: str) -> set[str]:
        """Return a node, and those behind it where it is switched off: whether that leaves a task is no matter here."""
        found = self._nodes.get(node)
        if found is None:
            return {ENDS}
        return {node} if found.get("enabled", True) else {node}.union(self.next(node))


def _inner(node: Document, child: str) -> Sequence[Document]:
    """Return the nodes of a line that a node opens."""
    if "foreach" in node:
        nodes: Sequence[Document] = node["line"]
        return nodes
    if "parallel" in node:
        lines: Mapping[str, Sequence[Document]] = node["parallel"]["lines"]
        return lines[child]
    group: Sequence[Document] = node["group"]
    return group


def _gotos(value: Any) -> Iterator[str]:
    """Return every target under ``on_error``."""
    if isinstance(value, dict):
        for key, inside in value.items():
            if key == "goto":
                yield inside["node"] if isinstance(inside, dict) else inside
            else:
                yield from _gotos(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _gotos(inside)
