"""What a store keeps, as the JSON documents and the plain text that the command line shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.states import FINAL, LineStatus, TaskStatus
from orderlines.values import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from orderlines.flow.model import Block, Flow, Node
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import KeptTask, LineRow, RunRow

_GOING = {
    LineStatus.CALL: TaskStatus.RUNNING,
    LineStatus.HANDLER: TaskStatus.RUNNING,
    LineStatus.RETRY: TaskStatus.RETRY,
    LineStatus.JOIN: TaskStatus.WAITING,
    LineStatus.JOINED: TaskStatus.WAITING,
    LineStatus.TIME: TaskStatus.WAITING,
    LineStatus.SIGNAL: TaskStatus.WAITING,
}
"""What the task at a line's cursor is shown as; where the line is READY, nothing has begun there."""
_SHORT = 60


class _Flow(NamedTuple):
    """What a run's flow says about its nodes."""

    flow: Flow
    nodes: Mapping[str, Node]
    registry: Registry
    read: Callable[[str], Any]


def run_document(
    store: Store, row: RunRow, registry: Registry | None = None, read: Callable[[str], Any] = decode
) -> dict[str, Any]:
    """Return a run with its tasks, in the order in which these began.

    :param registry: the installed plugins' unless given.
    :param read: reads the texts that keep values: by default to the values themselves, ``json.loads`` to what JSON has
        for them.
    :raises PluginError: a node type that the run's flow uses is not installed any more.
    """
    if registry is None:
        from orderlines.plugins import registry as installed  # noqa: PLC0415 -- only where none is given

        registry = installed()
    known = _known(store, row, registry, read)
    finished = [_finished(kept, known) for kept in store.tasks(row.id)]
    going = [] if row.status in FINAL else list(_unfinished(store, row, known))
    # Among those that began at one moment, a gateway that still waits began before what it opened.
    tasks = sorted(going + finished, key=lambda task: task["started"] or 0.0)
    for task in tasks:
        task["started"], task["finished"] = _time(task["started"]), _time(task["finished"])
    return {
        **_head(row),
        "duration": _duration(row.started, row.finished),
        "variables": _value(row.variables, read),
        "error": _json(row.error),
        "tasks": tasks,
    }


def runs_document(rows: Iterable[RunRow]) -> dict[str, Any]:
    """Return a list of runs, in the order given."""
    return {"runs": [{**_head(row), "key": row.key} for row in rows]}


def run_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a run's document as lines of plain text: the run, then its tasks, each below what opened its line."""
    yield f"{document['flow']}  {document['status']}{_seconds(document['duration'])}  run {document['run']}"
    lines: dict[str, list[Mapping[str, Any]]] = {}
    for task in document["tasks"]:
        lines.setdefault(task["line"], []).append(task)
    while lines:
        path = min(lines, key=len)
        yield from _line(path, lines, 1)
    error = document["error"]
    if error:
        place = f" at {error['node']}" if error.get("node") else ""
        yield f"error{place}: {error.get('type')}: {error.get('message')}"


def runs_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a list of runs as lines of plain text."""
    for run in document["runs"]:
        yield f"{run['run']}  {run['status']:<8}  {run['started'] or '-'}  {run['flow']}"


def _line(path: str, lines: dict[str, list[Mapping[str, Any]]], depth: int) -> Iterator[str]:
    for task in lines.pop(path):
        yield "  " * depth + _task_line(task)
        opened = f"{path.rstrip('/')}/{task['node']}#{task['visit']}/"
        for child in [other for other in lines if other.startswith(opened)]:
            if child in lines:
                yield "  " * (depth + 1) + child.removeprefix(opened) + ":"
                yield from _line(child, lines, depth + 2)


def _task_line(task: Mapping[str, Any]) -> str:
    name = f" ({task['name']})" if task["name"] else ""
    begun, ended = task["started"], task["finished"]
    took = ""
    if begun and ended:
        took = _seconds((datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds())
    attempts = f"  attempt {task['attempt']}" if task["attempt"] > 1 else ""
    error = task["error"]
    told = f"  {error.get('type')}: {error.get('message')}" if error else ""
    result = "" if task["result"] is None else f"  {task['result']!r}"
    return f"{task['node']}{name}  {task['status']}{took}{attempts}{_shortened(told or result)}"


def _shortened(text: str) -> str:
    text = " ".join(text.splitlines())
    return text if len(text) <= _SHORT else text[: _SHORT - 3] + "..."


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"  {seconds:.2f} s"


def _head(row: RunRow) -> dict[str, Any]:
    return {
        "run": row.name,
        "flow": row.flow,
        "status": row.status,
        "started": _time(row.started),
        "finished": _time(row.finished),
    }


def _known(store: Store, row: RunRow, registry: Registry, read: Callable[[str], Any]) -> _Flow:
    from orderlines.flow.load import from_canonical  # noqa: PLC0415 -- a list of runs needs no flow

    flow = from_canonical(json.loads(store.flow(row.digest)), registry)
    return _Flow(flow, dict(_nodes(flow.line, registry)), registry, read)


def _nodes(block: Block, registry: Registry) -> Iterator[tuple[str, Node]]:
    for node in block.nodes:
        yield node.id, node
        for _, nested in registry.node_type(node.type).blocks(node.settings):
            yield from _nodes(nested, registry)


def _finished(kept: KeptTask, known: _Flow) -> dict[str, Any]:
    task = kept.task
    return {
        **_described(kept.line, task.node, known),
        "status": task.status,
        "attempt": task.attempt,
        "visit": task.visit,
        "executor": task.executor,
        "started": task.started,
        "finished": task.finished,
        "result": _value(task.result, known.read),
        "error": _json(task.error),
    }


def _unfinished(store: Store, row: RunRow, known: _Flow) -> Iterator[dict[str, Any]]:
    """Yield the tasks at the cursors of a run's lines."""
    from orderlines.plan import compile_plan  # noqa: PLC0415 -- only for runs that are still going

    going = [line for line in store.lines(row.id) if line.status in _GOING]
    if not going:
        return
    blocks = compile_plan(known.flow, known.registry, row.executor).blocks
    for line in going:
        nodes = blocks[line.block].nodes
        if 0 <= line.cursor < len(nodes):
            yield _going(store, line, nodes[line.cursor].node.id, known)


def _going(store: Store, line: LineRow, node: str, known: _Flow) -> dict[str, Any]:
    return {
        **_described(line.path, node, known),
        "status": _GOING[line.status],
        "attempt": line.attempt,
        "visit": store.visits(line.id).get(node, 0) + 1,
        "executor": line.executor,
        "started": line.began,
        "finished": None,
        "result": None,
        "error": None,
    }


def _described(path: str, id_: str, known: _Flow) -> dict[str, Any]:
    """Return what the flow says about a task's node; ``on_failure`` of a whole flow has none."""
    node = known.nodes.get(id_)
    settings = {} if node is None else node.settings
    component = f"{settings['library']}.{settings['component']}" if settings.get("component") else None
    return {
        "line": path,
        "node": id_,
        "name": None if node is None else node.name,
        "type": None if node is None else node.type,
        "component": component,
    }


def _value(text: str | None, read: Callable[[str], Any]) -> Any:
    return None if text is None else read(text)


def _json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _duration(started: float | None, finished: float | None) -> float | None:
    return None if started is None or finished is None else round(finished - started, 6)
