"""Flows as the original's canvas saves them: nodes with properties, and edges that give the order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.flow.original.tasks import Task, identifier, kind, mapping, read_type, sequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orderlines.flow.original.report import Report
    from orderlines.paths import Path

_TYPES = {
    "start-node": "start",
    "end-node": "end",
    "function-node": "common",
    "process-control-node": "process_control",
    "parallel-node": "parallel",
    "group-node": "group",
    "sub-process-node": "sub_process",
}


def is_canvas(document: Mapping[str, Any]) -> bool:
    """Return whether a document's ``nodes`` are a canvas's."""
    nodes = document.get("nodes")
    if "edges" in document:
        return True
    first = nodes[0] if isinstance(nodes, list) and nodes else None
    return isinstance(first, dict) and "task_id" not in first and "properties" in first


def read_canvas(document: Mapping[str, Any], report: Report) -> list[Task]:
    """Read the nodes, each with the successor that the edges give it."""
    nodes = sequence(document.get("nodes"), ("nodes",), report)
    tasks = [task for i, raw in enumerate(nodes) if (task := _node(raw, ("nodes", i), report))]
    _connect(tasks, _edges(document.get("edges"), {task.id for task in tasks}, report), report)
    return tasks


def _node(raw: object, path: Path, report: Report) -> Task | None:
    if not isinstance(raw, dict):
        report.problem(path, f"a node must be a mapping, not {kind(raw)}", "it has id, type and properties")
        return None
    task_id = identifier(raw.get("id"))
    if task_id is None:
        report.problem((*path, "id") if "id" in raw else path, "a node needs an id", "a text or an integer")
        return None
    word = raw.get("type")
    task_type = read_type(_TYPES.get(word, word) if isinstance(word, str) else word, task_id, (*path, "type"), report)
    base = (*path, "properties")
    fields = dict(mapping(raw.get("properties"), base, report))
    places = {"task_id": (*path, "id"), "task_type": (*path, "type")}
    if "class_name" in fields:
        fields["task_module"] = fields.pop("class_name")
        places["task_module"] = (*base, "class_name")
    label = raw.get("text")
    if isinstance(label, dict) and isinstance(label.get("value"), str):
        fields.setdefault("task_name", label["value"])
        places["task_name"] = (*path, "text", "value")
    task = Task(task_id, task_type, path, base, fields)
    task.places = places
    return task


def _edges(value: object, known: set[str], report: Report) -> Iterable[tuple[str, str, Path]]:
    for i, edge in enumerate(sequence(value, ("edges",), report)):
        if not isinstance(edge, dict):
            report.problem(
                ("edges", i),
                f"an edge must be a mapping, not {kind(edge)}",
                "write {sourceNodeId: ID, targetNodeId: ID}",
            )
            continue
        source, target = (_end(edge, i, field, known, report) for field in ("sourceNodeId", "targetNodeId"))
        if source is not None and target is not None:
            yield source, target, ("edges", i, "targetNodeId")


def _end(edge: Mapping[str, Any], i: int, field: str, known: set[str], report: Report) -> str | None:
    named = identifier(edge.get(field))
    if named in known:
        return named
    if named is None:
        report.problem(
            ("edges", i), f"an edge needs a {field}: the id of a node", "write {sourceNodeId: ID, targetNodeId: ID}"
        )
    else:
        report.problem(
            ("edges", i, field),
            f"the edge names {named} as its {field}, and no node has that id",
            "an edge joins two nodes",
        )
    return None


def _connect(tasks: Iterable[Task], edges: Iterable[tuple[str, str, Path]], report: Report) -> None:
    by_id = {task.id: task for task in tasks}
    members = {task.id: _members(task) for task in by_id.values()}
    for source, target, path in edges:
        task = by_id[source]
        if task.type == "process_control" or target in members[source]:
            continue  # what such a node opens is said by its arguments
        if task.next is None:
            task.next = target
            task.places = {**task.places, "next_id": path}
        elif task.next != target:
            reason = f"two edges lead on from {source}: to {task.next} and to {target}"
            report.problem(path, reason, "only a process-control-node and a parallel-node lead to several nodes")


def _members(task: Task) -> set[str | None]:
    kwargs = task.fields.get("method_kwargs")
    if not isinstance(kwargs, dict):
        return set()
    lists = (kwargs.get(key) for key in ("parallel_task_ids", "parallel_group_ids", "group_ids"))
    return {identifier(member) for members in lists if isinstance(members, list) for member in members}
