"""The statements of one step: what every step writes of its line, and what goes with it.

What goes with it is written in the same packet, and only where the line was what the step takes it for. The UPDATE that
finds it so leaves a token behind, which nobody has used before, as the last number that was inserted. ``ROW_COUNT()``
is no such proof: MariaDB, when its client dies in the middle of a packet and it cannot send an answer, sets the count
to -1, and goes on to the COMMIT.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from orderlines_store_mysql.literals import put
from orderlines_store_mysql.schema import TASK_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.stores.records import Ending, Step

_GUARD: Final = " WHERE id = %s AND epoch = %s AND seq = %s AND halt <= %s AND finished IS NULL"
# Of no constants only, or the server might work it out for no row at all.
_MARK: Final = "0 * LAST_INSERT_ID(%s + 0 * seq)"
_ADVANCE: Final = (
    f"UPDATE ol_lines SET seq = seq + 1 + {_MARK}, status = %s, cur = %s, attempt = %s, began = %s, executor = %s,"
    " crashes = %s, state = %s, tasks = %s, due = %s, owner = %s"
)
_SNAPSHOT: Final = ", vars = %s, vars_at = %s"
_FINISH: Final = (
    f"UPDATE ol_lines SET seq = seq + 1 + {_MARK}, status = %s, cur = %s, tasks = %s, finished = %s, result = %s,"
    " error = %s, owner = NULL, due = NULL, state = NULL"
)
_PLAIN: Final = _ADVANCE + _GUARD
_WITH_SNAPSHOT: Final = _ADVANCE + _SNAPSHOT + _GUARD
_ENDS: Final = _FINISH + _GUARD
_ENDS_WITH: Final = _FINISH + _SNAPSHOT + _GUARD
# A log's row has a number of its own, so the token is kept where several statements look for it.
_KEEP: Final = "SET @w = LAST_INSERT_ID()"
_TASK: Final = f"INSERT INTO ol_tasks (line, ordinal, run, {TASK_COLUMNS}) SELECT {', '.join(['%s'] * 13)} FROM DUAL"
_ONLY_TASK: Final = f"{_TASK} WHERE LAST_INSERT_ID() = %s"
_GUARDED_TASK: Final = f"{_TASK} WHERE @w = %s"
_ATTEMPT: Final = "REPLACE INTO ol_attempts SELECT %s, %s, %s, %s, %s, %s, %s FROM DUAL WHERE @w = %s"
_LOG: Final = (
    "INSERT INTO ol_logs (run, line, node, visit, attempt, at, level, text)"
    " SELECT %s, %s, %s, %s, %s, %s, %s, %s FROM DUAL WHERE @w = %s"
)
_START: Final = (
    "UPDATE ol_runs SET status = 'RUNNING', started = %s, deadline = %s + %s"
    " WHERE id = %s AND started IS NULL AND @w = %s"
)
_END: Final = (
    "UPDATE ol_runs SET status = %s, finished = %s, variables = %s, error = %s, started = COALESCE(started, %s)"
    " WHERE id = %s AND finished IS NULL AND @w = %s"
)
_tokens = count(1 << 60)
"""Higher than the number of any row, and never the same twice in a process, to which its connections belong."""


def writes_run(step: Step) -> bool:
    """Return whether a step may write the row of its run."""
    return step.starts is not None or (step.ending is not None and step.ending.home is None)


def statements(driver: int, step: Step, now: float) -> Iterator[str]:
    """Yield what writes a step without its joins and signals; the first one's count says whether it is written."""
    token = next(_tokens)
    if step.ending is None:
        yield _advanced(driver, step, token)
    else:
        yield _finished(step, step.ending, token, now)
    if len(step.tasks) == 1 and not (step.attempts or step.logs or writes_run(step)):
        yield put(_ONLY_TASK, step.line, step.before, step.run, *step.tasks[0], token)
    elif step.tasks or step.attempts or step.logs or writes_run(step):
        yield _KEEP
        yield from _besides(step, token, now)


def _advanced(driver: int, step: Step, token: int) -> str:
    counted = step.before + len(step.tasks)
    owner = driver if step.keep else None
    values = (
        token, step.status, step.cursor, step.attempt, step.began, step.executor, step.crashes, step.state, counted,
        step.due, owner,
    )  # fmt: skip
    guard = (step.line, step.epoch, step.seq, step.halt)
    if step.vars is None:
        return put(_PLAIN, *values, *guard)
    return put(_WITH_SNAPSHOT, *values, step.vars, counted, *guard)


def _finished(step: Step, ending: Ending, token: int, now: float) -> str:
    counted = step.before + len(step.tasks)
    values = (token, step.status, step.cursor, counted, now, ending.result, ending.error)
    guard = (step.line, step.epoch, step.seq, step.halt)
    if ending.variables is None:
        return put(_ENDS, *values, *guard)
    # A snapshot that comes with the end would be read by nobody: the end's own variables take its place.
    return put(_ENDS_WITH, *values, ending.variables, counted, *guard)


def _besides(step: Step, token: int, now: float) -> Iterator[str]:
    for number, task in enumerate(step.tasks, step.before):
        yield put(_GUARDED_TASK, step.line, number, step.run, *task, token)
    for attempt in step.attempts:
        yield put(_ATTEMPT, step.line, *attempt, token)
    for log in step.logs:
        yield put(_LOG, *log, token)
    if step.starts is not None:
        yield put(_START, step.starts, step.starts, step.timeout, step.run, token)
    if step.ending is not None and step.ending.home is None:
        ending = step.ending
        yield put(_END, ending.status, now, ending.variables, ending.error, now, step.run, token)
