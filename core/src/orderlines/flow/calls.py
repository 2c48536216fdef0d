"""Checks what a flow calls: the component, its arguments, and the executor that the call would run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import PluginError
from orderlines.flow.field_reading import PLUGINS, UNREAD
from orderlines.flow.fitting import fits
from orderlines.flow.naming import did_you_mean
from orderlines.flow.placement import PlacementError, check_queue, home, queue_of, resolve, resolve_handler
from orderlines.flow.references import expressions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from orderlines.components.base import Component
    from orderlines.flow.model import Flow, Handler, Node
    from orderlines.flow.report import Report
    from orderlines.paths import Path
    from orderlines.plugins import Registry

LIBRARIES: Final = "orderlines components lists them, orderlines plugins shows what could not be loaded"


class CallChecker:
    """Checks the calls of one flow.

    :param executor: what replaces the flow's default executor in the run.
    """

    def __init__(self, flow: Flow, registry: Registry, report: Report, executor: str | None) -> None:
        self._flow = flow
        self._registry = registry
        self._report = report
        self._executor = executor
        self._components: dict[tuple[str, str], Component | PluginError] = {}
        self._good_names: set[tuple[Component, tuple[str, ...]]] = set()
        self._placed: dict[tuple[str | None, str | None, bool, Component], str] = {}

    def executor(self, name: str, path: Path) -> bool:
        """Report an executor that is not there; return whether it is."""
        try:
            self._registry.executor(name)
        except PluginError as error:
            self._report.problem(path, str(error), PLUGINS)
            return False
        return True

    def queue(self, path: Path) -> None:
        """Report a queue that nobody can serve."""
        try:
            check_queue(self._registry)
        except PlacementError as error:
            self._report.problem(path, error.reason, error.hint)

    def on_workers(self, executor: str | None, queue: str | None) -> bool:
        """Return whether lines are for workers whose opener says this of its executor and its queue."""
        try:
            around = home(self._flow, self._executor, self._registry)
            return queue_of(executor, queue, around, self._registry) is not None
        except PluginError:  # It is reported where it is named.
            return False

    def defaults(self) -> bool:
        """Check the flow's default executor and the run's; return whether calls can be placed by default."""
        known = self._flow.executor is None or self.executor(self._flow.executor, ("executor",))
        return (self._executor is None or self.executor(self._executor, ("executor",))) and known

    def node(self, node: Node, key: str) -> Component | None:
        """Check what a node calls, and with what; ``key`` is where the component is named."""
        component = self._component((node.settings["library"], node.settings["component"]), node.path, key)
        if component is not None and node.arguments is not UNREAD:
            self._names(component, node.arguments, node.path, "with" if node.arguments else key)
            self._values(component, node.arguments, node.path)
        return component

    def entered(self, node: Node, names: Collection[str]) -> None:
        """Check the variables that a node gives to the flows that it enters, as far as these are at hand."""
        for flow in (self._flow.flows[name] for name in names if name in self._flow.flows):
            known = {*flow.vars, *flow.types}
            for name, value in node.arguments.items():
                path = (*node.path, "with", name)
                if name not in known:
                    hint = did_you_mean(name, known) if known else "declare it there under `vars`"
                    self._report.key_problem(path, f"the flow {flow.name!r} has no variable {name!r}", hint)
                elif name in flow.types and not expressions(value) and not fits(value, flow.types[name]):
                    reason = f"the variable {name!r} of the flow {flow.name!r} is declared {flow.types[name]}"
                    hint = "change its value, or what stands there under `types`"
                    self._report.problem(path, reason, hint, warning=self._flow.lenient)

    def handler(self, handler: Handler, *, placeable: bool) -> None:
        """Check the call of an ``on_failure``."""
        component = self._component((handler.library, handler.component), handler.path, "call")
        if component is None:
            return
        if handler.arguments is not None and handler.arguments is not UNREAD:
            self._names(component, handler.arguments, handler.path, "with" if handler.arguments else "call")
            self._values(component, handler.arguments, handler.path)
        if placeable:
            try:
                resolve_handler(handler, self._flow.executor, self._executor, component, self._registry)
            except PlacementError as error:
                self._report.problem((*handler.path, error.key), error.reason, error.hint)

    def place(self, node: Node, enclosing: str | None, component: Component, key: str) -> str | None:
        """Return the executor that a node's call would run on; report why there is none."""
        case = (node.executor, enclosing, node.timeout is None, component)
        placed = self._placed.get(case)
        if placed is not None:
            return placed
        try:
            placed = resolve(node, enclosing, self._flow.executor, self._executor, component, self._registry)
        except PlacementError as error:
            self._report.problem((*node.path, error.key), error.reason, error.hint)
        except PluginError as error:
            self._report.problem((*node.path, "executor" if node.executor else key), str(error), PLUGINS)
        else:
            self._placed[case] = placed
            return placed
        return None

    def _component(self, called: tuple[str, str], path: Path, key: str) -> Component | None:
        found = self._components.get(called)
        if found is None:
            try:
                found = self._registry.component(*called)
            except PluginError as error:
                found = error
            self._components[called] = found
        if isinstance(found, PluginError):
            if all(called):  # an empty part was reported when it was read
                self._report.problem((*path, key), str(found), LIBRARIES)
            return None
        return found

    # Places are put together only where something is wrong: a flow may have 100,000 calls.

    def _names(self, component: Component, arguments: Mapping[str, Any], path: Path, key: str) -> None:
        case = (component, tuple(arguments))
        if case in self._good_names:
            return
        if component.check_names(arguments):
            self._tell_names(component, arguments, (*path, key))
        else:
            self._good_names.add(case)

    def _tell_names(self, component: Component, arguments: Mapping[str, Any], path: Path) -> None:
        needed = [parameter.name for parameter in component.parameters if parameter.required]
        taken = []
        hint = f"orderlines components {component.library}.{component.name} shows its arguments"
        for name in arguments:
            wrong = component.check_names([*needed, name])
            if wrong:
                self._report.key_problem((*path, name), wrong[0], hint)
            else:
                taken.append(name)
        for reason in component.check_names(taken):
            self._report.key_problem(path, f"{component.library}.{component.name}: {reason}", hint)

    def _values(self, component: Component, arguments: Mapping[str, Any], path: Path) -> None:
        for name, value in arguments.items():
            if not expressions(value):
                wrong = component.check_value(name, value)
                if wrong is not None:
                    reason = f"the argument {name!r} does not fit: {wrong}"
                    hint = f"orderlines components {component.library}.{component.name} shows what it takes"
                    self._report.problem((*path, "with", name), reason, hint, warning=self._flow.lenient)
