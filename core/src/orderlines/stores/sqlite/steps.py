"""Applying steps inside one transaction: the path of every step, so nothing here that a step does not need."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orderlines.states import Halt
from orderlines.stores.records import Committed, LineRow
from orderlines.stores.sqlite.columns import LINE_COLUMNS
from orderlines.stores.sqlite.joins import Finished, Home, count, insert_child, open_followers, shut, wake
from orderlines.stores.sqlite.logs import insert_logs
from orderlines.stores.sqlite.schema import TASK_BITS
from orderlines.stores.sqlite.signals import take_signal
from orderlines.stores.sqlite.wishes import standing_wish

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from orderlines.stores.records import Ending, Opening, Step

_ADVANCE = """UPDATE lines SET seq = seq + 1, status = ?, cursor = ?, attempt = ?, began = ?, executor = ?, crashes = ?,
 state = ?, tasks = ?, due = ?, owner = ? WHERE id = ? AND epoch = ? AND seq = ? AND halt <= ? AND finished IS NULL"""
_FINISH = """UPDATE lines SET seq = seq + 1, status = ?, cursor = ?, tasks = ?, finished = ?, result = ?, error = ?,
 vars = coalesce(?, vars), vars_at = CASE WHEN ? THEN ? ELSE vars_at END, owner = NULL, due = NULL, state = NULL
 WHERE id = ? AND epoch = ? AND seq = ? AND halt <= ? AND finished IS NULL"""
_SNAPSHOT = "UPDATE lines SET vars = ?, vars_at = tasks WHERE id = ?"
_TASK = """INSERT INTO tasks (id, run, node, visit, status, attempt, executor, started, finished, result, error,
 assigned) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_ATTEMPT = "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?)"
_START = "UPDATE runs SET status = 'RUNNING', started = ?, deadline = ? + ? WHERE id = ? AND started IS NULL"
_RING = (
    "UPDATE lines SET rings = rings + 1, rung = ?, waiting_since = coalesce(waiting_since, ?) WHERE id = ?"
    f" RETURNING {LINE_COLUMNS}"
)
_WRITTEN = Committed()


def apply_step(db: sqlite3.Connection, driver: int, step: Step, now: float) -> Committed:
    """Apply one step, whole or not at all, and say what became of it."""
    (
        line, run, epoch, seq, status, cursor, halt, before, tasks, attempt, began, executor, crashes, due, state,
        snapshot, starts, timeout, keep, attempts, lift, _, _, _, ending, logs, _, _,
    ) = step  # fmt: skip
    counted = before + len(tasks)
    if ending is None:
        owner = driver if keep else None
        row = (status, cursor, attempt, began, executor, crashes, state, counted, due, owner, line, epoch, seq, halt)
        written = db.execute(_ADVANCE, row).rowcount
    else:
        own = ending.variables
        end = (status, cursor, counted, now, ending.result, ending.error, own, own is not None, counted)
        written = db.execute(_FINISH, (*end, line, epoch, seq, halt)).rowcount
    if written != 1:
        return _refusal(db, step)
    if tasks:
        number = (line << TASK_BITS) + before
        for task in tasks:
            db.execute(_TASK, (number, run, *task))
            number += 1
    if snapshot is not None:
        db.execute(_SNAPSHOT, (snapshot, line))
    for item in attempts:
        db.execute(_ATTEMPT, (line, *item))
    if logs:
        insert_logs(db, logs)
    if starts is not None:
        db.execute(_START, (starts, starts, timeout, run))
    return _WRITTEN if keep and not lift else _let_go(db, driver, step, now)


def _let_go(db: sqlite3.Connection, driver: int, step: Step, now: float) -> Committed:
    """Do what comes with the rarer steps: those after which the line waits or has ended."""
    if step.lift:
        db.execute("UPDATE lines SET halt = ? WHERE id = ?", (standing_wish(db, step.run), step.line))
    if step.ending is not None:
        return _end(db, driver, step, step.ending, now)
    if step.opening is not None:
        return _shared_out(db, driver, _open_join(db, driver, step, step.opening), None, now)
    if step.closes is not None:
        return Committed(woken=_close_join(db, driver, step, step.closes, now))
    if step.moves:
        db.execute("UPDATE lines SET queue = ? WHERE id = ?", (step.queue, step.line))
        return Committed(left=note_rings(db, [step.line], now))
    if step.waits:
        return Committed(woken=take_signal(db, driver, step))
    return _WRITTEN


