"""The documents of a run's tasks: of those that have ended, and of those that its lines stand at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orderlines.states import FINAL, GOES_ON, Halt, LineStatus, TaskStatus
from orderlines.views.leftout import Graphs, Visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.flow.model import Node
    from orderlines.stores.records import KeptTask, LineRow
    from orderlines.views.known import KnownFlow
    from orderlines.views.look import Look
    from orderlines.views.values import Values

_GOING = {
    LineStatus.CALL: TaskStatus.RUNNING,
    LineStatus.HANDLER: TaskStatus.RUNNING,
    LineStatus.RETRY: TaskStatus.RETRY,
    LineStatus.JOIN: TaskStatus.WAITING,
    LineStatus.JOINED: TaskStatus.WAITING,
    LineStatus.TIME: TaskStatus.WAITING,
    LineStatus.SIGNAL: TaskStatus.WAITING,
    LineStatus.SIGNALLED: TaskStatus.WAITING,
}
"""What the task at a line's cursor is shown as."""


class Tasks:
    """Makes the documents of one look at a run; the times in them are numbers of seconds."""

    def __init__(self, seen: Look, known: KnownFlow, values: Values) -> None:
        self._seen = seen
        self._known = known
        self._values = values
        self._graphs = Graphs({line.path: line.status for line in seen.lines})

    def of(self, line: LineRow) -> Iterator[dict[str, Any]]:
        """Yield the tasks of a line in their order: those that have ended, and the one at which it stands."""
        visits: dict[str, int] = {}
        for kept in self._seen.tasks[line.path]:
            visits[kept.task.node] = max(kept.task.visit, visits.get(kept.task.node, 0))
            yield self._finished(line, kept)
        if self._seen.row.status not in FINAL and line.status not in FINAL:
            task = self._unfinished(line, visits)
            if task is not None:
                yield task

    def _finished(self, line: LineRow, kept: KeptTask) -> dict[str, Any]:
        task = kept.task
        node = self._known.node(line, task.node)
        return {
            **_described(line.path, task.node, node),
            "status": task.status,
            "attempt": task.attempt,
            "visit": task.visit,
            "executor": task.executor,
            "started": task.started,
            "finished": task.finished,
            "result": self._values.of(task.result),
            "error": _json(task.error),
            **self._left_out(line, node, Visit(task.visit, task.attempt, over=True)),
        }

    def _unfinished(self, line: LineRow, visits: dict[str, int]) -> dict[str, Any] | None:
        if line.status == LineStatus.HANDLER:
            return self._handling(line)
        # A line that is to make another attempt and may not, since the run is paused, say, is READY.
        begins = TaskStatus.RETRY if line.attempt else TaskStatus.PENDING if self._left_to(line) else None
        status = _GOING.get(line.status, begins)
        node = None if status is None else self._known.at(line)
        if status is None or node is None:
            return None
        visit = visits.get(node.id, 0) + 1
        return {
            **self._going(line, node.id, node, status),
            "visit": visit,
            **self._left_out(line, node, Visit(visit, line.attempt, over=False)),
            **_waits(line, node.id),
        }

    def _handling(self, line: LineRow) -> dict[str, Any]:
        """Return the task of an ``on_failure`` call; it is named as it will be when it is over."""
        name = f"{json.loads(line.state or '{}')['node']}:on_failure"
        status = TaskStatus.RUNNING if line.attempt else TaskStatus.PENDING
        return self._going(line, name, None, status)

    def _going(self, line: LineRow, id_: str, node: Node | None, status: str) -> dict[str, Any]:
        task = {
            **_described(line.path, id_, node),
            "status": status,
            "attempt": line.attempt,
            "visit": 1,
            "executor": line.executor,
            "started": line.began,
            "finished": None,
            "result": None,
            "error": None,
        }
        if line.id in self._seen.reports:
            report = json.loads(self._seen.reports[line.id])
            task["progress"] = dict(zip(("done", "total", "text"), report, strict=True))
        queue = self._left_to(line)
        return task if queue is None else {**task, "queue": queue}

    def _left_to(self, line: LineRow) -> str | None:
        """Return the queue of the workers that a line waits for, if it does: it could go on, and nobody has it."""
        free = line.owner is None and line.status in GOES_ON
        wished = self._seen.row.wish is not None or line.halt not in {Halt.NONE, Halt.SKIP}
        return line.queue if free and not wished else None

    def _left_out(self, line: LineRow, node: Node | None, visit: Visit) -> dict[str, Any]:
        """Return what a graph did not run."""
        found = [] if node is None else self._graphs.left_out(line.path, node, visit, self._known.kind(node))
        return {"not_run": found} if found else {}


def _described(path: str, id_: str, node: Node | None) -> dict[str, Any]:
    """Return what the flow says about a task's node; ``on_failure`` of a whole flow has none."""
    settings = {} if node is None else node.settings
    component = f"{settings['library']}.{settings['component']}" if settings.get("component") else None
    return {
        "line": path,
        "node": id_,
        "name": None if node is None else node.name,
        "type": None if node is None else node.type,
        "component": component,
    }


def _waits(line: LineRow, node: str) -> dict[str, Any]:
    """Return what a task waits for: until when at most, in seconds, for which signal; why there is another attempt."""
    waits: dict[str, Any] = {} if line.due is None else {"until": line.due}
    if line.status == LineStatus.SIGNAL:
        waits["signal"] = _signal(json.loads(line.state or "[]"), f"{line.path}/{node}".lstrip("/"))
    elif line.status == LineStatus.SIGNALLED:
        waits["signalled"] = True
    elif line.status == LineStatus.RETRY:
        waits["error"] = _json(line.state)
    return waits


def _signal(addresses: list[str], whole: str) -> str:
    """Return the name of a signal, which is the last of those under which it may be sent, but for LINE/NODE."""
    return next((name for name in reversed(addresses) if name != whole), whole)


def _json(text: str | None) -> Any:
    return None if text is None else json.loads(text)
