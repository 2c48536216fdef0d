"""A walk over all lines of a flow: where each node stands, and where each line can go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.flow.naming import did_you_mean
from orderlines.flow.node_reading import UNKNOWN
from orderlines.flow.route import Route
from orderlines.states import END

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.flow.model import Block, Chosen, Flow, Node
    from orderlines.flow.report import Report
    from orderlines.nodes.base import NodeType
    from orderlines.paths import Path
    from orderlines.plugins import Registry
    from orderlines.strategies.base import Strategy

SKIP: Final = "skip"
"""The strategy that lets a line go on behind a node that failed."""


class Survey:
    """The routes of a flow.

    :ivar routes: of every line, outer ones first.
    :ivar places: route and position of each node id (of the first, where an id is there twice).
    """

    def __init__(self, flow: Flow, registry: Registry, report: Report) -> None:
        self.routes: list[Route] = []
        self.places: dict[str, tuple[Route, int]] = {}
        self._registry = registry
        self._report = report
        self._lenient = flow.lenient
        self._kinds: dict[str, NodeType | None] = {UNKNOWN: None}
        self._enter(flow.line, None)
        for route in self.routes:
            self._lead(route)
            self._judge(route)

    def kind(self, node: Node) -> NodeType | None:
        """Return a node's type, ``None`` where it could not be read."""
        if node.type not in self._kinds:
            self._kinds[node.type] = self._registry.node_type(node.type)
        return self._kinds[node.type]

    def strategy(self, chosen: Chosen) -> Strategy:
        """Return a strategy that was chosen: it is there, since it has read its settings."""
        strategy: Strategy = self._registry.strategy(chosen.name)
        return strategy

    def key_path(self, node: Node) -> Path:
        """Return the place of what the node's type has read."""
        kind = self.kind(node)
        return node.path if kind is None else (*node.path, kind.key)

    def nodes(self) -> Iterator[tuple[Route, int, Node]]:
        """Yield every node with its route and position."""
        for route in self.routes:
            for position, node in enumerate(route.block.nodes):
                yield route, position, node

    def _enter(self, block: Block, outer: tuple[Route, int] | None) -> Route:
        route = Route(block, outer)
        self.routes.append(route)
        index, places = route.index, self.places
        for position, node in enumerate(block.nodes):
            if node.id in places:
                self._report.problem(
                    (*node.path, "id"), f"the id {node.id!r} is there twice", "ids are unique in a flow"
                )
                index.setdefault(node.id, position)
                route.uncertain = True
            else:
                index[node.id] = position
                places[node.id] = (route, position)
            kind = self.kind(node)
            if kind is None:
                route.uncertain = True
                continue
            nested = kind.blocks(node.settings)
            if nested:
                inner = [self._enter(each, (route, position)) for _, each in nested]
                for place, earlier in kind.after(node.settings).items():
                    inner[place].earlier = tuple(inner[each] for each in earlier)
        return route

    def _lead(self, route: Route) -> None:
        for position, node in enumerate(route.block.nodes):
            kind = self.kind(node)
            targets = [] if kind is None else list(kind.targets(node.settings, (*node.path, kind.key)))
            if node.strategies:
                targets.extend(self._strategy_targets(node))
            for name, path in targets:
                self._lead_to(route, position, name, path)
            if kind is not None and not kind.falls_through(node.settings):
                route.stop(position)
                if not targets:
                    route.lead(position, None)
                self._lead_past(route, position, node, kind)
            elif node.next is not None:
                route.stop(position)
                self._lead_to(route, position, node.next, (*node.path, "next"))

    def _lead_past(self, route: Route, position: int, node: Node, kind: NodeType) -> None:
        """Look where the line goes on where a node is skipped that says by itself where it does."""
        skipped = _skipped(node)
        if skipped and node.next is not None:
            self._lead_to(route, position, node.next, (*node.path, "next"))
        elif node.next is not None:
            if self._is_there(route, node.next, (*node.path, "next")):
                reason = f"a {kind.key} node never goes on at `next`"
                self._report.key_problem((*node.path, "next"), reason, "take it away", warning=True)
        elif skipped and not self._lenient:
            reason = f"a {kind.key} node that is skipped does not say where the line goes on"
            hint = "give it a `next` as well: that is where the line goes on then"
            self._report.problem((*node.path, skipped), reason, hint)

    def _strategy_targets(self, node: Node) -> Iterator[tuple[str, Path]]:
        for chosen in node.strategies:
            place = ("retry",) if chosen.name == "retry" else ("on_error", chosen.name)
            yield from self.strategy(chosen).targets(chosen.settings, (*node.path, *place))

    def _lead_to(self, route: Route, position: int, name: str, path: Path) -> None:
        if self._is_there(route, name, path):
            route.lead(position, route.index.get(name))
        else:
            route.uncertain = True

    def _is_there(self, route: Route, name: str, path: Path) -> bool:
        """Return whether a line can go on at a name; report where it cannot."""
        target = route.index.get(name)
        if target is not None or name == END:
            if name == END and target is not None and route.block.nodes[target].type != END and not self._lenient:
                reason = "this leads to the node that is called 'end', and not to the line's end"
                self._report.problem(path, reason, "give that node another id", warning=True)
            return True
        if not name:
            return False  # reported when it was read
        if name in self.places:
            hint = "a line goes only to its own nodes, or to `end`"
            self._report.problem(path, f"the node {name!r} is on another line", hint)
        else:
            self._report.problem(path, f"there is no node {name!r}", did_you_mean(name, route.index, END))
        return False

    def _judge(self, route: Route) -> None:
        heads = route.explore()
        if route.uncertain:
            return
        nodes = route.block.nodes
        for head in heads:
            reason = f"nothing leads to the node {nodes[head].id!r}"
            hint = "lead another node's `next` or `goto` to it, or take it away"
            self._report.problem(nodes[head].path, reason, hint, warning=self._lenient)
        for closing, back in route.endless():
            names = f"{nodes[closing].id!r} leads back to {nodes[back].id!r}"
            reason = f"a loop without an exit: {names}, and no way leads from there to the line's end"
            self._report.problem(nodes[closing].path, reason, "lead one of its nodes out, or to `end`")


def _skipped(node: Node) -> str:
    """Return the key because of which a node may be skipped, if there is one."""
    if not node.enabled:
        return "enabled"
    return "on_error" if any(chosen.name == SKIP for chosen in node.strategies) else ""
