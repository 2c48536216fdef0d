"""A line that is being built: one method for each kind of node, named as its key in the native notation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.building.parts import Parts
from orderlines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike
    from typing import Self

    from orderlines.building.expressions import Expression
    from orderlines.building.parts import Builder
    from orderlines.flow.model import Flow as Definition


class Line:
    """Nodes in the order in which they are added.

    Each method takes the node's id first, then what stands under its key, and the node's other fields by name
    (``set``, ``timeout``, ``retry``, ``on_error``, ``next``, ...); where a field's name is a word of Python, an
    underscore is put behind it: ``with_``, ``as_``. Methods that open lines return what these are built with, the
    others the line itself. In a graph a node has the field ``after`` too.
    """

    def __init__(self, parts: Parts | None = None, nodes: list[Any] | None = None) -> None:
        """Begin with nothing.

        :param parts: what the whole flow shares.
        :param nodes: takes the nodes, as mappings of the native notation.
        """
        self._parts = Parts() if parts is None else parts
        self._nodes: list[Any] = [] if nodes is None else nodes

    def __enter__(self) -> Self:
        """Return the line: ``with flow.foreach(...) as each:`` shows what is inside."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    def node(self, node: str | int, /, **fields: Any) -> Self:
        """Add a node of any type, a plugin's too: its key is one of the fields."""
        self._nodes.append({"id": node, **_named(fields)})
        return self

    def start(self, node: str | int, /, **fields: Any) -> Self:
        """Mark where the line begins."""
        return self.node(node, start=None, **fields)

    def end(self, node: str | int, /, **fields: Any) -> Self:
        """Mark where the line ends."""
        return self.node(node, end=None, **fields)

    def call(self, node: str | int, component: str | Callable[..., Any], /, **fields: Any) -> Self:
        """Call ``LIBRARY.COMPONENT``, or a function that is one, with the arguments ``with_``."""
        return self.node(node, call=component, **fields)

    def switch(self, node: str | int, branches: Sequence[Mapping[str, Any]], /, **fields: Any) -> Self:
        """Go on at the first branch that holds: ``{"when": "${...}", "goto": ID}``, ``{"else": ID}``."""
        return self.node(node, switch=branches, **fields)

    def flow(self, node: str | int, other: str | PathLike[str] | Builder | Definition, /, **fields: Any) -> Self:
        """Enter another flow, with the variables ``with_``: by its name or its file, or the flow itself."""
        return self.node(node, flow=self._parts.reference(other), **fields)

    def delay(self, node: str | int, duration: float | str | Expression, /, **fields: Any) -> Self:
        """Wait for some time."""
        return self.node(node, delay=duration, **fields)

    def until(self, node: str | int, moment: str | Expression, /, **fields: Any) -> Self:
        """Wait until a moment, in ISO 8601 with a zone."""
        return self.node(node, until=moment, **fields)

    def signal(self, node: str | int, name: str | Expression, /, **fields: Any) -> Self:
        """Wait for a signal."""
        return self.node(node, signal=name, **fields)

    def group(self, node: str | int, /, **fields: Any) -> Line:
        """Open one line, and return it."""
        nodes: list[Any] = []
        self.node(node, group=nodes, **fields)
        return Line(self._parts, nodes)

    def foreach(self, node: str | int, items: str | Expression | Sequence[Any], /, **fields: Any) -> Line:
        """Open a line for each item, and return it; ``as_``, ``limit`` and ``on_branch_failure`` as in files."""
        nodes: list[Any] = []
        self.node(node, foreach=items, **fields, line=nodes)
        return Line(self._parts, nodes)

    def parallel(
        self,
        node: str | int,
        /,
        *,
        executor: str | None = None,
        queue: str | None = None,
        limit: int | None = None,
        on_branch_failure: str | None = None,
        **fields: Any,
    ) -> Lines:
        """Open several lines, and return what they are added to."""
        lines: dict[str, Any] = {}
        self.node(node, parallel={**_given(executor, queue, limit, on_branch_failure), "lines": lines}, **fields)
        return Lines(self._parts, lines)

    def graph(
        self,
        node: str | int,
        /,
        *,
        executor: str | None = None,
        queue: str | None = None,
        limit: int | None = None,
        on_branch_failure: str | None = None,
        **fields: Any,
    ) -> Line:
        """Open a line for each node of a graph, and return what these are added to, with ``after``."""
        nodes: list[Any] = []
        self.node(node, graph={**_given(executor, queue, limit, on_branch_failure), "nodes": nodes}, **fields)
        return Line(self._parts, nodes)


class Lines:
    """The lines of a parallel node that is being built: takes lines by name."""

    def __init__(self, parts: Parts, lines: dict[str, Any]) -> None:
        """Begin with nothing.

        :param parts: what the whole flow shares.
        :param lines: takes each line's list under its name.
        """
        self._parts = parts
        self._lines = lines

    def __enter__(self) -> Self:
        """Return itself: ``with flow.parallel(...) as both:`` shows what is inside."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    def line(self, name: str) -> Line:
        """Add a line, and return it.

        :raises UsageError: there is one of that name.
        """
        if name in self._lines:
            raise UsageError(f"there is a line {name!r} already; give this one another name")
        nodes: list[Any] = []
        self._lines[name] = nodes
        return Line(self._parts, nodes)


def _named(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removesuffix("_"): value for name, value in fields.items()}


def _given(executor: str | None, queue: str | None, limit: int | None, on_branch_failure: str | None) -> dict[str, Any]:
    said = {"executor": executor, "queue": queue, "limit": limit, "on_branch_failure": on_branch_failure}
    return {name: value for name, value in said.items() if value is not None}
