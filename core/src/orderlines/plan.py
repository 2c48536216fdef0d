"""A flow compiled once: nodes by index, templates parsed, components and executors resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.asking import Asking
from orderlines.expression import compile_template
from orderlines.flow.collector import paused
from orderlines.flow.placement import entrance, home, queue_of, resolve, resolve_handler
from orderlines.flow.references import expressions
from orderlines.outcomes import Passing
from orderlines.states import END

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.components.base import Component
    from orderlines.expression import Template
    from orderlines.flow.model import Block, Chosen, Flow, Handler, Node
    from orderlines.nodes.base import NodeType
    from orderlines.plugins import Registry
    from orderlines.strategies.base import Strategy

_NONE: Mapping[str, Plan] = {}
_NO_NAMES: frozenset[str] = frozenset()
ENDS = -1
"""The index of no node: the line ends there."""


class PlannedCall:
    """A component with its arguments and the executor it runs on.

    :ivar arguments: ``None`` where they are filled in by name.
    :ivar at_most_once: whether an attempt that died may not be repeated (``on_crash: fail``).
    """

    __slots__ = ("arguments", "at_most_once", "component", "executor", "grace", "timeout")

    def __init__(
        self, component: Component, arguments: Template | None, executor: str, timeout: float | None, grace: float
    ) -> None:
        self.at_most_once = False
        self.component = component
        self.arguments = arguments
        self.executor = executor
        self.timeout = timeout
        self.grace = grace


class PlannedNode:
    """A node, compiled.

    :ivar next: an index, or :data:`ENDS`.
    :ivar children: ``(name, block index)`` of its nested lines.
    :ivar after: the places of those children that must have ended before one opens, by its place.
    :ivar arguments: what it gives to the flow that it enters.
    :ivar visits: how often a line may visit it, ``None`` for no limit.
    :ivar kept: whether expressions ask for its outcome.
    :ivar exports: the nodes in its nested lines for whose outcomes expressions outside these lines ask.
    :ivar performs: whether its type need not be asked: it always calls.
    :ivar strategies: each with its settings, and with their template where expressions in them are worked out.
    :ivar queue: that of the workers that its call has to run on; ``None``: wherever its line is.
    """

    __slots__ = (
        "after", "arguments", "call", "children", "exports", "handler", "kept", "kind", "next", "node", "performs",
        "queue", "sets", "strategies", "visits",
    )  # fmt: skip

    def __init__(self, node: Node, kind: NodeType) -> None:
        self.node = node
        self.kind = kind
        self.call: PlannedCall | None = None
        self.handler: PlannedCall | None = None
        self.kept = False
        self.exports: set[str] = set()
        self.after: Mapping[int, tuple[int, ...]] = {}
        self.arguments: Template | None = None
        self.visits: int | None = None
        self.performs = False
        self.queue: str | None = None
        self.next = ENDS
        self.sets: tuple[tuple[str, Template, str | None], ...] = ()
        self.strategies: tuple[tuple[Strategy, Any, Template | None], ...] = ()
        self.children: tuple[tuple[str, int], ...] = ()


class PlannedBlock:
    """What one line walks: nodes by index, and where each id is.

    :ivar queue: that of the workers that such lines begin with; ``None``: that of the line which opens them.
    :ivar around: the same of what it says nothing about.
    :ivar needs: the nodes whose outcomes such a line has to know: it, or a line inside, asks for them; or a line beside
        it in a graph does.
    :ivar beside: of these, those in other lines of its graph, each with the place of that line.
    :ivar inside: of these, those in lines that its nodes open, by the node that opens them: its ``exports``.
    :ivar asks: the names of variables for which expressions in it, or in lines inside, ask; of what is in a graph.
    """

    __slots__ = ("around", "asks", "beside", "inside", "needs", "nodes", "places", "queue")

    def __init__(self, nodes: list[PlannedNode], queue: str | None, around: str | None) -> None:
        self.nodes = nodes
        self.queue = queue
        self.around = around
        self.needs: set[str] = set()
        self.beside: dict[str, int] = {}
        self.inside: dict[str, set[str]] = {}
        self.asks: frozenset[str] = _NO_NAMES
        self.places = {planned.node.id: place for place, planned in enumerate(nodes)}

    def place(self, target: str) -> int:
        """Return the index of a node; ``end`` is the line's end unless a node has that id."""
        return ENDS if target == END and END not in self.places else self.places[target]


class Plan:
    """A compiled flow; block 0 is its top line's.

    :ivar kept: nodes whose outcomes expressions ask for.
    :ivar flows: the plans of the flows that it enters, by what its nodes call them.
    """

    __slots__ = ("blocks", "executors", "flow", "flows", "handler", "kept")

    def __init__(self, flow: Flow, flows: Mapping[str, Plan]) -> None:
        self.flow = flow
        self.flows = flows
        self.blocks: list[PlannedBlock] = []
        self.executors: set[str] = set().union(*(plan.executors for plan in flows.values()))
        self.kept: set[str] = set()
        self.handler: PlannedCall | None = None


