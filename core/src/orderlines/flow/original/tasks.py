"""The nodes of a document, as a table: every envelope and the canvas come to this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.paths import json_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orderlines.flow.original.report import Report
    from orderlines.paths import Path

TYPES = ("start", "end", "common", "process_control", "parallel", "group", "sub_process")

NODE_HINT = "a node is a mapping with task_id, task_type and next_id"

_SILENT = frozenset(
    {"creator", "desc", "insert_time", "module_version", "task_desc", "ui", "update_time", "updater", "version"}
)
_READ = frozenset({
    "method_kwargs", "method_name", "next_id", "prev_id", "result", "result_config", "task_config", "task_id",
    "task_module", "task_name", "task_type",
})  # fmt: skip


class Task:
    """A node as its file has it.

    ``base`` is the place of the mapping that holds ``fields``; ``places`` holds the places of fields that stand
    elsewhere, and of those that go by another name. ``next`` and ``prev`` are ids, which nobody has checked.
    """

    __slots__ = ("base", "fields", "id", "next", "path", "places", "prev", "type")

    def __init__(self, task_id: str, task_type: str, path: Path, base: Path, fields: Mapping[str, Any]) -> None:
        self.id = task_id
        self.type = task_type
        self.path = path
        self.base = base
        self.fields = fields
        self.places: Mapping[str, Path] = {}
        self.next: str | None = None
        self.prev: tuple[str, ...] = ()

    def at(self, field: str) -> Path:
        """Return the place of a field."""
        return self.places.get(field) or (*self.base, field)

    def kwargs(self, report: Report) -> Mapping[str, Any]:
        """Return ``method_kwargs``; null is ``{}``."""
        return mapping(self.fields.get("method_kwargs"), self.at("method_kwargs"), report)

    def config(self, report: Report) -> Mapping[str, Any]:
        """Return ``task_config``; null is ``{}``."""
        return mapping(self.fields.get("task_config"), self.at("task_config"), report)

    def unread(self, report: Report) -> dict[str, Any]:
        """Return the fields that mean nothing here, and warn about those that nobody knows."""
        kept = {}
        for key, value in self.fields.items():
            if key in _READ:
                continue
            if key not in _SILENT:
                unknown_field(key, f"node {self.id}", self.at(str(key)), report)
            if value is not None:
                kept[str(key)] = value
        return kept


def unknown_field(key: object, owner: str, path: Path, report: Report) -> None:
    """Warn about a field that nobody knows."""
    report.problem(path, f"the field {key!r} of {owner} is unknown, and ignored", warning=True)


def mapping(value: object, path: Path, report: Report) -> Mapping[str, Any]:
    """Return a mapping; null is an empty one, and so is what is reported."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    report.problem(path, f"this must be a mapping, not {kind(value)}", "write {NAME: VALUE}")
    return {}


def entry(value: object, path: Path, report: Report) -> Mapping[str, Any] | None:
    """Return a mapping out of a list, where null is none either; ``None`` for what is reported."""
    if isinstance(value, dict):
        return value
    report.problem(path, f"this must be a mapping, not {kind(value)}", "write {NAME: VALUE}")
    return None


def time_limit(value: object, path: Path, report: Report) -> object:
    """Return a timeout for the native reader; ``None`` for 0, which meant none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == 0:
        report.problem(path, "a timeout of 0 is taken for none", "leave it out", warning=True)
        return None
    return value


def sequence(value: object, path: Path, report: Report) -> list[Any]:
    """Return a list; null is an empty one, and so is what is reported."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    report.problem(path, f"this must be a list, not {kind(value)}", "write [VALUE, VALUE]")
    return []


def identifier(value: object) -> str | None:
    """Return an id, an integer or a text, as text; ``None`` where it is neither or empty."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def kind(value: object) -> str:
    """Name a JSON value's type as users know it."""
    for types, name in _KINDS:
        if isinstance(value, types):
            return name
    return type(value).__name__


def table(tasks: Iterable[Task], report: Report) -> dict[str, Task]:
    """Return the tasks by id; an id that is used twice is reported at its second place and means its first."""
    by_id: dict[str, Task] = {}
    for task in tasks:
        first = by_id.setdefault(task.id, task)
        if first is not task:
            reason = f"the id {task.id} is used twice: here and at {json_path(first.at('task_id'))}"
            report.problem(task.at("task_id"), reason, "give each node an id of its own")
    return by_id


def read_node(raw: object, path: Path, report: Report) -> Task | None:
    """Read a node of a linked list; ``None`` when it is none."""
    if not isinstance(raw, dict):
        report.problem(path, f"a node must be a mapping, not {kind(raw)}", NODE_HINT)
        return None
    task_id = identifier(raw.get("task_id"))
    if task_id is None:
        reason = "a node needs a task_id: a text or an integer"
        report.problem((*path, "task_id") if "task_id" in raw else path, reason, "such as task_id: 1001")
        return None
    task = Task(task_id, read_type(raw.get("task_type"), task_id, (*path, "task_type"), report), path, path, raw)
    task.next = _next(raw.get("next_id"), task, report)
    task.prev = _prev(raw.get("prev_id"), task, report)
    return task


def read_type(value: object, task_id: str, path: Path, report: Report) -> str:
    """Return a node's type, or an empty text for what is none."""
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in TYPES:
        return word
    named = repr(value) if isinstance(value, str) else "null" if value is None else kind(value)
    report.problem(path, f"the type {named} of node {task_id} is unknown", "a node is one of " + ", ".join(TYPES))
    return ""


def _next(value: object, task: Task, report: Report) -> str | None:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value in (None, "", []):
        return None
    found = identifier(value)
    if found is None:
        several = isinstance(value, list) and len(value) > 1
        hint = (
            "several nodes at once are a parallel node's parallel_task_ids"
            if several
            else "name one node, or null where the line ends"
        )
        report.problem(task.at("next_id"), f"next_id of {task.id} must be one node's id, not {kind(value)}", hint)
    return found


def _prev(value: object, task: Task, report: Report) -> tuple[str, ...]:
    if value is None:
        return ()
    values = value if isinstance(value, list) else [value]
    found = []
    for each in values:
        named = identifier(each)
        if named is not None:
            found.append(named)
        elif each not in (None, ""):
            report.problem(task.at("prev_id"), f"prev_id of {task.id} is no node's id", warning=True)
    return tuple(found)


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "a mapping"),
    (type(None), "null"),
)
