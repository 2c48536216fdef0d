"""The tables of the embedded store, and that of large values, which may be in a file of its own.

The path of a step touches no index: it updates a line by its row id and inserts a task whose row id is the line's id
and the task's number in it (``TASK_BITS`` bits), so that the tasks of a line lie side by side.
"""

from __future__ import annotations

from typing import Final, NamedTuple

SCHEMA_VERSION: Final = 2
"""Each version has a step that leads to it, in :mod:`orderlines.stores.sqlite.upgrades`."""
TASK_BITS: Final = 24

_VALUES: Final = """CREATE TABLE large_values (
        run TEXT NOT NULL, sha256 TEXT NOT NULL, store TEXT NOT NULL, written REAL NOT NULL, body BLOB NOT NULL,
        UNIQUE (run, sha256)
    )"""
_TABLES: Final = (
    # by which result stores know whose values they keep
    "CREATE TABLE store (identity TEXT NOT NULL)",
    "INSERT INTO store VALUES (lower(hex(randomblob(16))))",
    _VALUES,
    """CREATE TABLE flows (
        digest TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, body TEXT NOT NULL, created REAL NOT NULL
    ) WITHOUT ROWID""",
    # never the number of a run that was there before
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, flow TEXT NOT NULL, version TEXT NOT NULL,
        digest TEXT NOT NULL, status TEXT NOT NULL, wish TEXT, key TEXT, vars TEXT NOT NULL, executor TEXT,
        created REAL NOT NULL, started REAL, deadline REAL, finished REAL, variables TEXT, error TEXT,
        round INTEGER NOT NULL DEFAULT 1, pruned INTEGER NOT NULL DEFAULT 0
    )""",
    "CREATE UNIQUE INDEX runs_key ON runs (flow, key) WHERE key IS NOT NULL",
    "CREATE INDEX runs_open ON runs (deadline) WHERE finished IS NULL",
    "CREATE INDEX runs_half_pruned ON runs (id) WHERE pruned = 1",
    """CREATE TABLE rounds (
        run INTEGER NOT NULL, round INTEGER NOT NULL, status TEXT NOT NULL, finished REAL NOT NULL, error TEXT,
        tasks INTEGER NOT NULL, vars TEXT, PRIMARY KEY (run, round)
    ) WITHOUT ROWID""",
    # never the number of a line that was there before: a driver that comes back late may speak of that one
    """CREATE TABLE lines (
        id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, path TEXT NOT NULL, parent INTEGER, join_id INTEGER,
        idx INTEGER NOT NULL, block INTEGER NOT NULL, status TEXT NOT NULL, cursor INTEGER NOT NULL,
        seq INTEGER NOT NULL, epoch INTEGER NOT NULL, owner INTEGER, halt INTEGER NOT NULL, due REAL,
        attempt INTEGER NOT NULL, began REAL, executor TEXT, crashes INTEGER NOT NULL, state TEXT,
        tasks INTEGER NOT NULL, vars TEXT, vars_at INTEGER NOT NULL, flow TEXT, queue TEXT,
        rings INTEGER NOT NULL, rung REAL, result TEXT, error TEXT, finished REAL,
        waiting_since REAL
    )""",
    "CREATE INDEX lines_run ON lines (run)",
    "CREATE INDEX lines_open ON lines (run) WHERE finished IS NULL",
    "CREATE INDEX lines_queue ON lines (queue, id) WHERE finished IS NULL AND queue IS NOT NULL",
    "CREATE INDEX lines_join ON lines (join_id, idx) WHERE join_id IS NOT NULL",
    """CREATE TABLE joins (
        id INTEGER PRIMARY KEY, line INTEGER NOT NULL, label TEXT NOT NULL, state TEXT NOT NULL, total INTEGER NOT NULL,
        remaining INTEGER NOT NULL, unopened INTEGER NOT NULL, stop_on_failure INTEGER NOT NULL,
        bound INTEGER NOT NULL, after TEXT, span REAL, queued INTEGER NOT NULL DEFAULT 0, UNIQUE (line, label)
    )""",
    """CREATE TABLE followers (
        join_id INTEGER NOT NULL, idx INTEGER NOT NULL, missing INTEGER NOT NULL, PRIMARY KEY (join_id, idx)
    ) WITHOUT ROWID""",
    # those that may open: without it each end of a line would look at all that still wait
    "CREATE INDEX followers_ready ON followers (join_id, missing)",
    # `line`: who took it, as `orderlines.stores.addressing.taker` says
    """CREATE TABLE signals (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL, target TEXT NOT NULL, key TEXT, data TEXT NOT NULL,
        created REAL NOT NULL, line INTEGER
    )""",
    "CREATE UNIQUE INDEX signals_key ON signals (run, key) WHERE key IS NOT NULL",
    "CREATE INDEX signals_open ON signals (run) WHERE line IS NULL",
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
    """CREATE TABLE logs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, line INTEGER NOT NULL, node TEXT NOT NULL,
        visit INTEGER NOT NULL, attempt INTEGER NOT NULL, at REAL NOT NULL, level TEXT, text TEXT NOT NULL
    )""",
    "CREATE INDEX logs_run ON logs (run, at)",
    """CREATE TABLE progress (
        line INTEGER PRIMARY KEY, run INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
        report TEXT NOT NULL
    )""",
    "CREATE INDEX progress_run ON progress (run)",
    """CREATE TABLE drivers (
        id INTEGER PRIMARY KEY AUTOINCREMENT, host TEXT NOT NULL, boot TEXT NOT NULL,
        namespace INTEGER NOT NULL, pid INTEGER NOT NULL, start INTEGER NOT NULL, beats INTEGER NOT NULL,
        lease REAL NOT NULL DEFAULT 15
    )""",
    # never the number of a schedule that was there before: a scheduler that comes back late may speak of that one
    """CREATE TABLE schedules (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, flow TEXT NOT NULL, version TEXT NOT NULL,
        digest TEXT NOT NULL, vars TEXT NOT NULL, executor TEXT, trigger TEXT NOT NULL, misfire TEXT NOT NULL,
        overlap TEXT NOT NULL, grace INTEGER NOT NULL, starts INTEGER, ends INTEGER, queue TEXT,
        created REAL NOT NULL, paused INTEGER NOT NULL, due INTEGER
    )""",
    "CREATE INDEX schedules_due ON schedules (due) WHERE NOT paused",
    """CREATE TABLE slots (
        schedule TEXT NOT NULL, slot INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT, run INTEGER,
        noted REAL NOT NULL, PRIMARY KEY (schedule, slot)
    ) WITHOUT ROWID""",
    "CREATE INDEX slots_open ON slots (slot) WHERE state IN ('TAKEN', 'WAITING')",
)


class Schema(NamedTuple):
    """What a file is to hold: the statements that make it, in an empty one, and the tables that tell it from others."""

    statements: tuple[str, ...]
    known_by: frozenset[str]


STORE: Final = Schema(_TABLES, frozenset({"runs", "lines", "drivers"}))
VALUES: Final = Schema((_VALUES,), frozenset({"large_values"}))
