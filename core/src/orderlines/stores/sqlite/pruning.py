"""Taking runs away: a run goes out of sight at once, and what belongs to it in many short transactions."""

# ruff: noqa: S608 -- statements are put together from constants, values are bound

from __future__ import annotations

import json
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from orderlines.stores.records import EndedRun
from orderlines.stores.references import fingerprint
from orderlines.stores.sqlite.schema import TASK_BITS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator

    from orderlines.stores.sqlite.connection import Connections

ROWS: Final = 2_000
"""Rows that one transaction deletes, at most."""
REST: Final = 0.002
"""Seconds between two transactions, in which others get their turn."""
_HALF: Final = 1
"""In the column ``pruned``: out of sight, with rows of it left; then what is left is the run's own row, for its key."""
_WHOLE: Final = 2
_OF_RUNS: Final = (("logs", "id"), ("signals", "id"), ("progress", "line"), ("rounds", "round"))
"""Tables that know their run, each with what tells the rows of one run apart."""
_TEXTS: Final = (
    "SELECT vars FROM runs WHERE id = :run UNION ALL SELECT variables FROM runs WHERE id = :run",
    "SELECT vars FROM lines WHERE run = :run UNION ALL SELECT result FROM lines WHERE run = :run",
    "SELECT state FROM lines WHERE run = :run UNION ALL SELECT vars FROM rounds WHERE run = :run",
    "SELECT data FROM signals WHERE run = :run",
    "SELECT attempts.error FROM lines JOIN attempts ON attempts.line = lines.id WHERE lines.run = :run",
    *(
        f"SELECT tasks.{column} FROM lines JOIN tasks ON tasks.id >= lines.id << {TASK_BITS}"
        f" AND tasks.id < (lines.id + 1) << {TASK_BITS} WHERE lines.run = :run"
        for column in ("result", "assigned")
    ),
)
_UNNAMED: Final = """DELETE FROM flows WHERE digest NOT IN (WITH RECURSIVE named (digest) AS (
 SELECT digest FROM runs WHERE pruned = 0
 UNION SELECT digest FROM schedules
 UNION SELECT digest FROM (SELECT digest, row_number() OVER (PARTITION BY name ORDER BY created DESC) AS age FROM flows)
 WHERE age = 1
 UNION SELECT pin.value FROM named JOIN flows ON flows.digest = named.digest,
 json_each(CASE WHEN json_valid(flows.body) THEN flows.body ELSE '{}' END, '$.flows') AS pin
) SELECT digest FROM named)"""


def marked_texts(db: sqlite3.Connection, run: int, mark: str) -> list[str]:
    """Return the texts in the rows of a run that begin with a mark."""
    found = []
    for texts in _TEXTS:
        query = f"SELECT text FROM (SELECT NULL AS text UNION ALL {texts}) WHERE substr(text, 1, :size) = :mark"
        found += [row[0] for row in db.execute(query, {"run": run, "mark": mark, "size": len(mark)})]
    return found


def prunable_runs(
    db: sqlite3.Connection, before: float, statuses: Collection[str], limit: int, after: int
) -> list[EndedRun]:
    """Return runs that may be taken away."""
    wanted = json.dumps(list(statuses))
    rows = db.execute(
        "SELECT id, name FROM runs WHERE id > ? AND (pruned = ? OR pruned = 0 AND finished < ?"
        " AND (? = 0 OR status IN (SELECT value FROM json_each(?)))) ORDER BY id LIMIT ?",
        (after, _HALF, before, len(statuses), wanted, limit),
    )
    return [EndedRun(*row) for row in rows]


def delete_unnamed_flows(db: sqlite3.Connection) -> int:
    """Delete the flows that nobody names; return how many."""
    return db.execute(_UNNAMED).rowcount


def prune_runs(connections: Connections, runs: Collection[int], before: float) -> list[int]:
    """Take runs away, but for those that go on or ended too late; return those that are gone now, by nobody else."""
    waiting = deque(runs)
    gone: list[int] = []
    while waiting:
        with connections.writing() as db:
            gone += _batch(db, waiting, before)
        if waiting:
            time.sleep(REST)
    return gone


def _batch(db: sqlite3.Connection, waiting: deque[int], before: float) -> Iterator[int]:
    """Delete the rows of one transaction; take from those that wait the runs that are done with, and yield the gone."""
    left = ROWS
    while waiting:
        run = waiting[0]
        if _hide(db, run, before):
            left -= _delete_some(db, run, left)
            if left <= 0:
                return
            if _finish(db, run):
                yield run
        left -= 1
        waiting.popleft()


def _hide(db: sqlite3.Connection, run: int, before: float) -> bool:
    """Take a run out of sight; return whether something of it is to be deleted now."""
    found = db.execute(
        "SELECT vars, pruned FROM runs WHERE id = ? AND (pruned = ? OR pruned = 0 AND finished < ?)",
        (run, _HALF, before),
    ).fetchone()
    if found is not None and not found[1]:
        db.execute(
            "UPDATE runs SET pruned = ?, vars = ?, variables = NULL, error = NULL WHERE id = ?",
            (_HALF, fingerprint(found[0]), run),
        )
    return found is not None


def _finish(db: sqlite3.Connection, run: int) -> bool:
    """Delete the row of a run that has no others, or leave it for its key; return whether nobody else has."""
    gone = db.execute("DELETE FROM runs WHERE id = ? AND pruned = ? AND key IS NULL", (run, _HALF)).rowcount
    left = db.execute("UPDATE runs SET pruned = ? WHERE id = ? AND pruned = ?", (_WHOLE, run, _HALF)).rowcount
    return gone + left == 1


def _delete_some(db: sqlite3.Connection, run: int, most: int) -> int:
    """Delete rows of a run; return how many: fewer than ``most`` once none is left."""
    left = most
    for table, id_ in _OF_RUNS:
        left -= db.execute(
            f"DELETE FROM {table} WHERE run = ? AND {id_} IN (SELECT {id_} FROM {table} WHERE run = ? LIMIT ?)",
            (run, run, left),
        ).rowcount
    lines = db.execute("SELECT id FROM lines WHERE run = ? ORDER BY id DESC LIMIT ?", (run, most)).fetchall()
    for (line,) in lines:
        for gone in _delete_line(db, line, left):
            left -= gone
        if left <= 0:
            break
    return most - left


def _delete_line(db: sqlite3.Connection, line: int, left: int) -> Iterator[int]:
    """Delete the rows of a line, up to so many, and then the line's own; yield how many at a time."""
    first = line << TASK_BITS
    for table, chosen, values in (
        ("tasks", "id IN (SELECT id FROM tasks WHERE id >= ? AND id < ? LIMIT ?)", (first, first + (1 << TASK_BITS))),
        ("attempts", _some("attempts", "line, node, visit, attempt", "line = ?"), (line,)),
        ("followers", _some("followers", "join_id, idx", f"join_id IN ({_JOINS})"), (line,)),
        ("joins", f"id IN ({_JOINS} LIMIT ?)", (line,)),
        ("lines", "id = ? AND ? > 0", (line,)),
    ):
        if left <= 0:
            return
        gone = db.execute(f"DELETE FROM {table} WHERE {chosen}", (*values, left)).rowcount
        left -= gone
        yield gone


_JOINS: Final = "SELECT id FROM joins WHERE line = ?"


def _some(table: str, key: str, where: str) -> str:
    return f"({key}) IN (SELECT {key} FROM {table} WHERE {where} LIMIT ?)"
