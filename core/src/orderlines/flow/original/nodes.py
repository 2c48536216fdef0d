"""A task as a native node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.flow.original.envelopes import native_name
from orderlines.flow.original.results import assignments
from orderlines.flow.original.settings import node_settings, parallel_settings
from orderlines.flow.original.tasks import identifier, kind, unknown_field
from orderlines.states import END

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from orderlines.flow.original.gateways import Case
    from orderlines.flow.original.source import Source
    from orderlines.flow.original.tasks import Task
    from orderlines.paths import Path

_MODULES = {"Start": "BuiltIn", "End": "BuiltIn", "AddTest": "Test", "SubtractionTest": "Test"}
"""What the libraries of the earliest files are called now."""

_FLOW_KEYS = ("process_id", "process_name", "sub_process_id")


class NodeWriter:
    """Writes native nodes, and notes where each of their fields came from."""

    def __init__(
        self,
        source: Source,
        cases: Mapping[str, Sequence[Case]],
        exits: AbstractSet[tuple[str, str]],
        origins: dict[Path, Path],
    ) -> None:
        self._source = source
        self._report = source.report
        self._cases = cases
        self._exits = exits
        self._origins = origins

    def write(self, task: Task, path: Path) -> dict[str, Any]:
        """Return the native node for a task, to stand at ``path``; what it opens is left empty."""
        self._origins[path] = task.path
        node: dict[str, Any] = {}
        self._put(node, path, "id", task.id, task.at("task_id"))
        name = task.fields.get("task_name")
        if isinstance(name, str | int) and not isinstance(name, bool) and name != "":
            self._put(node, path, "name", str(name), task.at("task_name"))
        elif name not in (None, ""):
            self._report.problem(
                task.at("task_name"),
                f"task_name of node {task.id} must be a text, not {kind(name)}",
                "quote it, or leave it out",
            )
        getattr(self, f"_{task.type or 'start'}")(
            task, node, path
        )  # what has no type is refused, and must only be short
        self._add_settings(task, node, path)
        if extra := task.unread(self._report):
            self._put(node, path, "extra", extra, task.base)
        return node

    def _put(self, node: dict[str, Any], path: Path, key: str, value: object, origin: Path) -> None:
        node[key] = value
        self._origins[(*path, key)] = origin

    def _add_settings(self, task: Task, node: dict[str, Any], path: Path) -> None:
        place = task.at("task_config")
        for key, (value, config_key) in node_settings(task, task.config(self._report), self._report).items():
            self._put(node, path, key, value, (*place, config_key))
            if key == "retry":
                self._origins[(*path, key, "times")] = (*place, "retry_time")
                self._origins[(*path, key, "delay")] = (*place, "sleep_time")
            if key == "on_failure":
                self._origins[(*path, key, "call")] = (*place, config_key)

    def _start(self, task: Task, node: dict[str, Any], path: Path) -> None:
        self._put(node, path, "start", {}, task.at("task_type"))
        self._no_results(task)

    def _end(self, task: Task, node: dict[str, Any], path: Path) -> None:
        self._put(node, path, "end", {}, task.at("task_type"))
        self._no_results(task)

    def _common(self, task: Task, node: dict[str, Any], path: Path) -> None:
        module, method = self._word(task, "task_module"), self._word(task, "method_name")
        if module and method:
            self._put(node, path, "call", f"{_MODULES.get(module, module)}.{method}", task.at("method_name"))
        kwargs = task.fields.get("method_kwargs")
        if kwargs is None or isinstance(kwargs, dict):
            self._add_arguments(task, node, path, kwargs or {})
        else:
            # The native reader says what is wrong, and misses no argument; it is given nothing to read in it.
            self._put(node, path, "with", type(kwargs)(), task.at("method_kwargs"))
        self._add_results(task, node, path)

    def _word(self, task: Task, field: str) -> str | None:
        word = task.fields.get(field)
        if isinstance(word, str) and word:
            return word
        found = "an empty text" if word == "" else kind(word)
        self._report.problem(
            task.at(field),
            f"{field} of node {task.id} must be a text, not {found}",
            "task_module and method_name name a component",
        )
        return None

    def _add_arguments(self, task: Task, node: dict[str, Any], path: Path, kwargs: Mapping[str, Any]) -> None:
        if kwargs:
            place = task.at("method_kwargs")
            self._put(node, path, "with", self._source.template(dict(kwargs), task, place), place)

    def _add_results(self, task: Task, node: dict[str, Any], path: Path) -> None:
        values: dict[str, Any] = {}
        types: dict[str, str] = {}
        for name, template, variable_type, place in assignments(task, self._source):
            if name in values:
                reason = f"node {task.id} assigns the variable {name!r} twice; the last one counts"
                self._report.problem(place, reason, warning=True)
            self._put(values, (*path, "set"), name, template, place)
            if variable_type:
                self._put(types, (*path, "types"), name, variable_type, (*place[:-1], "variable_type"))
        for key, found in (("set", values), ("types", types)):
            if found:
                self._put(node, path, key, found, task.at("result" if task.fields.get("result") else "result_config"))

    def _process_control(self, task: Task, node: dict[str, Any], path: Path) -> None:
        cases: list[dict[str, Any]] = []
        for i, case in enumerate(self._cases[task.id]):
            when = f"${{{case.when}}}" if isinstance(case.when, str) else case.when
            target = END if (task.id, case.target.id) in self._exits else case.target.id
            cases.append({"else": target} if when is None else {"when": when, "goto": target})
            self._origins[(*path, "switch", i)] = case.path
            self._origins[(*path, "switch", i, "when")] = case.when_path
            for key in ("goto", "else"):
                self._origins[(*path, "switch", i, key)] = case.path
        self._put(node, path, "switch", cases, task.at("method_kwargs"))
        self._no_results(task)

    def _parallel(self, task: Task, node: dict[str, Any], path: Path) -> None:
        inner: dict[str, Any] = {"lines": {}}
        place, inside = task.at("task_config"), (*path, "parallel")
        self._put(node, path, "parallel", inner, task.at("method_kwargs"))
        self._origins[(*inside, "lines")] = task.at("method_kwargs")
        for key, (value, config_key) in parallel_settings(task, task.config(self._report), self._report).items():
            self._put(inner, inside, key, value, (*place, config_key))
        self._no_results(task)

    def _group(self, task: Task, node: dict[str, Any], path: Path) -> None:
        self._put(node, path, "group", [], task.at("method_kwargs"))
        self._no_results(task)

    def _sub_process(self, task: Task, node: dict[str, Any], path: Path) -> None:
        kwargs, place = task.kwargs(self._report), task.at("method_kwargs")
        key = next((key for key in _FLOW_KEYS if identifier(kwargs.get(key)) is not None), None)
        if key is None:
            hint = "method_kwargs names it as process_name or process_id"
            self._report.problem(place, f"node {task.id} does not name the process that it starts", hint)
            return
        self._put(node, path, "flow", native_name(str(kwargs[key])), (*place, key))
        others = {name: value for name, value in kwargs.items() if name not in _FLOW_KEYS}
        self._add_arguments(task, node, path, others)
        self._add_results(task, node, path)

    def _no_results(self, task: Task) -> None:
        if not task.type:
            return
        for field in ("result", "result_config"):
            if task.fields.get(field):
                reason = f"{field} has no effect on node {task.id}, which is {task.type}"
                self._report.problem(task.at(field), reason, warning=True)


def check_members(task: Task, keys: Sequence[str], source: Source) -> list[tuple[Task, Path]]:
    """Return the nodes that a parallel or group node names, each with its place."""
    kwargs, place = task.kwargs(source.report), task.at("method_kwargs")
    for key in kwargs:
        if key not in keys:
            unknown_field(key, f"node {task.id}", (*place, str(key)), source.report)
    key = next((key for key in keys if key in kwargs), keys[0])
    value = kwargs.get(key)
    if not isinstance(value, list) or not value:
        found = "an empty list" if value == [] else kind(value)
        reason = f"{key} of node {task.id} must be a list of nodes' ids, not {found}"
        source.report.problem((*place, key), reason, "write [ID, ID]")
        return []
    named = ((source.known(each, task, (*place, key, i)), (*place, key, i)) for i, each in enumerate(value))
    return [(member, path) for member, path in named if member]
