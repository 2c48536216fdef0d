"""Checks what a flow calls: the component, its arguments, and the executor that the call would run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.errors import PluginError
from orderlines.flow.placement import PlacementError, resolve, resolve_handler
from orderlines.flow.references import texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.components.base import Component
    from orderlines.flow.model import Flow, Handler, Node
    from orderlines.flow.report import Report
    from orderlines.paths import Path
    from orderlines.plugins import Registry


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
            self._report.problem(path, str(error))
            return False
        return True

    def defaults(self) -> bool:
        """Check the flow's default executor and the run's; return whether calls can be placed by default."""
        known = self._flow.executor is None or self.executor(self._flow.executor, ("executor",))
        return (self._executor is None or self.executor(self._executor, ("executor",))) and known

    def node(self, node: Node, called: tuple[str, str], path: Path) -> Component | None:
        """Check what a node calls, and with what; ``path`` is where the component is named."""
        component = self._component(called, path)
        if component is not None:
            self._names(component, node.arguments, (*node.path, "with") if node.arguments else path)
            self._values(component, node.arguments, (*node.path, "with"))
        return component

    def handler(self, handler: Handler, *, placeable: bool) -> None:
        """Check the call of an ``on_failure``."""
        component = self._component((handler.library, handler.component), (*handler.path, "call"))
        if component is None:
            return
        if handler.arguments is not None:
            place = (*handler.path, "with")
            self._names(component, handler.arguments, place if handler.arguments else handler.path)
            self._values(component, handler.arguments, place)
        if placeable:
            try:
                resolve_handler(handler, self._flow.executor, self._executor, component, self._registry)
            except PlacementError as error:
                self._report.problem((*handler.path, "timeout"), error.reason, error.hint)

    def place(self, node: Node, enclosing: str | None, component: Component, path: Path) -> str | None:
        """Return the executor that a node's call would run on; report why there is none."""
        case = (node.executor, enclosing, node.timeout is None, component)
        placed = self._placed.get(case)
        if placed is not None:
            return placed
        try:
            placed = resolve(node, enclosing, self._flow.executor, self._executor, component, self._registry)
        except PlacementError as error:
            key = "timeout" if node.timeout is not None else "executor"
            self._report.problem((*node.path, key), error.reason, error.hint)
        except PluginError as error:
            self._report.problem((*node.path, "executor") if node.executor else path, str(error))
        else:
            self._placed[case] = placed
            return placed
        return None

    def _component(self, called: tuple[str, str], path: Path) -> Component | None:
        found = self._components.get(called)
        if found is None:
            try:
                found = self._registry.component(*called)
            except PluginError as error:
                found = error
            self._components[called] = found
        if isinstance(found, PluginError):
            if all(called):  # an empty part was reported when it was read
                self._report.problem(path, str(found))
            return None
        return found

    def _names(self, component: Component, arguments: Mapping[str, Any], path: Path) -> None:
        case = (component, tuple(arguments))
        if case in self._good_names:
            return
        if not component.check_names(arguments):
            self._good_names.add(case)
            return
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
            if not texts(value, path):
                wrong = component.check_value(name, value)
                if wrong is not None:
                    reason = f"the argument {name!r} does not fit: {wrong}"
                    self._report.problem((*path, name), reason, warning=self._flow.lenient)
