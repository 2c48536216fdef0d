"""Applying steps inside one transaction: the path of every step, so nothing here that a step does not need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.states import Halt, LineStatus
from orderlines.stores.records import Committed, LineRow
from orderlines.stores.sqlite.schema import TASK_BITS

if TYPE_CHECKING:
    import sqlite3

    from orderlines.stores.records import Ending, Opening, Step

LINE_COLUMNS = (
    "id, run, path, parent, join_id, idx, block, status, cursor, seq, epoch, owner, halt, due, attempt, began,"
    " executor, crashes, state, tasks, vars, vars_at"
)
_ADVANCE = """UPDATE lines SET seq = seq + 1, status = ?, cursor = ?, attempt = ?, began = ?, executor = ?, crashes = ?,
 state = ?, tasks = tasks + ?, due = ?, owner = ? WHERE id = ? AND epoch = ? AND seq = ? AND halt <= ?
 AND finished IS NULL RETURNING tasks"""
_SNAPSHOT = "UPDATE lines SET vars = ?, vars_at = tasks WHERE id = ?"
_TASK = """INSERT INTO tasks (id, run, node, visit, status, attempt, executor, started, finished, result, error,
 assigned) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_ATTEMPT = "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?)"
_CHILD = f"""INSERT INTO lines ({LINE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 1, ?, 0, NULL, 0, NULL, NULL, 0,
 NULL, 0, NULL, 0)"""


def apply_step(db: sqlite3.Connection, driver: int, step: Step, now: float) -> Committed:
    """Apply one step, whole or not at all, and say what became of it."""
    row = db.execute(
        _ADVANCE,
        (
            step.status,
            step.cursor,
            step.attempt,
            step.began,
            step.executor,
            step.crashes,
            step.state,
            len(step.tasks),
            step.due,
            driver if step.keep else None,
            step.line,
            step.epoch,
            step.seq,
            step.halt,
        ),
    ).fetchone()
    if row is None:
        return _refusal(db, step)
    if step.tasks:
        _insert_tasks(db, step, row[0])
    if step.vars is not None:
        db.execute(_SNAPSHOT, (step.vars, step.line))
    for item in step.attempts:
        db.execute(_ATTEMPT, (step.line, *item))
    if step.starts:
        db.execute(
            "UPDATE runs SET status = 'RUNNING', started = ?, deadline = ? + ? WHERE id = ? AND started IS NULL",
            (now, now, step.timeout, step.run),
        )
    if step.lift:
        db.execute("UPDATE lines SET halt = 0 WHERE id = ?", (step.line,))
    if step.ending is not None:
        return _end(db, driver, step, step.ending, now)
    if step.opening is not None:
        return Committed(opened=_open_join(db, driver, step, step.opening))
    if step.closes is not None:
        return Committed(woken=_close_join(db, driver, step, *step.closes))
    return Committed()


def _insert_tasks(db: sqlite3.Connection, step: Step, tasks: int) -> None:
    first = (step.line << TASK_BITS) + tasks - len(step.tasks)
    for number, task in enumerate(step.tasks):
        db.execute(_TASK, (first + number, step.run, *task))


def _refusal(db: sqlite3.Connection, step: Step) -> Committed:
    row = db.execute("SELECT epoch, seq, halt, finished FROM lines WHERE id = ?", (step.line,)).fetchone()
    if row is None or row[0] != step.epoch or row[1] != step.seq or row[3] is not None:
        return Committed(refused="fenced")
    return Committed(refused="halted", halt=row[2])


def _open_join(db: sqlite3.Connection, driver: int, step: Step, opening: Opening) -> tuple[LineRow, ...]:
    total = len(opening.names)
    first = min(opening.limit, total)
    cursor = db.execute(
        "INSERT INTO joins (line, node, visit, state, total, remaining, next, stop_on_failure)"
        " VALUES (?, ?, ?, 'open', ?, ?, ?, ?)",
        (step.line, opening.node, opening.visit, total, total, first, opening.stop_on_failure),
    )
    join = cursor.lastrowid or 0
    return tuple(_insert_child(db, driver, step.run, step.line, join, opening, index) for index in range(first))


