"""A flow compiled once: nodes by index, templates parsed, components and executors resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.expression import compile_template
from orderlines.flow.placement import resolve, resolve_handler
from orderlines.states import END

if TYPE_CHECKING:
    from orderlines.components.base import Component
    from orderlines.expression import Template
    from orderlines.flow.model import Block, Flow, Handler, Node
    from orderlines.nodes.base import NodeType
    from orderlines.plugins import Registry
    from orderlines.strategies.base import Strategy

ENDS = -1
"""The index of no node: the line ends there."""


class PlannedCall:
    """A component with its arguments and the executor it runs on. ``arguments`` is ``None``: filled in by name."""

    __slots__ = ("arguments", "component", "executor", "grace", "timeout")

    def __init__(
        self, component: Component, arguments: Template | None, executor: str, timeout: float | None, grace: float
    ) -> None:
        self.component = component
        self.arguments = arguments
        self.executor = executor
        self.timeout = timeout
        self.grace = grace


class PlannedNode:
    """A node, compiled. ``next`` is an index or :data:`ENDS`; ``children`` are ``(name, block index)``."""

    __slots__ = ("call", "children", "handler", "kind", "next", "node", "sets", "strategies")

    def __init__(self, node: Node, kind: NodeType) -> None:
        self.node = node
        self.kind = kind
        self.call: PlannedCall | None = None
        self.handler: PlannedCall | None = None
        self.next = ENDS
        self.sets: tuple[tuple[str, Template, str | None], ...] = ()
        self.strategies: tuple[tuple[Strategy, Any], ...] = ()
        self.children: tuple[tuple[str, int], ...] = ()


class PlannedBlock:
    """What one line walks: nodes by index, and where each id is."""

    __slots__ = ("nodes", "places")

    def __init__(self, nodes: list[PlannedNode]) -> None:
        self.nodes = nodes
        self.places = {planned.node.id: place for place, planned in enumerate(nodes)}

    def place(self, target: str) -> int:
        """Return the index of a node; ``end`` is the line's end unless a node has that id."""
        return ENDS if target == END and END not in self.places else self.places[target]


class Plan:
    """A compiled flow; block 0 is the root line's. ``kept``: nodes whose outcomes expressions ask for."""

    __slots__ = ("blocks", "executors", "flow", "handler", "kept")

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.blocks: list[PlannedBlock] = []
        self.executors: set[str] = set()
        self.kept: set[str] = set()
        self.handler: PlannedCall | None = None


def compile_plan(flow: Flow, registry: Registry, executor: str | None) -> Plan:
    """Compile a valid flow.

    :param executor: what replaces the flow's default executor in this run.
    :raises PluginError: something that the flow needs is not installed.
    """
    return _Compiler(flow, registry, executor).compile()


class _Compiler:
    def __init__(self, flow: Flow, registry: Registry, executor: str | None) -> None:
        self.flow = flow
        self.registry = registry
        self.executor = executor
        self.plan = Plan(flow)
        self.queue: list[tuple[Block, str | None]] = []

    def compile(self) -> Plan:
        self.queue.append((self.flow.line, None))
        done = 0
        while done < len(self.queue):
            block, enclosing = self.queue[done]
            self.plan.blocks.append(self._block(block, enclosing))
            done += 1
        if self.flow.on_failure is not None:
            self.plan.handler = self._handler(self.flow.on_failure)
        return self.plan

    def _block(self, block: Block, enclosing: str | None) -> PlannedBlock:
        planned = PlannedBlock([self._node(node, enclosing) for node in block.nodes])
        last = len(planned.nodes) - 1
        for place, item in enumerate(planned.nodes):
            if item.node.next is not None:
                item.next = planned.place(item.node.next)
            elif place < last and item.kind.falls_through(item.node.settings):
                item.next = place + 1
        return planned

    def _node(self, node: Node, enclosing: str | None) -> PlannedNode:
        kind = self.registry.node_type(node.type)
        planned = PlannedNode(node, kind)
        planned.sets = tuple((name, self._template(value), node.types.get(name)) for name, value in node.set.items())
        planned.strategies = tuple((self.registry.strategy(item.name), item.settings) for item in node.strategies)
        if "component" in node.settings:
            planned.call = self._call(node, enclosing)
        if node.on_failure is not None:
            planned.handler = self._handler(node.on_failure)
        for value, _ in kind.templates(node.settings, ()):
            self._template(value)
        inner = node.settings.get("executor") or enclosing
        children = []
        for name, block in kind.blocks(node.settings):
            children.append((name, len(self.queue)))
            self.queue.append((block, inner))
        planned.children = tuple(children)
        return planned

    def _template(self, value: Any) -> Template:
        template = compile_template(value)
        for name in template.names:
            if name[0] == "nodes" and len(name) > 1:
                self.plan.kept.add(name[1])
        return template

    def _call(self, node: Node, enclosing: str | None) -> PlannedCall:
        component = self.registry.component(node.settings["library"], node.settings["component"])
        executor = resolve(node, enclosing, self.flow.executor, self.executor, component, self.registry)
        self.plan.executors.add(executor)
        grace = node.grace if node.grace is not None else component.grace
        arguments = self._template(dict(node.arguments))
        return PlannedCall(component, arguments, executor, node.timeout, 5.0 if grace is None else grace)

    def _handler(self, handler: Handler) -> PlannedCall:
        component = self.registry.component(handler.library, handler.component)
        executor = resolve_handler(handler, self.flow.executor, self.executor, component, self.registry)
        self.plan.executors.add(executor)
        arguments = None if handler.arguments is None else self._template(dict(handler.arguments))
        grace = 5.0 if component.grace is None else component.grace
        return PlannedCall(component, arguments, executor, handler.timeout, grace)
