"""Telling observers what a committed step has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.errors import UnknownRun
from orderlines.states import JOINING, LineStatus, RunStatus, TaskStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from orderlines.line import Line, Turn
    from orderlines.plan import PlannedCall
    from orderlines.plugins.observing import Listener
    from orderlines.stores.records import LineRow, Step

    Values = Mapping[str, object]

_WAITS = frozenset({LineStatus.JOIN, LineStatus.TIME, LineStatus.SIGNAL})
_HANDLER = ":on_failure"


class Telling:
    """Tells listeners; a driver has one only where somebody listens.

    :param listeners: in the order of their distributions.
    :param clock: the store's.
    :param read: returns a line as it is kept.
    """

    def __init__(
        self, listeners: Sequence[Listener], clock: Callable[[], float], read: Callable[[int], LineRow]
    ) -> None:
        self._listeners = listeners
        self._clock = clock
        self._read = read
        for listener in listeners:
            listener.driver_begun()

    def settled(self, line: Line, turn: Turn) -> None:
        """Tell what a step has changed that is written, and that its line knows of already."""
        step = turn.step
        if step is None:
            return
        if step.starts is not None:
            self._run(line, RunStatus.RUNNING)
        if line.first is None:
            line.first = _first(line, step)
        for values in _tasks(line, turn, step):
            for listener in self._listeners:
                listener.task_changed(values)
        if step.ending is not None:
            finished = step.tasks[-1].finished if step.tasks else self._clock()
            if line.parent is None:
                self._run(line, step.ending.status, step.ending.error, finished)
            else:
                self._line(line, line.parent, step.ending.status, step.ending.error, finished)

    def over(self) -> None:
        """Tell that nothing more will be told."""
        for listener in self._listeners:
            listener.driver_ended()

    def _run(self, line: Line, status: str, error: str | None = None, finished: float | None = None) -> None:
        info = line.info
        values = {
            "run": info.name, "flow": info.flow, "status": status, "error": error, "round": info.round,
            "started": info.started, "finished": finished,
        }  # fmt: skip
        for listener in self._listeners:
            listener.run_changed(values)

    def _line(self, line: Line, parent: int, status: str, error: str | None, finished: float) -> None:
        values = {
            "run": line.info.name, "flow": line.info.flow, "line": line.path, "status": status, "finished": finished,
            "error": error, "round": line.info.round,
            "started": self._opened(parent) if line.first is None else line.first,
        }  # fmt: skip
        for listener in self._listeners:
            listener.line_ended(values)

    def _opened(self, parent: int) -> float | None:
        """Return when the attempt began that has opened a line which began elsewhere."""
        try:
            row = self._read(parent)
        except UnknownRun:
            return None
        return row.began if row.status in JOINING else None  # It may have gone on, if this was the last line.


def _first(line: Line, step: Step) -> float | None:
    """Return when a line began its first attempt, if a step that is written tells of that."""
    if line.tasks > len(step.tasks):
        return None
    for attempt in step.attempts:
        return attempt.started if attempt.attempt == 1 else None
    for task in step.tasks:
        return task.started if task.attempt <= 1 else None
    return None


def _tasks(line: Line, turn: Turn, step: Step) -> Iterator[Values]:
    """Yield what each task that a step has changed is now, in the order in which it came to be so."""
    common = {"run": line.info.name, "flow": line.info.flow, "line": line.path, "round": line.info.round}
    for attempt in step.attempts:
        call = _call(line, attempt.node)
        yield {
            **common, **_described(line, attempt.node), "visit": attempt.visit, "status": TaskStatus.RETRY,
            "attempt": attempt.attempt, "executor": None if call is None else call.executor,
            "started": attempt.started, "finished": attempt.finished, "error": attempt.error,
        }  # fmt: skip
    for task in step.tasks:
        yield {
            **common, **_described(line, task.node), "visit": task.visit, "status": task.status,
            "attempt": task.attempt, "executor": task.executor, "started": task.started, "finished": task.finished,
            "error": task.error,
        }  # fmt: skip
    going = {**common, "executor": step.executor, "started": step.began, "finished": None, "error": None}
    begin = turn.begin
    if begin is not None:
        yield {
            **going, **_described(line, begin.node), "visit": begin.visit, "status": TaskStatus.RUNNING,
            "attempt": begin.attempt,
        }  # fmt: skip
    elif step.status in _WAITS and step.closes is None:
        node = line.here.node.id
        visit = line.visits.get(node, 0) + 1
        yield {
            **going, **_described(line, node), "visit": visit, "status": TaskStatus.WAITING, "attempt": step.attempt
        }  # fmt: skip


def _described(line: Line, node: str) -> Values:
    """Return what the flow says about a task's node."""
    place = line.block.places.get(node)
    call = _call(line, node)
    return {
        "node": node, "type": None if place is None else line.block.nodes[place].node.type,
        "component": None if call is None else f"{call.component.library}.{call.component.name}",
    }  # fmt: skip


def _call(line: Line, node: str) -> PlannedCall | None:
    """Return what a node calls, or what is called on its failure."""
    place = line.block.places.get(node.removesuffix(_HANDLER))
    planned = None if place is None else line.block.nodes[place]
    if node.endswith(_HANDLER):
        return (None if planned is None else planned.handler) or line.plan.handler
    return None if planned is None else planned.call
