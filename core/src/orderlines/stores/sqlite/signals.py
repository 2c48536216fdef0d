"""Signals: kept until a line waits for them, given to the one that does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.errors import Refused
from orderlines.states import Halt, LineStatus
from orderlines.stores.addressing import Waiting, addressed, as_listed, taker, way_to
from orderlines.stores.records import LineRow
from orderlines.stores.sqlite.columns import LINE_COLUMNS

if TYPE_CHECKING:
    import sqlite3

    from orderlines.stores.records import RunRow, Step


_ROOT: Final = "SELECT min(id) FROM lines WHERE run = ?"
_LINE: Final = "SELECT id, path, state, tasks FROM lines WHERE id = ? AND status = ? AND halt < ?"
_LINES: Final = """SELECT id, path, state, tasks FROM lines
 WHERE run = ? AND finished IS NULL AND status = ? AND halt < ? AND instr(state, ?) ORDER BY id"""
_CHILD: Final = """SELECT lines.id FROM joins CROSS JOIN lines ON lines.join_id = joins.id
 WHERE joins.line = ? AND joins.label = ? AND lines.path = ?"""


def send_signal(db: sqlite3.Connection, run: RunRow, target: str, key: str | None, data: str, now: float) -> bool:
    """Keep a signal, and give it to the line that waits for it; return whether its key was not there before.

    :raises Refused: the run has ended; several lines wait for it.
    """
    if run.finished is not None:
        raise Refused(f"run {run.name} has ended; nothing in it waits for a signal any more")
    if key is not None and db.execute("SELECT 1 FROM signals WHERE run = ? AND key = ?", (run.id, key)).fetchone():
        return False
    line = _named(db, run.id, target) or _waiting(db, run.id, target)
    by = None if line is None else taker(line.id, line.tasks, root=not line.path)
    db.execute(
        "INSERT INTO signals (run, target, key, data, created, line) VALUES (?, ?, ?, ?, ?, ?)",
        (run.id, target, key, data, now, by),
    )
    if line is not None:
        db.execute(
            "UPDATE lines SET status = ?, state = ?, due = NULL, owner = NULL, epoch = epoch + 1 WHERE id = ?",
            (LineStatus.SIGNALLED, data, line.id),
        )
    return True


def _named(db: sqlite3.Connection, run: int, target: str) -> Waiting | None:
    """Return the line that an address names, LINE/NODE, if it waits there; however many others do, costs nothing."""
    way = way_to(target)
    found = db.execute(_ROOT, (run,)).fetchall() if way else []
    for label, path, place in way:
        if found:
            at, values = ("", ()) if place is None else (" AND lines.idx = ?", (place,))
            found = db.execute(_CHILD + at, (found[0][0], label, path, *values)).fetchall()
    if found:
        found = db.execute(_LINE, (found[0][0], LineStatus.SIGNAL, Halt.SKIP)).fetchall()
    return addressed(target, [Waiting(*row) for row in found])


def _waiting(db: sqlite3.Connection, run: int, target: str) -> Waiting | None:
    """Return the line that waits under an address, whichever it is."""
    found = db.execute(_LINES, (run, LineStatus.SIGNAL, Halt.SKIP, as_listed(target)))
    return addressed(target, [Waiting(*row) for row in found])


def take_signal(db: sqlite3.Connection, driver: int, step: Step) -> LineRow | None:
    """Give a line that begins to wait the signal that was there before it, if there is one."""
    marks = ", ".join("?" * len(step.waits))
    found = db.execute(
        f"SELECT id, data FROM signals WHERE run = ? AND line IS NULL AND target IN ({marks}) ORDER BY id LIMIT 1",
        (step.run, *step.waits),
    ).fetchone()
    if found is None:
        return None
    updated = db.execute(
        f"UPDATE lines SET status = ?, state = ?, due = NULL, owner = ?, epoch = epoch + 1 WHERE id = ?"
        f" RETURNING {LINE_COLUMNS}",
        (LineStatus.SIGNALLED, found[1], driver, step.line),
    ).fetchone()
    line = LineRow(*updated)
    by = taker(line.id, line.tasks, root=line.parent is None)
    db.execute("UPDATE signals SET line = ? WHERE id = ?", (by, found[0]))
    return line