def _insert_child(
    db: sqlite3.Connection, driver: int, run: int, parent: int, join: int, opening: Opening, index: int
) -> LineRow:
    path = opening.prefix + opening.names[index]
    block = opening.blocks[index]
    fields = (run, path, parent, join, index, block, LineStatus.READY)
    line = db.execute(_CHILD, (None, *fields, driver)).lastrowid or 0
    return LineRow(line, *fields, 0, 0, 1, driver, 0, None, 0, None, None, 0, None, 0, None, 0)


def _close_join(db: sqlite3.Connection, driver: int, step: Step, node: str, visit: int) -> LineRow | None:
    join, state, remaining = db.execute(
        "SELECT id, state, remaining FROM joins WHERE line = ? AND node = ? AND visit = ?", (step.line, node, visit)
    ).fetchone()
    if state == "open":
        remaining = _shut(db, join)
    return _wake(db, driver, step.line) if remaining == 0 else None


def _shut(db: sqlite3.Connection, join: int) -> int:
    """Open no more children of a join and tell the open ones to stop; return how many are still to finish."""
    db.execute(
        "UPDATE joins SET state = 'closing', remaining = remaining - (total - next), total = next WHERE id = ?", (join,)
    )
    db.execute("UPDATE lines SET halt = ? WHERE join_id = ? AND finished IS NULL", (Halt.STOP, join))
    remaining: int = db.execute("SELECT remaining FROM joins WHERE id = ?", (join,)).fetchone()[0]
    return remaining


def _end(db: sqlite3.Connection, driver: int, step: Step, ending: Ending, now: float) -> Committed:
    parent, join, halt = db.execute(
        "UPDATE lines SET finished = ?, owner = NULL, result = ?, error = ?, vars = ?, vars_at = tasks WHERE id = ?"
        " RETURNING parent, join_id, halt",
        (now, ending.result, ending.error, ending.variables, step.line),
    ).fetchone()
    if parent is None:
        db.execute(
            "UPDATE runs SET status = ?, finished = ?, variables = ?, error = ?, started = coalesce(started, ?)"
            " WHERE id = ? AND finished IS NULL",
            (ending.status, now, ending.variables, ending.error, now, step.run),
        )
        return Committed()
    return _count(db, driver, step, ending, (parent, join, halt))


def _count(db: sqlite3.Connection, driver: int, step: Step, ending: Ending, place: tuple[int, int, int]) -> Committed:
    """Count a finished child at its join: open the next one, close the join, or wake the parent."""
    parent, join, halt = place
    state, total, remaining, following, strict = db.execute(
        "UPDATE joins SET remaining = remaining - 1 WHERE id = ?"
        " RETURNING state, total, remaining, next, stop_on_failure",
        (join,),
    ).fetchone()
    opened: tuple[LineRow, ...] = ()
    if state == "open":
        if strict and ending.status == LineStatus.FAILURE:
            remaining = _shut(db, join)
        elif following < total and halt == Halt.NONE and ending.siblings is not None:
            db.execute("UPDATE joins SET next = next + 1 WHERE id = ?", (join,))
            opened = (_insert_child(db, driver, step.run, parent, join, ending.siblings, following),)
    return Committed(opened=opened, woken=_wake(db, driver, parent) if remaining == 0 else None)


def _wake(db: sqlite3.Connection, driver: int, parent: int) -> LineRow | None:
    """Give the parent of a finished join to this driver. Its epoch rises: whoever had it open is fenced off."""
    row = db.execute(
        f"UPDATE lines SET status = ?, owner = ?, epoch = epoch + 1, due = NULL WHERE id = ? AND status = ?"
        f" RETURNING {LINE_COLUMNS}",
        (LineStatus.JOINED, driver, parent, LineStatus.JOIN),
    ).fetchone()
    return None if row is None else LineRow(*row)
