"""The tables of the embedded store.

The path of a step touches no index: it updates a line by its row id and inserts a task whose row id is the line's id
and the task's number in it (``TASK_BITS`` bits), so that the tasks of a line lie side by side.
"""

from __future__ import annotations

from typing import Final

SCHEMA_VERSION: Final = 1
TASK_BITS: Final = 24

TABLES: Final = (
    """CREATE TABLE flows (
        digest TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, body TEXT NOT NULL, created REAL NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, flow TEXT NOT NULL, version TEXT NOT NULL,
        digest TEXT NOT NULL, status TEXT NOT NULL, wish TEXT, key TEXT, vars TEXT NOT NULL, executor TEXT,
        created REAL NOT NULL, started REAL, deadline REAL, finished REAL, variables TEXT, error TEXT
    )""",
    "CREATE UNIQUE INDEX runs_key ON runs (flow, key) WHERE key IS NOT NULL",
    "CREATE INDEX runs_open ON runs (deadline) WHERE finished IS NULL",
    """CREATE TABLE lines (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL, path TEXT NOT NULL, parent INTEGER, join_id INTEGER,
        idx INTEGER NOT NULL, block INTEGER NOT NULL, status TEXT NOT NULL, cursor INTEGER NOT NULL,
        seq INTEGER NOT NULL, epoch INTEGER NOT NULL, owner INTEGER, halt INTEGER NOT NULL, due REAL,
        attempt INTEGER NOT NULL, began REAL, executor TEXT, crashes INTEGER NOT NULL, state TEXT,
        tasks INTEGER NOT NULL, vars TEXT, vars_at INTEGER NOT NULL, result TEXT, error TEXT, finished REAL
    )""",
    "CREATE INDEX lines_run ON lines (run)",
    "CREATE INDEX lines_open ON lines (run) WHERE finished IS NULL",
    "CREATE INDEX lines_join ON lines (join_id, idx) WHERE join_id IS NOT NULL",
    """CREATE TABLE joins (
        id INTEGER PRIMARY KEY, line INTEGER NOT NULL, node TEXT NOT NULL, visit INTEGER NOT NULL, state TEXT NOT NULL,
        total INTEGER NOT NULL, remaining INTEGER NOT NULL, next INTEGER NOT NULL, stop_on_failure INTEGER NOT NULL,
        UNIQUE (line, node, visit)
    )""",
    """CREATE TABLE tasks (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL, node TEXT NOT NULL, visit INTEGER NOT NULL, status TEXT NOT NULL,
        attempt INTEGER NOT NULL, executor TEXT, started REAL NOT NULL, finished REAL NOT NULL, result TEXT, error TEXT,
        assigned TEXT
    )""",
    """CREATE TABLE attempts (
        line INTEGER NOT NULL, node TEXT NOT NULL, visit INTEGER NOT NULL, attempt INTEGER NOT NULL,
        started REAL NOT NULL, finished REAL NOT NULL, error TEXT NOT NULL,
        PRIMARY KEY (line, node, visit, attempt)
    ) WITHOUT ROWID""",
    """CREATE TABLE drivers (
        id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL, boot TEXT NOT NULL,
        namespace INTEGER NOT NULL, pid INTEGER NOT NULL, start INTEGER NOT NULL, beats INTEGER NOT NULL
    )""",
)