def _refusal(db: sqlite3.Connection, step: Step) -> Committed:
    row = db.execute("SELECT epoch, seq, halt, finished FROM lines WHERE id = ?", (step.line,)).fetchone()
    if row is None or row[0] != step.epoch or row[1] != step.seq or row[3] is not None:
        return Committed(refused="fenced")
    return Committed(refused="halted", halt=row[2])


def _open_join(db: sqlite3.Connection, driver: int, step: Step, opening: Opening) -> tuple[LineRow, ...]:
    total = len(opening.names)
    first = min(opening.limit, total) if not opening.after else 0
    after = json.dumps(opening.after) if opening.after else None
    span = None if step.due is None or step.began is None else step.due - step.began
    row = (step.line, opening.label, total, total, total - first, opening.stop_on_failure, opening.limit, after, span)
    cursor = db.execute(
        "INSERT INTO joins (line, label, state, total, remaining, unopened, stop_on_failure, bound, after, span)"
        " VALUES (?, ?, 'open', ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    join = cursor.lastrowid or 0
    home = Home(step.run, step.line, join, driver if opening.queue is None else None)
    if opening.after:
        db.executemany(
            "INSERT INTO followers (join_id, idx, missing) VALUES (?, ?, ?)",
            [(join, index, len(opening.after.get(index, ()))) for index in range(total)],
        )
        return open_followers(db, home, opening)
    return tuple(insert_child(db, home, opening, index) for index in range(first))


def _shared_out(
    db: sqlite3.Connection, driver: int, opened: tuple[LineRow, ...], woken: LineRow | None, now: float,
    *, freed: bool = False,
) -> Committed:  # fmt: skip
    """Tell what is the driver's from what is left to others; for a queue's lines a ring is noted."""
    if woken is not None and woken.owner != driver:
        left = note_rings(db, [woken.id], now) if woken.queue is not None else ()
        return Committed(opened=opened, freed=True, left=left)
    if opened and opened[0].owner != driver:
        return Committed(woken=woken, freed=freed, left=note_rings(db, [row.id for row in opened], now))
    return Committed(opened=opened, woken=woken, freed=freed)


def note_rings(db: sqlite3.Connection, lines: Iterable[int], now: float) -> tuple[LineRow, ...]:
    """Note that a bell is being rung for each of some lines, and return them as they then are."""
    return tuple(LineRow(*db.execute(_RING, (now, now, line)).fetchone()) for line in lines)


def _close_join(db: sqlite3.Connection, driver: int, step: Step, label: str, now: float) -> LineRow | None:
    join, state, remaining = db.execute(
        "SELECT id, state, remaining FROM joins WHERE line = ? AND label = ?", (step.line, label)
    ).fetchone()
    if state == "open":
        remaining = shut(db, join)
    if remaining:
        return None
    (queue,) = db.execute("SELECT queue FROM lines WHERE id = ?", (step.line,)).fetchone()
    return wake(db, driver, step.line, queue, now)


def _end(db: sqlite3.Connection, driver: int, step: Step, ending: Ending, now: float) -> Committed:
    if ending.home is None:
        db.execute(
            "UPDATE runs SET status = ?, finished = ?, variables = ?, error = ?, started = coalesce(started, ?)"
            " WHERE id = ? AND finished IS NULL",
            (ending.status, now, ending.variables, ending.error, now, step.run),
        )
        return _WRITTEN
    halt = standing_wish(db, step.run) if step.halt == Halt.SKIP else step.halt
    child = Finished(*ending.home, halt, now)
    opened, remaining, freed = count(db, driver, step.run, child, ending)
    woken = wake(db, driver, child.parent, ending.queue, now) if remaining == 0 else None
    if woken is None and (not opened or opened[0].owner is not None):
        return Committed(opened=opened, freed=freed) if opened or freed else _WRITTEN
    return _shared_out(db, driver, opened, woken, now, freed=freed)
