"""The rows of a run that is accepted."""

# ruff: noqa: S608 -- statements are put together from constants, values are bound

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.states import RunStatus
from orderlines.stores.keys import same_run
from orderlines.stores.records import FlowRow, RunRow
from orderlines.stores.sqlite.columns import RUN_COLUMNS
from orderlines.stores.sqlite.joins import insert_root
from orderlines.stores.sqlite.steps import note_rings

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from orderlines.stores.records import LineRow, NewRun


def accept_run(db: sqlite3.Connection, run: NewRun, driver: int | None, now: float) -> tuple[RunRow, LineRow | None]:
    """Write a new run with its flow and its root line, or return the run that has the same flow and key.

    :param driver: who is given the root line, if anybody is.
    :raises Refused: the key was used with something else.
    """
    if run.key is not None:
        found = db.execute(f"SELECT {RUN_COLUMNS} FROM runs WHERE flow = ? AND key = ?", (run.flow, run.key)).fetchone()
        if found is not None:
            return same_run(RunRow(*found), run), None
    keep_flows(db, (FlowRow(run.digest, run.flow, run.version, run.body), *run.flows), now)
    cursor = db.execute(
        "INSERT INTO runs (name, flow, version, digest, status, key, vars, executor, created)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (run.name, run.flow, run.version, run.digest, RunStatus.PENDING, run.key, run.vars, run.executor, now),
    )
    row = RunRow(
        cursor.lastrowid or 0, run.name, run.flow, run.version, run.digest, RunStatus.PENDING, None, run.key,
        run.vars, run.executor, now, None, None, None, None, None,
    )  # fmt: skip
    line = insert_root(db, row, run.queue, driver)
    return row, line if run.queue is None else note_rings(db, [line.id], now)[0]


def keep_flows(db: sqlite3.Connection, flows: Iterable[FlowRow], now: float) -> None:
    """Write those flows that are not kept yet."""
    db.executemany("INSERT OR IGNORE INTO flows VALUES (?, ?, ?, ?, ?)", [(*flow, now) for flow in flows])
