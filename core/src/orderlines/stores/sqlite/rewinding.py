"""Taking a run back to an earlier node of its root line: what came later is as if it had never been."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.states import LineStatus
from orderlines.stores.sqlite.schema import TASK_BITS

if TYPE_CHECKING:
    import sqlite3

    from orderlines.stores.records import Rewind

_BACK: Final = """UPDATE lines SET status = ?, cursor = ?, tasks = ?, vars_at = 0, epoch = epoch + 1, attempt = 0,
 halt = 0, owner = NULL, began = NULL, due = NULL, executor = NULL, crashes = 0, state = NULL, result = NULL,
 error = NULL, finished = NULL WHERE id = ?"""
_BELOW: Final = """WITH RECURSIVE below (id) AS (
 SELECT id FROM lines WHERE join_id = ?
 UNION ALL SELECT lines.id FROM below JOIN joins ON joins.line = below.id JOIN lines ON lines.join_id = joins.id
) SELECT id FROM below"""

_FREE: Final = """UPDATE signals SET key = NULL WHERE run = ? AND key IS NOT NULL
 AND (line < ? OR line > 0 AND line NOT IN (SELECT id FROM lines WHERE run = ?))"""


def rewind(db: sqlite3.Connection, run: int, root: int, to: Rewind) -> None:
    """Take the root line of a run that has ended back, with all that it opened since."""
    first = root << TASK_BITS
    kept = set(db.execute("SELECT node, visit FROM tasks WHERE id >= ? AND id < ?", (first, first + to.tasks)))
    for join, label in db.execute("SELECT id, label FROM joins WHERE line = ?", (root,)).fetchall():
        node, _, visit = label.rpartition("#")
        if (node, int(visit.partition(".")[0])) not in kept:
            _void(db, join)
    attempts = db.execute("SELECT DISTINCT node, visit FROM attempts WHERE line = ?", (root,)).fetchall()
    void = [(root, *visit) for visit in attempts if visit not in kept]
    db.executemany("DELETE FROM attempts WHERE line = ? AND node = ? AND visit = ?", void)
    db.execute("DELETE FROM tasks WHERE id >= ? AND id < ?", (first + to.tasks, (root + 1) << TASK_BITS))
    db.execute("UPDATE rounds SET vars = NULL WHERE run = ? AND tasks > ?", (run, to.tasks))
    db.execute(_FREE, (run, -to.tasks, run))
    db.execute(_BACK, (LineStatus.READY, to.cursor, to.tasks, root))


def _void(db: sqlite3.Connection, join: int) -> None:
    """Take away a join with the lines that it opened, and all that these opened."""
    lines = db.execute(_BELOW, (join,)).fetchall()
    joins = [(join,)]
    for line in lines:
        joins += db.execute("SELECT id FROM joins WHERE line = ?", line)
        first = line[0] << TASK_BITS
        db.execute("DELETE FROM tasks WHERE id >= ? AND id < ?", (first, first + (1 << TASK_BITS)))
    db.executemany("DELETE FROM attempts WHERE line = ?", lines)
    db.executemany("DELETE FROM lines WHERE id = ?", lines)
    db.executemany("DELETE FROM followers WHERE join_id = ?", joins)
    db.executemany("DELETE FROM joins WHERE id = ?", joins)
