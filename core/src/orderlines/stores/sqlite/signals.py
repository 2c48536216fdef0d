"""Signals: kept until a line waits for them, given to the one that does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orderlines.errors import Refused
from orderlines.states import Halt, LineStatus
from orderlines.stores.addressing import addressed
from orderlines.stores.records import LineRow
from orderlines.stores.sqlite.columns import LINE_COLUMNS

if TYPE_CHECKING:
    import sqlite3

    from orderlines.stores.records import RunRow, Step


def send_signal(db: sqlite3.Connection, run: RunRow, target: str, key: str | None, data: str, now: float) -> bool:
    """Keep a signal, and give it to the line that waits for it; return whether its key was not there before.

    :raises Refused: the run has ended; several lines wait for it.
    """
    if run.finished is not None:
        raise Refused(f"run {run.name} has ended; nothing in it waits for a signal any more")
    if key is not None and db.execute("SELECT 1 FROM signals WHERE run = ? AND key = ?", (run.id, key)).fetchone():
        return False
    waiting = db.execute(
        "SELECT id, path, state FROM lines WHERE run = ? AND status = ? AND halt < ? ORDER BY id",
        (run.id, LineStatus.SIGNAL, Halt.SKIP),
    ).fetchall()
    line = addressed(target, [(number, path, json.loads(state)) for number, path, state in waiting])
    db.execute(
        "INSERT INTO signals (run, target, key, data, created, line) VALUES (?, ?, ?, ?, ?, ?)",
        (run.id, target, key, data, now, line),
    )
    if line is not None:
        db.execute(
            "UPDATE lines SET status = ?, state = ?, due = NULL, owner = NULL, epoch = epoch + 1 WHERE id = ?",
            (LineStatus.SIGNALLED, data, line),
        )
    return True


def take_signal(db: sqlite3.Connection, driver: int, step: Step) -> LineRow | None:
    """Give a line that begins to wait the signal that was there before it, if there is one."""
    marks = ", ".join("?" * len(step.waits))
    found = db.execute(
        f"SELECT id, data FROM signals WHERE run = ? AND line IS NULL AND target IN ({marks}) ORDER BY id LIMIT 1",
        (step.run, *step.waits),
    ).fetchone()
    if found is None:
        return None
    db.execute("UPDATE signals SET line = ? WHERE id = ?", (step.line, found[0]))
    row = db.execute(
        f"UPDATE lines SET status = ?, state = ?, due = NULL, owner = ?, epoch = epoch + 1 WHERE id = ?"
        f" RETURNING {LINE_COLUMNS}",
        (LineStatus.SIGNALLED, found[1], driver, step.line),
    ).fetchone()
    return LineRow(*row)
