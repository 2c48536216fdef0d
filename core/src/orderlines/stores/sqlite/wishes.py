"""The wishes that stand on a run and its lines: to stop, to pause, to go on, to leave a node out."""

# ruff: noqa: S608 -- statements are put together from constants, values are bound

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.states import Halt, LineStatus, RunStatus

if TYPE_CHECKING:
    import sqlite3

_SKIPPABLE: Final = (
    f"(finished IS NULL AND status <> '{LineStatus.HANDLER}' AND halt <= {Halt.SKIP})"
    f" OR status IN ('{LineStatus.FAILURE}', '{LineStatus.STOP}')"
)


def write_wish(db: sqlite3.Connection, run: int, wish: str) -> None:
    """Write a wish on a run and its lines; the first that ends it names how, and only such a one outdoes a pause."""
    if wish == "pause":
        db.execute(
            "UPDATE runs SET wish = ?, status = ? WHERE id = ? AND finished IS NULL AND wish IS NULL",
            (wish, RunStatus.PAUSED, run),
        )
        db.execute("UPDATE lines SET halt = ? WHERE run = ? AND finished IS NULL AND halt = 0", (Halt.PAUSE, run))
        return
    db.execute(
        "UPDATE runs SET wish = coalesce(nullif(wish, 'pause'), ?), status = CASE WHEN status <> ? THEN status"
        " WHEN started IS NULL THEN ? ELSE ? END WHERE id = ? AND finished IS NULL",
        (wish, RunStatus.PAUSED, RunStatus.PENDING, RunStatus.RUNNING, run),
    )
    db.execute("UPDATE lines SET halt = ? WHERE run = ? AND finished IS NULL", (Halt.STOP, run))


def take_back_pause(db: sqlite3.Connection, run: int) -> None:
    """Let a paused run go on."""
    db.execute(
        "UPDATE runs SET wish = NULL, status = CASE WHEN started IS NULL THEN ? ELSE ? END WHERE id = ?",
        (RunStatus.PENDING, RunStatus.RUNNING, run),
    )
    db.execute(
        "UPDATE lines SET halt = 0, waiting_since = NULL WHERE run = ? AND finished IS NULL AND halt = ?",
        (run, Halt.PAUSE),
    )


def mark_skipped(db: sqlite3.Connection, line: int, cursor: int, tasks: int) -> bool:
    """Mark a line to leave out the node that it stands at; return whether it stands there still."""
    marked = db.execute(
        f"UPDATE lines SET halt = ? WHERE id = ? AND cursor = ? AND tasks = ? AND ({_SKIPPABLE})",
        (Halt.SKIP, line, cursor, tasks),
    )
    return marked.rowcount == 1


def standing_wish(db: sqlite3.Connection, run: int) -> int:
    """Return what stands on the lines of a run as long as nothing ends it."""
    (wish,) = db.execute("SELECT wish FROM runs WHERE id = ?", (run,)).fetchone()
    return Halt.PAUSE if wish == "pause" else Halt.NONE
