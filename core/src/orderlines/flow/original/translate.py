"""The original notation as a native document."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from orderlines.flow.original.envelopes import open_envelope
from orderlines.flow.original.gateways import read_gateway
from orderlines.flow.original.lines import Weaver
from orderlines.flow.original.names import Names
from orderlines.flow.original.nodes import NodeWriter, check_members
from orderlines.flow.original.report import Translation
from orderlines.flow.original.source import Source
from orderlines.flow.original.tasks import table
from orderlines.flow.original.variables import declared
from orderlines.states import END

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from orderlines.flow.original.envelopes import Envelope
    from orderlines.flow.original.report import Report
    from orderlines.flow.original.tasks import Task
    from orderlines.paths import Path

    _Line: TypeAlias = tuple[list[Task], list[Any], Path, int]
    """Tasks that are to be written to a native list, its place, and the number of gateways around it."""

MAX_NESTING = 20
"""Gateways inside one another; each takes up to four levels of the native document, which may have 100."""

_MEMBER_KEYS = {"parallel": ("parallel_task_ids", "parallel_group_ids"), "group": ("group_ids",)}


def translate(document: object, report: Report, name: str = "flow") -> Translation:
    """Translate a document in the original notation, in any of its envelopes.

    Nothing is raised for what is wrong: it goes to ``report``, and the native document holds what could be read. What
    the native reader checks as well (components, arguments, variables, loops) is left to it.

    :param name: the flow's name where the document has none, as in a bare list.
    """
    envelope = open_envelope(document, name, report)
    native: dict[str, Any] = {"flow": envelope.name, "lenient": True}
    origins: dict[Path, Path] = {(): (), ("flow",): envelope.name_path, ("line",): envelope.tasks_path}
    source = Source(table(envelope.tasks, report), Names(report), report)
    _add_settings(native, origins, envelope, source)
    _Lines(source, envelope, origins).write(native)
    return Translation(native, origins)


def _add_settings(native: dict[str, Any], origins: dict[Path, Path], envelope: Envelope, source: Source) -> None:
    variables = declared(envelope.variables, source.names, source.report)
    for key, found, field in (
        ("vars", variables.values, "variable_value"),
        ("types", variables.types, "variable_type"),
    ):
        if found:
            native[key] = found
            origins[(key,)] = ("variable",)
            origins.update({(key, name): (*variables.places[name], field) for name in found})
    if envelope.timeout is not None:
        native["timeout"] = envelope.timeout
        origins[("timeout",)] = envelope.timeout_path
    if envelope.extra:
        native["extra"] = envelope.extra


class _Lines:
    """Writes every line of a document, the flow's own first, then those that gateways open."""

    def __init__(self, source: Source, envelope: Envelope, origins: dict[Path, Path]) -> None:
        self._source = source
        self._tasks = source.tasks
        self._report = source.report
        self._envelope = envelope
        self._origins = origins
        self._cases = {
            task.id: read_gateway(task, source) for task in self._tasks.values() if task.type == "process_control"
        }
        self._members = {
            task.id: check_members(task, _MEMBER_KEYS[task.type], source)
            for task in self._tasks.values()
            if task.type in _MEMBER_KEYS
        }
        self._weaver = Weaver(self._tasks, self._cases, self._report)
        self._writer = NodeWriter(source, self._cases, self._weaver.exits, origins)

    def write(self, native: dict[str, Any]) -> None:
        """Write the flow's line into the native document."""
        native["line"] = []
        self._check_next()
        start = self._start()
        if start is not None:
            self._write_from(start, native["line"])
        for task in self._tasks.values():
            if not self._weaver.placed(task):
                self._check_unplaced(task, started=start is not None)
        self._check_prev()

    def _start(self) -> Task | None:
        starts = [task for task in self._tasks.values() if task.type == "start"]
        if not starts:
            hint = "give the first node the task_type start"
            self._report.problem(self._envelope.tasks_path, "the flow has no node of type start", hint)
            return None
        for task in starts[1:]:
            reason = f"the flow has two nodes of type start: {starts[0].id} and {task.id}"
            self._report.problem(task.at("task_type"), reason, "a flow begins at exactly one")
        return starts[0]

    def _write_from(self, start: Task, line: list[Any]) -> None:
        waiting: deque[_Line] = deque()
        waiting.append((self._weaver.root(start), line, ("line",), 0))
        while waiting:
            tasks, native, path, level = waiting.popleft()
            self._check_ends(tasks)
            for i, task in enumerate(tasks):
                place: Path = (*path, i)
                node = self._writer.write(task, place)
                self._add_next(task, tasks[i + 1] if i + 1 < len(tasks) else None, node, place)
                native.append(node)
                waiting.extend(self._opened(task, node, place, level + 1))

    def _opened(self, task: Task, node: dict[str, Any], place: Path, level: int) -> list[_Line]:
        """Return the lines that a node opens, yet to be written."""
        if task.type not in _MEMBER_KEYS:
            return []
        if level > MAX_NESTING:
            reason = f"node {task.id} is nested in more than {MAX_NESTING} parallel and group nodes"
            self._report.problem(task.path, reason, "let gateways follow each other instead")
            return []
        if task.type == "parallel":
            return self._branches(task, node, place, level)
        chain = self._weaver.group(task, self._members[task.id])
        return [(chain, node["group"], (*place, "group"), level)]

    def _branches(self, task: Task, node: dict[str, Any], place: Path, level: int) -> list[_Line]:
        lines = node["parallel"]["lines"]
        opened: list[_Line] = []
        for chain in self._weaver.branches(task, self._members[task.id]):
            name = chain[0].id
            lines[name] = []
            path = (*place, "parallel", "lines", name)
            self._origins[path] = chain[0].path
            opened.append((chain, lines[name], path, level))
        return opened

    def _add_next(self, task: Task, following: Task | None, node: dict[str, Any], place: Path) -> None:
        """Say where a node leads, where that is not simply the next one of its list."""
        successor = self._weaver.successor.get(task.id)
        if successor is following or task.type in ("process_control", "end"):
            return
        node["next"] = successor.id if successor else END
        self._origins[(*place, "next")] = task.at("next_id")

    def _check_ends(self, tasks: Sequence[Task]) -> None:
        """Report the nodes that would end a line where the native word for that is a node's id."""
        if END not in {task.id for task in tasks}:
            return
        hint = f"let it lead to node {END!r} too, or give that node another id"
        leaving = {gate for gate, _ in self._weaver.exits}
        for task in tasks[:-1]:
            last = task.type not in ("process_control", "end") and task.id not in self._weaver.successor
            if last or task.id in leaving:
                reason = f"node {task.id} ends its line, on which another node has the id {END!r}; that cannot be said"
                self._report.problem(task.path, reason, hint)

    def _check_next(self) -> None:
        for task in self._tasks.values():
            if task.next is not None and task.next not in self._tasks:
                reason = f"next_id of {task.id} names {task.next}, and no node has that id"
                self._report.problem(task.at("next_id"), reason, "name a node, or null where the line ends")
            elif task.next is not None and task.type in ("process_control", "end"):
                reason = f"next_id of {task.id} has no effect: a node of type {task.type} "
                reason += "goes where its conditions say" if task.type == "process_control" else "ends its line"
                self._report.problem(task.at("next_id"), reason, warning=True)

    def _check_unplaced(self, task: Task, *, started: bool) -> None:
        # What is wrong inside of it is reported all the same.
        NodeWriter(self._source, self._cases, frozenset(), {}).write(task, ())
        if started:
            self._report.problem(task.path, f"nothing leads to node {task.id}", "it never runs", warning=True)

    def _check_prev(self) -> None:
        for task in self._tasks.values():
            for named in task.prev:
                if named == task.id:
                    reason = f"prev_id of {task.id} names itself"
                elif named not in self._tasks:
                    reason = f"prev_id of {task.id} names {named}, and no node has that id"
                elif not self._leads(self._tasks[named], task):
                    reason = f"prev_id of {task.id} names {named}, which does not lead to it"
                else:
                    continue
                self._report.problem(task.at("prev_id"), reason, "prev_id decides nothing; next_id does", warning=True)

    def _leads(self, before: Task, task: Task) -> bool:
        if before.next == task.id or self._weaver.successor.get(before.id) is task:
            return True
        if any(case.target is task for case in self._cases.get(before.id, ())):
            return True
        return any(member is task for member, _ in self._members.get(before.id, ()))