def compile_plan(flow: Flow, registry: Registry, executor: str | None, flows: Mapping[str, Plan] = _NONE) -> Plan:
    """Compile a valid flow.

    :param executor: what replaces the flow's default executor in this run.
    :param flows: the plans of the flows that it enters, by what its nodes call them.
    :raises PluginError: something that the flow needs is not installed.
    """
    with paused():
        return _Compiler(flow, registry, executor, flows).compile()


class _Compiler:
    def __init__(self, flow: Flow, registry: Registry, executor: str | None, flows: Mapping[str, Plan]) -> None:
        self.flow = flow
        self.registry = registry
        self.executor = executor
        self.plan = Plan(flow, flows)
        self.blocks: list[tuple[Block, str | None, str | None]] = []
        self.passing = Passing()
        self.asking = Asking()

    def compile(self) -> Plan:
        self.blocks.append((self.flow.line, None, home(self.flow, self.executor, self.registry)))
        done = 0
        while done < len(self.blocks):
            self.passing.at = done
            self.plan.blocks.append(self._block(*self.blocks[done]))
            done += 1
        self.passing.at = 0
        if self.flow.on_failure is not None:
            self.plan.handler = self._handler(self.flow.on_failure)
        for planned in self.plan.blocks:
            for item in planned.nodes:
                item.kept = item.node.id in self.plan.kept
        self.passing.work_out(self.plan.blocks)
        self.asking.work_out(self.plan.blocks)
        return self.plan

    def _block(self, block: Block, enclosing: str | None, queue: str | None) -> PlannedBlock:
        nodes = [self._node(node, enclosing, queue) for node in block.nodes]
        planned = PlannedBlock(nodes, entrance(block, queue, self.registry), queue)
        last = len(planned.nodes) - 1
        for place, item in enumerate(planned.nodes):
            if item.node.next is not None:
                item.next = planned.place(item.node.next)
            elif place < last and item.kind.falls_through(item.node.settings):
                item.next = place + 1
        return planned

    def _node(self, node: Node, enclosing: str | None, queue: str | None) -> PlannedNode:
        kind = self.registry.node_type(node.type)
        planned = PlannedNode(node, kind)
        planned.sets = tuple((name, self._template(value), node.types.get(name)) for name, value in node.set.items())
        planned.strategies = tuple(map(self._strategy, node.strategies))
        if "component" in node.settings:
            planned.call = self._call(node, enclosing)
            planned.performs = kind.performs
            planned.queue = queue_of(node.executor, node.queue, queue, self.registry)
        if node.on_failure is not None:
            planned.handler = self._handler(node.on_failure)
        for value, _ in kind.templates(node.settings, ()):
            self._template(value)
        own = node.settings.get("executor")
        below = queue_of(own, node.settings.get("queue"), queue, self.registry)
        children: list[tuple[str, int]] = []
        planned.after = kind.after(node.settings)
        for name, block in kind.blocks(node.settings):
            self.passing.opened(len(self.blocks), planned, len(children))
            self.asking.opened(len(self.blocks), self.passing.at, graph=bool(planned.after))
            children.append((name, len(self.blocks)))
            self.blocks.append((block, own or enclosing, below))
        planned.children = tuple(children)
        planned.visits = kind.visits(node.settings)
        if node.arguments and planned.call is None:
            planned.arguments = self._template(dict(node.arguments))
        return planned

    def _strategy(self, chosen: Chosen) -> tuple[Strategy, Any, Template | None]:
        strategy = self.registry.strategy(chosen.name)
        rendered = strategy.rendered and expressions(chosen.settings)
        return strategy, chosen.settings, self._template(chosen.settings) if rendered else None

    def _template(self, value: Any) -> Template:
        template = compile_template(value)
        for name in template.names:
            if name[0] == "nodes" and len(name) > 1:
                self.plan.kept.add(name[1])
                self.passing.asked(name[1])
            self.asking.asked(self.passing.at, name[0])
        return template

    def _call(self, node: Node, enclosing: str | None) -> PlannedCall:
        component = self.registry.component(node.settings["library"], node.settings["component"])
        executor = resolve(node, enclosing, self.flow.executor, self.executor, component, self.registry)
        self.plan.executors.add(executor)
        grace = node.grace if node.grace is not None else component.grace
        arguments = self._template(dict(node.arguments))
        call = PlannedCall(component, arguments, executor, node.timeout, 5.0 if grace is None else grace)
        call.at_most_once = node.on_crash == "fail"
        return call

    def _handler(self, handler: Handler) -> PlannedCall:
        component = self.registry.component(handler.library, handler.component)
        executor = resolve_handler(handler, self.flow.executor, self.executor, component, self.registry)
        self.plan.executors.add(executor)
        arguments = None if handler.arguments is None else self._template(dict(handler.arguments))
        grace = 5.0 if component.grace is None else component.grace
        return PlannedCall(component, arguments, executor, handler.timeout, grace)
