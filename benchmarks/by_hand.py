"""The floor: what a run has to write, written by hand, with nothing around it.

The columns and the sizes of what is in them are those of a real step. Statements are prepared once:
:mod:`sqlite3` keeps them by their text.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_TABLES = (
    """CREATE TABLE IF NOT EXISTS runs (
        id INTEGER PRIMARY KEY, name TEXT, flow TEXT, status TEXT, created REAL, finished REAL, variables TEXT
    )""",
    """CREATE TABLE IF NOT EXISTS lines (
        id INTEGER PRIMARY KEY, run INTEGER, status TEXT, cursor INTEGER, seq INTEGER, epoch INTEGER, owner INTEGER,
        halt INTEGER, attempt INTEGER, began REAL, executor TEXT
    )""",
    """CREATE TABLE IF NOT EXISTS tasks (
        id INTEGER PRIMARY KEY, run INTEGER, node TEXT, visit INTEGER, status TEXT, attempt INTEGER, executor TEXT,
        started REAL, finished REAL, result TEXT, error TEXT, assigned TEXT
    )""",
)
_RUN = "INSERT INTO runs (name, flow, status, created) VALUES ('1m844zr5s9e7mswv1', 'three', 'PENDING', ?)"
_LINE = "INSERT INTO lines VALUES (NULL, ?, 'READY', 0, 0, 1, 1, 0, 0, NULL, NULL)"
_ADVANCE = """UPDATE lines SET seq = seq + 1, status = 'CALL', cursor = ?, attempt = 1, began = ?, executor = 'inline'
 WHERE id = ? AND epoch = 1 AND seq = ? AND halt <= 0"""
_TASK = "INSERT INTO tasks VALUES (NULL, ?, ?, 1, 'SUCCESS', 1, 'inline', ?, ?, ?, NULL, ?)"
_END = "UPDATE runs SET status = 'SUCCESS', finished = ?, variables = ? WHERE id = ?"


class ByHand:
    """A file of SQLite in WAL mode."""

    def __init__(self, path: Path | str, synchronous: str = "normal") -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute(f"PRAGMA synchronous={synchronous}")
        for statement in _TABLES:
            self.db.execute(statement)

    def close(self) -> None:
        """Close it."""
        self.db.close()

    def accept(self) -> tuple[int, int]:
        """Write a run and its line in one transaction and return their ids."""
        self.db.execute("BEGIN IMMEDIATE")
        run = self.db.execute(_RUN, (time.time(),)).lastrowid or 0
        line = self.db.execute(_LINE, (run,)).lastrowid or 0
        self.db.execute("COMMIT")
        return run, line

    def chain(self, count: int) -> None:
        """Accept a run and make its steps: for each an UPDATE, an INSERT and a COMMIT; the last one ends the run."""
        run, line = self.accept()
        began = time.time()
        for number in range(count):
            total = number + 1
            self.db.execute("BEGIN IMMEDIATE")
            now = time.time()
            self.db.execute(_ADVANCE, (number, now, line, number))
            self.db.execute(_TASK, (run, f"n{number}", began, now, str(total), f'{{"total":{total}}}'))
            if total == count:
                self.db.execute(_END, (now, f'{{"total":{total}}}', run))
            self.db.execute("COMMIT")
            began = now

    def fan(self, count: int) -> None:
        """Accept a run, write all its tasks in one transaction, and their sum in another one."""
        run, _ = self.accept()
        self.tasks(run, ((f"c{number}", "1") for number in range(count)))
        self.tasks(run, [("total", str(count))])

    def tasks(self, run: int, results: Iterable[tuple[str, str]]) -> None:
        """Write tasks, by node and result, in one transaction."""
        now = time.time()
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(_TASK, [(run, node, now, now, result, None) for node, result in results])
        self.db.execute("COMMIT")


if __name__ == "__main__":
    getattr(ByHand(sys.argv[1]), sys.argv[2])(int(sys.argv[3]))
