"""Everything that can be known to be wrong with a flow before it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.errors import ExpressionError
from orderlines.flow.calls import CallChecker
from orderlines.flow.fitting import fits
from orderlines.flow.lookalikes import tell_lookalikes
from orderlines.flow.naming import RESERVED
from orderlines.flow.ordering import clash, in_turn, merging_order
from orderlines.flow.placement import DEFAULT
from orderlines.flow.references import References, expressions, texts
from orderlines.flow.scope import Scope
from orderlines.flow.survey import Survey

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from orderlines.flow.model import Block, Flow, Node
    from orderlines.flow.report import Report
    from orderlines.nodes.base import NodeType
    from orderlines.paths import Path
    from orderlines.plugins import Registry

    Spot = tuple[Any, int]

_NOTHING: frozenset[str] = frozenset()
_RESULT = frozenset({"result"})
_ERROR = frozenset({"error"})
_NODES = frozenset({("nodes",)})


def validate(
    flow: Flow, registry: Registry, report: Report, executor: str | None = None, references: References | None = None
) -> None:
    """Report everything that is wrong with a flow that could be read.

    :param executor: what replaces the flow's default executor in the run.
    :param references: what was compiled when the flow was read.
    """
    _Validation(flow, registry, report, executor, references or References()).check()


class _Inside(NamedTuple):
    """What the lines below a node assign (variable and place), and the executors that their calls run on."""

    assigned: dict[str, Path]
    executors: list[str | None]


class _Validation:
    def __init__(
        self, flow: Flow, registry: Registry, report: Report, executor: str | None, references: References
    ) -> None:
        self._flow = flow
        self._report = report
        self._references = references
        self._survey = Survey(flow, registry, report)
        self._scope = Scope(flow, self._survey)
        self._calls = CallChecker(flow, registry, report, executor)
        self._placeable = self._calls.defaults()
        self._unsure: set[str] = set()
        self._routes = {id(route.block): route for route in self._survey.routes}

    def check(self) -> None:
        flow = self._flow
        tell_lookalikes(flow, self._survey, self._report)
        for name, value in flow.vars.items() if not flow.lenient else ():
            for _, place in texts(value, ("vars", name)):
                reason = "this stays the text that it is: expressions are not worked out in `vars`"
                self._report.problem(place, reason, "let a node `set` the variable, if it is one", warning=True)
        for name, word in flow.types.items():
            if name in flow.vars and not fits(flow.vars[name], word):
                reason = f"the variable {name!r} is declared to be of type {word}"
                self._report.problem(("vars", name), reason, "change its value, or what stands under `types`")
        if flow.on_failure is not None:
            self._calls.handler(flow.on_failure, placeable=self._placeable)
            self._names(flow.on_failure.arguments, flow.on_failure.path, "with", None, _ERROR)
        self._block(flow.line, None, _NOTHING)

    def _block(self, block: Block, enclosing: str | None, given: frozenset[str]) -> _Inside:
        inside = _Inside({}, [])
        route = self._routes[id(block)]
        for position, node in enumerate(block.nodes):
            kind = self._survey.kind(node)
            spot = (route, position)
            self._expressions(node, kind, spot, given)
            if kind is None:
                continue
            self._called(node, kind, enclosing, inside, first=route.outer is None)
            nested = kind.blocks(node.settings)
            if nested:
                below = self._opened(node, kind, nested, enclosing, given)
                inside.assigned.update(below.assigned)
                inside.executors.extend(below.executors)
            for name in node.set:
                inside.assigned[name] = (*node.path, "set", name)
        return inside

    def _called(self, node: Node, kind: NodeType, enclosing: str | None, inside: _Inside, *, first: bool) -> None:
        if node.on_failure is not None:
            self._calls.handler(node.on_failure, placeable=self._placeable)
            if first and self._flow.on_failure is not None and not self._flow.lenient:
                reason = f"where {node.id!r} fails the run, this is called, and the flow's own `on_failure` is not"
                hint = "leave out one of them, or let this one do what the flow's would"
                self._report.problem(node.on_failure.path, reason, hint, warning=True)
        if "component" not in node.settings:
            if node.arguments:
                self._calls.entered(node, kind.flows(node.settings))
            if node.executor is not None:
                self._calls.executor(node.executor, (*node.path, "executor"))
            return
        component = self._calls.node(node, kind.key)
        if node.queue is not None:
            self._calls.queue((*node.path, "queue"))
        own = node.executor or enclosing
        if component is not None and (own is not None or self._placeable):
            inside.executors.append(self._calls.place(node, enclosing, component, kind.key))

    def _opened(self, node: Node, kind: NodeType, nested: Any, enclosing: str | None, given: frozenset[str]) -> _Inside:
        path = (*node.path, kind.key)
        executor = node.settings.get("executor")
        if executor is not None and not self._calls.executor(executor, (*path, "executor")):
            executor = None
        if node.settings.get("queue") is not None:
            self._calls.queue((*path, "queue"))
        seen = _Inside({}, [])
        names = given.union(self._hiding(node, kind))
        own = kind.names(node.settings)
        after = kind.after(node.settings)
        setters: dict[str, dict[int, Path]] = {}
        busy: list[int] = []
        for place, (_, block) in enumerate(nested):
            below = self._block(block, executor or enclosing, names)
            if below.executors:
                busy.append(place)
            for name in below.assigned.keys() & own:
                reason = f"in the lines of {node.id!r}, {name!r} is the item, until this is set in its place"
                self._report.key_problem(below.assigned[name], reason, "set a variable of another name", warning=True)
            for name, where in below.assigned.items():
                setters.setdefault(name, {})[place] = where
            seen.assigned.update(below.assigned)
            seen.executors.extend(below.executors)
        if set(seen.executors) == {DEFAULT} and not self._spread(node) and not in_turn(after, busy):
            reason = f"the lines of {node.id!r} run one after the other: the inline executor makes one call at a time"
            self._report.key_problem(path, reason, "executor: gevent or process runs them at once", warning=True)
        self._tell_clashes(node, after, [name for name, _ in nested], setters)
        return seen

    def _tell_clashes(
        self,
        node: Node,
        after: Mapping[int, tuple[int, ...]],
        lines: Sequence[str],
        setters: Mapping[str, Mapping[int, Path]],
    ) -> None:
        """Warn of variables that several lines of a node set, in no order that the flow gives."""
        shared = {name: places for name, places in setters.items() if len(places) > 1}
        if not shared:
            return
        ranks = {place: rank for rank, place in enumerate(merging_order(after, len(lines)))}
        for name, places in shared.items():
            found = clash(after, places, ranks)
            if found is not None:
                last = lines[max(places, key=ranks.__getitem__)]
                reason = (
                    f"lines of {node.id!r} that may end in any order set the variable {name!r}; that of {last!r} wins"
                )
                self._report.key_problem(places[max(found)], reason, "give them different names", warning=True)

    def _spread(self, node: Node) -> bool:
        """Return whether the lines of a node may be on several workers, each of which makes a call at a time."""
        return self._calls.on_workers(node.settings.get("executor"), node.settings.get("queue"))

    def _hiding(self, node: Node, kind: NodeType) -> Collection[str]:
        """Return the names that only the lines of a node see; warn where one hides a variable."""
        names = kind.names(node.settings)
        for name in names:
            if name not in RESERVED and (name in self._flow.vars or name in self._flow.types):
                reason = f"inside the lines of {node.id!r}, {name!r} is not the variable of that name"
                self._report.problem(node.path, reason, "give one of them another name", warning=True)
        return names

    def _expressions(self, node: Node, kind: NodeType | None, spot: Spot, given: frozenset[str]) -> None:
        if node.arguments:
            self._names(node.arguments, node.path, "with", spot, given)
        if kind is not None:
            for value, path in kind.templates(node.settings, (*node.path, kind.key)):
                self._names(value, path[:-1], path[-1], spot, given)
        if node.set:
            self._names(node.set, node.path, "set", spot, given | _RESULT, left=True)
        for name in node.types:
            if name not in node.set and not self._flow.lenient:
                reason = f"the node does not set the variable {name!r}"
                self._report.key_problem((*node.path, "types", name), reason, "name it under `set`")
        for chosen in node.strategies:
            if self._survey.strategy(chosen).rendered:
                self._names(chosen.settings, (*node.path, "on_error"), chosen.name, spot, given | _ERROR, left=True)
        if node.on_failure is not None:
            self._names(node.on_failure.arguments, node.on_failure.path, "with", spot, given | _ERROR, left=True)

    def _names(
        self,
        value: Mapping[str, Any] | Any,
        path: Path,
        key: str | int,
        spot: Spot | None,
        given: Collection[str],
        *,
        left: bool = False,
    ) -> None:
        for text in expressions(value):
            for reference in self._needed(text):
                if self._scope.wrong(reference, spot, given, left=left) is not None:
                    self._tell(value, (*path, key), spot, given, left=left)
                    return
                setter = self._scope.unsure(reference, given)
                if setter is not None and reference[0] not in self._unsure:
                    self._unsure.add(reference[0])
                    reason = f"the variable {reference[0]!r} is not set where {setter!r} is skipped"
                    hint = "declare it under `vars`, with what it is then, or write default(NAME, VALUE)"
                    self._report.problem((*path, key), reason, hint, warning=True)

    def _tell(self, value: Any, path: Path, spot: Spot | None, given: Collection[str], *, left: bool) -> None:
        for text, place in texts(value, path):
            for reference in self._needed(text):
                wrong = self._scope.wrong(reference, spot, given, left=left)
                if wrong is not None:
                    self._report.problem(place, wrong, self._scope.hint(reference, given))

    def _needed(self, text: str) -> Collection[tuple[str, ...]]:
        try:
            referred = self._references.of(text)
            # Not even a default is what is meant where nobody knows whose outcome has to be kept.
            return referred.needed | (referred.names & _NODES)
        except ExpressionError:
            return ()  # reported when it was read
