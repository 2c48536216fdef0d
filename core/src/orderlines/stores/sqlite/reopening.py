"""A new round of a run: what has failed or was stopped is begun again, what has succeeded is kept.

A line is reopened where it ended: its last task, where that went wrong, becomes an attempt, and the same visit gets its
next one. Where that task was a join, the line waits for it again, and its children are reopened in the same way, no
more at once than the join allows: the others are ``queued``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from orderlines.errors import Refused
from orderlines.states import Halt, LineStatus, RunStatus, TaskStatus
from orderlines.stores.sqlite.schema import TASK_BITS

if TYPE_CHECKING:
    import sqlite3

    from orderlines.stores.records import Reopening, RunRow

_BAD: Final = (LineStatus.FAILURE, LineStatus.STOP)
_QUEUED: Final = "queued"
_REOPEN: Final = """UPDATE lines SET status = ?, attempt = ?, began = ?, due = ?, tasks = ?,
 vars_at = min(vars_at, ?), halt = CASE halt WHEN ? THEN ? ELSE ? END, epoch = epoch + 1, owner = NULL, executor = NULL,
 crashes = 0, state = ?, result = NULL, error = NULL, finished = NULL WHERE id = ?"""
_NEW_ROUND: Final = """UPDATE runs SET round = round + 1, wish = NULL, finished = NULL, variables = NULL, error = NULL,
 status = CASE WHEN started IS NULL THEN ? ELSE ? END, deadline = ? + ? WHERE id = ?"""


class _Last(NamedTuple):
    """The task at which a line ended badly."""

    id: int
    node: str
    visit: int
    status: str
    attempt: int
    started: float
    finished: float
    error: str | None
    executor: str | None
    result: str | None

    @property
    def signal(self) -> str | None:
        """The data of a signal that had come when the line was stopped; it is not sent again."""
        return self.result if self.status == TaskStatus.STOP and self.executor is None else None


def begin_round(db: sqlite3.Connection, root: int, wanted: Reopening, now: float) -> None:
    """Write that a run has a new round, once its root line stands where that begins."""
    (tasks,) = db.execute("SELECT tasks FROM lines WHERE id = ?", (root,)).fetchone()
    if wanted.vars is not None:
        db.execute("UPDATE lines SET vars = ?, vars_at = tasks WHERE id = ?", (wanted.vars, root))
    db.execute(
        "INSERT INTO rounds SELECT id, round, status, finished, error, ?, ? FROM runs WHERE id = ?",
        (tasks, wanted.vars, wanted.run),
    )
    db.execute(_NEW_ROUND, (RunStatus.PENDING, RunStatus.RUNNING, now, wanted.timeout, wanted.run))


def reopen_line(db: sqlite3.Connection, line: int, now: float, halt: int = Halt.NONE) -> None:
    """Reopen a line that has ended badly.

    :param halt: the wish that stands on it then, unless it is to leave its node out.
    """
    (was,) = db.execute("SELECT halt FROM lines WHERE id = ?", (line,)).fetchone()
    tasks, last = _last(db, line)
    status: str = LineStatus.READY
    attempt, began, due, state = 0, None, None, None
    # Also where nothing of the node is kept: `on_failure` may have been called for it all the same.
    db.execute("DELETE FROM tasks WHERE id >= ? AND id < ?", ((line << TASK_BITS) + tasks, (line + 1) << TASK_BITS))
    if last is not None:
        attempt = last.attempt
        waits = None if was == Halt.SKIP else _reopen_join(db, line, last, now, halt)
        if last.signal is not None and was != Halt.SKIP:
            status, began, state = LineStatus.SIGNALLED, last.started, last.signal
        elif waits is None:
            ended = (line, last.node, last.visit, attempt, last.started, last.finished, last.error or "{}")
            db.execute("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?)", ended)
        else:
            (status, due), attempt, began = waits, max(attempt, 1), last.started
    row = (status, attempt, began, due, tasks, tasks, Halt.SKIP, Halt.SKIP, halt, state, line)
    db.execute(_REOPEN, row)


def reopen_next(db: sqlite3.Connection, join: int, halt: int, now: float) -> None:
    """Reopen the first of the children that a join has queued."""
    db.execute("UPDATE joins SET queued = queued - 1 WHERE id = ?", (join,))
    (line,) = db.execute(
        "SELECT id FROM lines WHERE join_id = ? AND finished IS NOT NULL AND state = ? ORDER BY idx LIMIT 1",
        (join, _QUEUED),
    ).fetchone()
    reopen_line(db, line, now, halt)


def _last(db: sqlite3.Connection, line: int) -> tuple[int, _Last | None]:
    """Return how many tasks of a line are kept, and the one at which it ended, if that is not one of them."""
    status, error, tasks = db.execute("SELECT status, error, tasks FROM lines WHERE id = ?", (line,)).fetchone()
    rows = db.execute(
        "SELECT id, node, visit, status, attempt, started, finished, error, executor, result FROM tasks"
        " WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 2",
        (line << TASK_BITS, (line << TASK_BITS) + tasks),
    ).fetchall()
    failed = json.loads(error)["node"] if error else None
    found = [_Last(*row) for row in rows]
    if found and found[0].node == f"{failed}:on_failure":
        del found[0]
    if not found:
        return 0, None
    last, number = found[0], found[0].id - (line << TASK_BITS)
    stopped = last.status == TaskStatus.STOP
    if stopped if status == LineStatus.STOP else last.node == failed and (stopped or last.status == TaskStatus.FAILURE):
        return number, last
    return number + 1, None


def _reopen_join(
    db: sqlite3.Connection, line: int, last: _Last, now: float, halt: int
) -> tuple[str, float | None] | None:
    """Reopen the join of a line's last task; return the line's status and when it is due; ``None``: there is none."""
    label = f"{last.node}#{last.visit}" + (f".{last.attempt}" if last.attempt > 1 else "")
    found = db.execute(
        "SELECT id, total, bound, after, span FROM joins WHERE line = ? AND label = ?", (line, label)
    ).fetchone()
    if found is None:
        return None
    join, total, bound, after, span = found
    children = db.execute("SELECT id, idx, status FROM lines WHERE join_id = ? ORDER BY idx", (join,)).fetchall()
    bad = [number for number, _, status in children if status in _BAD]
    left = total - sum(status == LineStatus.SUCCESS for _, _, status in children)
    unopened = total - len(children)
    if left and left == unopened:
        return None  # nobody is there to open the next one
    again, later = bad[:bound], bad[bound:]
    db.execute(
        "UPDATE joins SET state = 'open', remaining = ?, unopened = ?, queued = ? WHERE id = ?",
        (left, unopened, len(later), join),
    )
    _queue(db, join, later)
    if after is not None:
        _wait_for_others(db, join, total, {place: status for _, place, status in children}, json.loads(after))
    for number in again:
        reopen_line(db, number, now, halt)
    if left == 0:
        return LineStatus.JOINED, None
    return LineStatus.JOIN, None if span is None else now + span


def _queue(db: sqlite3.Connection, join: int, lines: list[int]) -> None:
    """Let some children of a join wait until there is room; those that waited before do not any more."""
    db.execute("UPDATE lines SET state = NULL WHERE join_id = ? AND finished IS NOT NULL", (join,))
    db.executemany("UPDATE lines SET state = ? WHERE id = ?", [(_QUEUED, line) for line in lines])


def _wait_for_others(
    db: sqlite3.Connection, join: int, total: int, opened: dict[int, str], after: dict[str, list[int]]
) -> None:
    """Let the lines of a graph that were not opened wait for those before them that have not succeeded."""
    db.execute("DELETE FROM followers WHERE join_id = ?", (join,))
    for place in range(total):
        if place not in opened:
            missing = sum(opened.get(other) != LineStatus.SUCCESS for other in after.get(str(place), ()))
            db.execute("INSERT INTO followers (join_id, idx, missing) VALUES (?, ?, ?)", (join, place, missing))


def check_over(found: RunRow, over: int) -> None:
    """See to it that a run may have another round after the one that is over.

    :raises Refused: it may not.
    """
    if found.pruned:
        raise Refused(f"run {found.name} was pruned; only its key is kept")
    if found.finished is None or found.round != over:
        raise Refused(f"run {found.name} goes on already, in round {found.round}")
    if found.status == RunStatus.SUCCESS:
        raise Refused(f"run {found.name} has succeeded; there is nothing to do again")
