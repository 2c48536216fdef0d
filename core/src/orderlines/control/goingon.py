"""Where a run that has failed or was stopped goes on when it is retried."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from orderlines.line.opening import label
from orderlines.states import LineStatus, TaskStatus

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow, RunRow, TaskRow

_BAD: Final = (LineStatus.FAILURE, LineStatus.STOP)


def ended_at(store: Store, run: RunRow) -> list[LineRow]:
    """Return the lines of a run that are reopened in another round.

    That is the first line, and below each of them those that ended badly in the join at which it ended: what is left
    of a failure that was skipped, or of an earlier attempt, stays as it is.
    """
    root, *others = store.lines(run.id)
    bad: dict[int | None, list[LineRow]] = {}
    for line in others:
        if line.status in _BAD:
            bad.setdefault(line.parent, []).append(line)
    last = _last_tasks(store, run) if bad else {}
    found = [root]
    for line in found:  # which grows meanwhile
        task = last.get(line.path)
        if task is not None and _ended(line, task, run):
            opened = label(task.node, task.visit, task.attempt)
            found += [child for child in bad.get(line.id, ()) if child.path.split("/")[-2] == opened]
    return found


def _ended(line: LineRow, task: TaskRow, run: RunRow) -> bool:
    """Return whether a line has ended badly at its last task: it may have gone on from that, and begun nothing more."""
    if line.status == LineStatus.STOP:
        return task.status == TaskStatus.STOP
    if line.parent is None and run.error and json.loads(run.error)["node"] != task.node:
        return False
    return task.status in {TaskStatus.FAILURE, TaskStatus.STOP}


def _last_tasks(store: Store, run: RunRow) -> dict[str, TaskRow]:
    """Return the task at which each line ended, by the line's path; not the call for its failure."""
    last: dict[str, tuple[int, TaskRow]] = {}
    for kept in store.tasks(run.id):
        handles = kept.task.node.endswith(":on_failure")
        if not handles and (kept.line not in last or last[kept.line][0] < kept.ordinal):
            last[kept.line] = kept.ordinal, kept.task
    return {line: task for line, (_, task) in last.items()}
