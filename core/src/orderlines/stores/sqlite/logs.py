"""What calls say: logs and progress."""

# ruff: noqa: S608 -- statements are put together from constants, values are bound

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.stores.records import KeptLog, LogRow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from orderlines.stores.records import ProgressRow
    from orderlines.stores.sqlite.connection import Connections

PAGE = 200
"""Rows that are read at once: no cursor stays open while somebody looks at them."""
# Of a line that was taken away nothing is kept: nobody would take it away again.
_LOG = """INSERT INTO logs (run, line, node, visit, attempt, at, level, text) SELECT ?, ?, ?, ?, ?, ?, ?, ?
 WHERE EXISTS (SELECT 1 FROM lines WHERE id = ?)"""
_PROGRESS = """INSERT OR REPLACE INTO progress (run, line, epoch, seq, report) SELECT ?, ?, ?, ?, ?
 WHERE EXISTS (SELECT 1 FROM lines WHERE id = ?)"""
_COLUMNS = (
    "logs.id, lines.path, logs.run, logs.line, logs.node, logs.visit, logs.attempt, logs.at, logs.level, logs.text"
)


def insert_logs(db: sqlite3.Connection, rows: Sequence[LogRow]) -> None:
    """Write what attempts said."""
    db.executemany(_LOG, [(*row, row.line) for row in rows])


def insert_progress(db: sqlite3.Connection, rows: Sequence[ProgressRow]) -> None:
    """Write what calls reported."""
    db.executemany(_PROGRESS, [(*row, row.line) for row in rows])


def current_progress(db: sqlite3.Connection, run: int) -> dict[int, str]:
    """Return what the calls in flight of a run reported last."""
    return dict(
        db.execute(
            "SELECT progress.line, report FROM progress JOIN lines ON lines.id = progress.line"
            " AND lines.epoch = progress.epoch AND lines.seq = progress.seq"
            " WHERE progress.run = ? AND lines.finished IS NULL",
            (run,),
        )
    )


class Selection(NamedTuple):
    """Which rows are looked for; as :meth:`orderlines.stores.base.Store.logs`."""

    run: int
    node: str | None
    line: str | None
    after: int

    def sql(self) -> tuple[str, tuple[Any, ...]]:
        """Return what follows FROM, and its values."""
        # By number where that is known: what is new are the last few rows of the table.
        run = "logs.run = ?" if not self.after else "+logs.run = ?"
        chosen: list[tuple[str, Any]] = [(run, self.run), ("logs.id > ?", self.after)]
        if self.node is not None:
            chosen.append(("logs.node = ?", self.node))
        if self.line is not None:
            chosen.append(("lines.path = ?", self.line))
        where = " AND ".join(text for text, _ in chosen)
        return f"logs JOIN lines ON lines.id = logs.line WHERE {where}", tuple(value for _, value in chosen)


def read_logs(connections: Connections, selection: Selection) -> Iterator[KeptLog]:
    """Yield the rows that are there now, in order of time, a page at a time."""
    where, values = selection.sql()
    with connections.reading() as db:
        last = db.execute("SELECT coalesce(max(id), 0) FROM logs").fetchone()[0]
    place: tuple[float, int] = (float("-inf"), 0)
    while True:
        with connections.reading() as db:
            page = db.execute(
                f"SELECT {_COLUMNS} FROM {where} AND logs.id <= ? AND (logs.at, logs.id) > (?, ?)"
                " ORDER BY logs.at, logs.id LIMIT ?",
                (*values, last, *place, PAGE),
            ).fetchall()
        yield from map(_kept, page)
        if len(page) < PAGE:
            return
        place = page[-1][7], page[-1][0]


def read_newest_logs(connections: Connections, selection: Selection, newest: int) -> Iterator[KeptLog]:
    """Yield the last rows, in order of time."""
    where, values = selection.sql()
    with connections.reading() as db:
        rows = db.execute(
            f"SELECT {_COLUMNS} FROM {where} ORDER BY logs.at DESC, logs.id DESC LIMIT ?", (*values, newest)
        ).fetchall()
    yield from map(_kept, reversed(rows))


def _kept(row: tuple[Any, ...]) -> KeptLog:
    return KeptLog(row[0], row[1], LogRow(*row[2:]))
