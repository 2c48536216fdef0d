"""Everything that can be known to be wrong with a flow before it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.errors import ExpressionError
from orderlines.flow.calls import CallChecker
from orderlines.flow.placement import DEFAULT
from orderlines.flow.references import References, texts
from orderlines.flow.scope import Scope
from orderlines.flow.survey import Survey

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from orderlines.flow.model import Block, Flow, Node
    from orderlines.flow.report import Report
    from orderlines.nodes.base import NodeType
    from orderlines.paths import Path
    from orderlines.plugins import Registry

    Spot = tuple[Any, int]

_NOTHING: frozenset[str] = frozenset()
_RESULT = frozenset({"result"})
_ERROR = frozenset({"error"})
_PYTHON: dict[str, tuple[type, ...]] = {
    "int": (int,), "str": (str,), "float": (float, int), "bool": (bool,), "dict": (dict,), "list": (list,),
}  # fmt: skip


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
        self._routes = {id(route.block): route for route in self._survey.routes}

    def check(self) -> None:
        flow = self._flow
        for name, word in flow.types.items():
            if name in flow.vars and not _fits(flow.vars[name], word):
                self._report.problem(("vars", name), f"the variable {name!r} is declared to be of type {word}")
        if flow.on_failure is not None:
            self._calls.handler(flow.on_failure, placeable=self._placeable)
            self._names(flow.on_failure.arguments, (*flow.on_failure.path, "with"), None, _ERROR)
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
            self._called(node, kind, enclosing, inside)
            nested = kind.blocks(node.settings)
            if nested:
                below = self._opened(node, kind, nested, enclosing, given)
                inside.assigned.update(below.assigned)
                inside.executors.extend(below.executors)
            for name in node.set:
                inside.assigned[name] = (*node.path, "set", name)
        return inside

    def _called(self, node: Node, kind: NodeType, enclosing: str | None, inside: _Inside) -> None:
        if node.on_failure is not None:
            self._calls.handler(node.on_failure, placeable=self._placeable)
        if "component" not in node.settings:
            if node.executor is not None:
                self._calls.executor(node.executor, (*node.path, "executor"))
            return
        path = (*node.path, kind.key)
        component = self._calls.node(node, (node.settings["library"], node.settings["component"]), path)
        own = node.executor or enclosing
        if component is not None and (own is not None or self._placeable):
            inside.executors.append(self._calls.place(node, enclosing, component, path))

    def _opened(self, node: Node, kind: NodeType, nested: Any, enclosing: str | None, given: frozenset[str]) -> _Inside:
        path = (*node.path, kind.key)
        executor = node.settings.get("executor")
        if executor is not None and not self._calls.executor(executor, (*path, "executor")):
            executor = None
        seen = _Inside({}, [])
        names = given.union(kind.names(node.settings))
        busy = 0
        for _, block in nested:
            below = self._block(block, executor or enclosing, names)
            busy += bool(below.executors)
            for name in below.assigned.keys() & seen.assigned.keys():
                reason = f"two lines of {node.id!r} set the variable {name!r}; the one listed last wins"
                self._report.key_problem(below.assigned[name], reason, "give them different names", warning=True)
            seen.assigned.update(below.assigned)
            seen.executors.extend(below.executors)
        if busy > 1 and set(seen.executors) == {DEFAULT}:
            reason = f"the lines of {node.id!r} run one after the other: the inline executor makes one call at a time"
            self._report.key_problem(path, reason, "executor: gevent or process runs them at once", warning=True)
        return seen

    def _expressions(self, node: Node, kind: NodeType | None, spot: Spot, given: frozenset[str]) -> None:
        if node.arguments:
            self._names(node.arguments, (*node.path, "with"), spot, given)
        if kind is not None:
            for value, path in kind.templates(node.settings, (*node.path, kind.key)):
                self._names(value, path, spot, given)
        if node.set:
            self._names(node.set, (*node.path, "set"), spot, given | _RESULT, left=True)
            for name in node.types:
                if name not in node.set and not self._flow.lenient:
                    reason = f"the node does not set the variable {name!r}"
                    self._report.key_problem((*node.path, "types", name), reason, "name it under `set`")
        if node.on_failure is not None:
            path = (*node.on_failure.path, "with")
            self._names(node.on_failure.arguments, path, spot, given | _ERROR, left=True)

    def _names(
        self,
        value: Mapping[str, Any] | Any,
        path: Path,
        spot: Spot | None,
        given: Collection[str],
        *,
        left: bool = False,
    ) -> None:
        for text, place in texts(value, path):
            try:
                needed = self._references.of(text).needed
            except ExpressionError:
                continue  # reported when it was read
            for reference in needed:
                wrong = self._scope.wrong(reference, spot, given, left=left)
                if wrong is not None:
                    self._report.problem(place, wrong, self._scope.hint(reference, given))


def _fits(value: Any, word: str) -> bool:
    return word not in _PYTHON or (isinstance(value, _PYTHON[word]) and (word == "bool" or not isinstance(value, bool)))
