"""A new round of a run: what has failed or was stopped is begun again, what has succeeded is kept.

A line is reopened where it ended: its last task, where that went wrong, becomes an attempt, and the same visit gets its
next one. Where that task was a join, the line waits for it again, and its children are reopened in the same way, no
more at once than the join allows: the others are ``queued``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderlines.states import Halt, LineStatus, RunStatus, TaskStatus
from orderlines_store_mysql.graphs import FOLLOWERS
from orderlines_store_mysql.literals import many, numbers, put

if TYPE_CHECKING:
    from orderlines.stores.records import Reopening
    from orderlines_store_mysql.transaction import Transaction

_BAD: Final = (LineStatus.FAILURE, LineStatus.STOP)
_QUEUED: Final = "queued"
_REOPEN: Final = """UPDATE ol_lines SET status = %s, attempt = %s, began = %s, due = %s, tasks = %s,
 vars_at = LEAST(vars_at, %s), halt = CASE halt WHEN %s THEN %s ELSE %s END, epoch = epoch + 1, owner = NULL,
 executor = NULL, crashes = 0, state = %s, result = NULL, error = NULL, finished = NULL WHERE id = %s"""
_NEW_ROUND: Final = """UPDATE ol_runs SET round = round + 1, wish = NULL, finished = NULL, variables = NULL,
 error = NULL, status = CASE WHEN started IS NULL THEN %s ELSE %s END, deadline = %s + %s WHERE id = %s"""
_OVER: Final = """INSERT INTO ol_rounds (run, round, status, finished, error, tasks, vars)
 SELECT id, round, status, finished, error, %s, %s FROM ol_runs WHERE id = %s"""


class _Last(NamedTuple):
    """The task at which a line ended badly."""

    ordinal: int
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


def begin_round(transaction: Transaction, root: int, wanted: Reopening, now: float) -> None:
    """Write that a run has a new round, once its root line stands where that begins."""
    ((tasks,),) = transaction.rows(put("SELECT tasks FROM ol_lines WHERE id = %s", root))
    if wanted.vars is not None:
        transaction.ask(put("UPDATE ol_lines SET vars = %s, vars_at = tasks WHERE id = %s", wanted.vars, root))
    transaction.ask(
        put(_OVER, tasks, wanted.vars, wanted.run),
        put(_NEW_ROUND, RunStatus.PENDING, RunStatus.RUNNING, now, wanted.timeout, wanted.run),
    )


def reopen_line(transaction: Transaction, line: int, now: float, halt: int = Halt.NONE) -> None:
    """Reopen a line that has ended badly.

    :param halt: the wish that stands on it then, unless it is to leave its node out.
    """
    asked = put("SELECT halt, status, error, tasks FROM ol_lines WHERE id = %s FOR UPDATE", line)
    ((was, *ended),) = transaction.rows(asked)
    tasks, last = _last(transaction, line, *ended)
    status: str = LineStatus.READY
    attempt, began, due, state = 0, None, None, None
    # Also where nothing of the node is kept: `on_failure` may have been called for it all the same.
    transaction.ask(put("DELETE FROM ol_tasks WHERE line = %s AND ordinal >= %s", line, tasks))
    if last is not None:
        attempt = last.attempt
        waits = None if was == Halt.SKIP else _reopen_join(transaction, line, last, now, halt)
        if last.signal is not None and was != Halt.SKIP:
            status, began, state = LineStatus.SIGNALLED, last.started, last.signal
        elif waits is None:
            row = (line, last.node, last.visit, attempt, last.started, last.finished, last.error or "{}")
            transaction.ask(put("REPLACE INTO ol_attempts VALUES (%s, %s, %s, %s, %s, %s, %s)", *row))
        else:
            (status, due), attempt, began = waits, max(attempt, 1), last.started
    values = (status, attempt, began, due, tasks, tasks, Halt.SKIP, Halt.SKIP, halt, state, line)
    transaction.ask(put(_REOPEN, *values))


def reopen_next(transaction: Transaction, join: int, halt: int, now: float) -> None:
    """Reopen the first of the children that a join has queued; whoever calls it counts one less."""
    ((line,),) = transaction.rows(
        put(
            "SELECT id FROM ol_lines WHERE join_id = %s AND finished IS NOT NULL AND state = %s ORDER BY idx LIMIT 1",
            join, _QUEUED,
        )
    )  # fmt: skip
    reopen_line(transaction, int(str(line)), now, halt)


def _last(transaction: Transaction, line: int, status: Any, error: Any, tasks: Any) -> tuple[int, _Last | None]:
    """Return how many tasks of a line are kept, and the one at which it ended, if that is not one of them."""
    rows: Any = transaction.rows(
        put(
            "SELECT ordinal, node, visit, status, attempt, started, finished, error, executor, result FROM ol_tasks"
            " WHERE line = %s AND ordinal < %s ORDER BY ordinal DESC LIMIT 2",
            line, tasks,
        )
    )  # fmt: skip
    failed = json.loads(error)["node"] if error else None
    found = [_Last(*row) for row in rows]
    if found and found[0].node == f"{failed}:on_failure":
        del found[0]
    if not found:
        return 0, None
    last = found[0]
    stopped = last.status == TaskStatus.STOP
    if stopped if status == LineStatus.STOP else last.node == failed and (stopped or last.status == TaskStatus.FAILURE):
        return last.ordinal, last
    return last.ordinal + 1, None


def _reopen_join(
    transaction: Transaction, line: int, last: _Last, now: float, halt: int
) -> tuple[str, float | None] | None:
    """Reopen the join of a line's last task; return the line's status and when it is due; ``None``: there is none."""
    label = f"{last.node}#{last.visit}" + (f".{last.attempt}" if last.attempt > 1 else "")
    asked = put("SELECT id, total, bound, after, span FROM ol_joins WHERE line = %s AND label = %s", line, label)
    found: Any = transaction.rows(asked)
    if not found:
        return None
    join, total, bound, after, span = found[0]
    children: Any = transaction.rows(put("SELECT id, idx, status FROM ol_lines WHERE join_id = %s ORDER BY idx", join))
    bad = [number for number, _, status in children if status in _BAD]
    left = total - sum(status == LineStatus.SUCCESS for _, _, status in children)
    unopened = total - len(children)
    if left and left == unopened:
        return None  # nobody is there to open the next one
    again, later = bad[:bound], bad[bound:]
    counts = put("remaining = %s, unopened = %s, queued = %s WHERE id = %s", left, unopened, len(later), join)
    transaction.ask(f"UPDATE ol_joins SET state = 'open', {counts}")
    _queue(transaction, join, later)
    if after is not None:
        _wait_for_others(transaction, join, total, {place: status for _, place, status in children}, json.loads(after))
    for number in again:
        reopen_line(transaction, number, now, halt)
    if left == 0:
        return LineStatus.JOINED, None
    return LineStatus.JOIN, None if span is None else now + span


def _queue(transaction: Transaction, join: int, lines: list[int]) -> None:
    """Let some children of a join wait until there is room; those that waited before do not any more."""
    transaction.ask(
        put("UPDATE ol_lines SET state = NULL WHERE join_id = %s AND finished IS NOT NULL", join),
        f"{put('UPDATE ol_lines SET state = %s', _QUEUED)} WHERE id IN {numbers(lines)}",
    )


def _wait_for_others(
    transaction: Transaction, join: int, total: int, opened: dict[int, str], after: dict[str, list[int]]
) -> None:
    """Let the lines of a graph that were not opened wait for those before them that have not succeeded."""
    rows = [
        (join, place, sum(opened.get(other) != LineStatus.SUCCESS for other in after.get(str(place), ())))
        for place in range(total)
        if place not in opened
    ]
    transaction.ask(put("DELETE FROM ol_followers WHERE join_id = %s", join), *many(FOLLOWERS, rows))
