"""The SQLite store: runs, lines and leases; the writes of steps are in :mod:`orderlines.stores.sqlite.steps`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orderlines.errors import Refused, UnknownRun
from orderlines.processes.identity import ProcessIdentity
from orderlines.states import Halt, LineStatus, RunStatus
from orderlines.stores.base import Store
from orderlines.stores.records import ChildRow, DriverRow, KeptTask, LineRow, RunRow, TaskRow
from orderlines.stores.sqlite.connection import Address, Connections
from orderlines.stores.sqlite.schema import TASK_BITS
from orderlines.stores.sqlite.steps import LINE_COLUMNS, apply_step

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator, Sequence

    from orderlines.stores.records import Committed, NewRun, Step

_RUN = (
    "id, name, flow, version, digest, status, wish, key, vars, executor, created, started, deadline, finished,"
    " variables, error"
)
_TASK = (
    "tasks.node, tasks.visit, tasks.status, tasks.attempt, tasks.executor, tasks.started, tasks.finished, tasks.result,"
    " tasks.error, tasks.assigned"
)
_ONE = 1 << TASK_BITS
_UNOWNED = "(owner IS NULL OR owner NOT IN (SELECT id FROM drivers))"
_CLAIMABLE = (
    f"finished IS NULL AND {_UNOWNED} AND (status IN ('READY', 'JOINED', 'CALL', 'HANDLER') OR due <= ?"
    f" OR halt = {Halt.STOP} AND NOT EXISTS (SELECT 1 FROM joins WHERE joins.line = lines.id AND lines.status = 'JOIN'"
    " AND joins.state = 'closing' AND joins.remaining > 0))"
)


class SQLiteStore(Store):
    """Keeps runs in one SQLite file (``sqlite:///path``), write-ahead log, shared by processes of one machine.

    ``?synchronous=full`` makes every step survive a power cut; the default, ``normal``, may lose the last moments in
    one, and nothing when only processes die.
    """

    scheme = "sqlite"

    def __init__(self, url: str) -> None:
        address = Address(url)
        self.url = url
        self._connections = Connections(address)
        self._connections.get()

    def close(self) -> None:
        self._connections.close()

    def now(self) -> float:
        return time.time()

    def version(self) -> int:
        with self._connections.reading() as db:
            number: int = db.execute("PRAGMA data_version").fetchone()[0]
            return number

    # Drivers and their leases

    def enroll(self, identity: ProcessIdentity) -> int:
        with self._connections.writing() as db:
            cursor = db.execute(
                "INSERT INTO drivers (host, boot, namespace, pid, start, beats) VALUES (?, ?, ?, ?, ?, 0)", identity
            )
            return cursor.lastrowid or 0

    def renew(self, driver: int) -> bool:
        with self._connections.writing() as db:
            return db.execute("UPDATE drivers SET beats = beats + 1 WHERE id = ?", (driver,)).rowcount == 1

    def dismiss(self, drivers: Collection[int]) -> None:
        with self._connections.writing() as db:
            for driver in drivers:
                db.execute("DELETE FROM drivers WHERE id = ?", (driver,))
                db.execute("UPDATE lines SET owner = NULL WHERE finished IS NULL AND owner = ?", (driver,))

    def drivers(self) -> list[DriverRow]:
        with self._connections.reading() as db:
            rows = db.execute("SELECT id, host, boot, namespace, pid, start, beats FROM drivers ORDER BY id").fetchall()
        return [DriverRow(row[0], ProcessIdentity(*row[1:6]), row[6]) for row in rows]

    # Runs

    def accept(self, run: NewRun) -> RunRow:
        with self._connections.writing() as db:
            if run.key is not None:
                found = db.execute(
                    f"SELECT {_RUN} FROM runs WHERE flow = ? AND key = ?", (run.flow, run.key)
                ).fetchone()
                if found is not None:
                    return _same(RunRow(*found), run)
            now = self.now()
            db.execute(
                "INSERT OR IGNORE INTO flows VALUES (?, ?, ?, ?, ?)", (run.digest, run.flow, run.version, run.body, now)
            )
            cursor = db.execute(
                "INSERT INTO runs (name, flow, version, digest, status, key, vars, executor, created)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (run.name, run.flow, run.version, run.digest, RunStatus.PENDING, run.key, run.vars, run.executor, now),
            )
            number = cursor.lastrowid or 0
            db.execute(
                f"INSERT INTO lines ({LINE_COLUMNS}) VALUES (NULL, ?, '', NULL, NULL, 0, 0, ?, 0, 0, 0, NULL, 0, NULL,"
                " 0, NULL, NULL, 0, NULL, 0, ?, 0)",
                (number, LineStatus.READY, run.vars),
            )
            return RunRow(*db.execute(f"SELECT {_RUN} FROM runs WHERE id = ?", (number,)).fetchone())

    def wish(self, run: int, wish: str) -> RunRow:
        with self._connections.writing() as db:
            _wish(db, run, wish)
            row = db.execute(f"SELECT {_RUN} FROM runs WHERE id = ?", (run,)).fetchone()
        if row is None:
            raise UnknownRun(f"no run with number {run} in {self.url}")
        return RunRow(*row)

    def expire(self, runs: Collection[int] | None) -> list[int]:
        where, values = _among("id", runs)
        query = f"SELECT id FROM runs WHERE finished IS NULL AND wish IS NULL AND deadline <= ?{where}"
        with self._connections.reading() as db:
            due = [row[0] for row in db.execute(query, (self.now(), *values))]
        if due:
            with self._connections.writing() as db:
                for run in due:
                    _wish(db, run, "timeout")
        return due

    # Lines

    def claim(self, driver: int, runs: Collection[int] | None, limit: int) -> list[LineRow]:
        where, values = _among("run", runs)
        query = f"SELECT id FROM lines WHERE {_CLAIMABLE}{where} ORDER BY id LIMIT ?"
        with self._connections.reading() as db:
            if not db.execute(query, (self.now(), *values, 1)).fetchone():
                return []
        with self._connections.writing() as db:
            ids = [row[0] for row in db.execute(query, (self.now(), *values, limit))]
            update = f"UPDATE lines SET owner = ?, epoch = epoch + 1 WHERE id = ? RETURNING {LINE_COLUMNS}"
            return [LineRow(*db.execute(update, (driver, line)).fetchone()) for line in ids]

    def commit(self, driver: int, steps: Sequence[Step]) -> list[Committed]:
        with self._connections.writing() as db:
            now = self.now()
            return [apply_step(db, driver, step, now) for step in steps]

    def release(self, driver: int, lines: Collection[int]) -> None:
        with self._connections.writing() as db:
            for line in lines:
                db.execute("UPDATE lines SET owner = NULL WHERE id = ? AND owner = ?", (line, driver))

    def halted(self, driver: int) -> list[tuple[int, int]]:
        with self._connections.reading() as db:
            return db.execute(
                "SELECT id, halt FROM lines WHERE finished IS NULL AND owner = ? AND halt > 0", (driver,)
            ).fetchall()

    def next_due(self, runs: Collection[int] | None) -> float | None:
        lines, values = _among("run", runs)
        deadlines, _ = _among("id", runs)
        with self._connections.reading() as db:
            row = db.execute(
                f"SELECT min(t) FROM (SELECT min(due) AS t FROM lines WHERE finished IS NULL AND owner IS NULL{lines}"
                f" UNION ALL SELECT min(deadline) FROM runs WHERE finished IS NULL AND wish IS NULL{deadlines})",
                (*values, *values),
            ).fetchone()
        due: float | None = row[0]
        return due

    # What a line needs to go on

    def line(self, line: int) -> LineRow:
        with self._connections.reading() as db:
            return LineRow(*db.execute(f"SELECT {LINE_COLUMNS} FROM lines WHERE id = ?", (line,)).fetchone())

    def assigned(self, line: int, after: int) -> list[str]:
        first = line << TASK_BITS
        with self._connections.reading() as db:
            rows = db.execute(
                "SELECT assigned FROM tasks WHERE id >= ? AND id < ? AND assigned IS NOT NULL ORDER BY id",
                (first + after, first + _ONE),
            ).fetchall()
        return [row[0] for row in rows]

    def visits(self, line: int) -> dict[str, int]:
        first = line << TASK_BITS
        with self._connections.reading() as db:
            return dict(
                db.execute(
                    "SELECT node, max(visit) FROM tasks WHERE id >= ? AND id < ? GROUP BY node", (first, first + _ONE)
                )
            )

    def children(self, line: int, node: str, visit: int) -> list[ChildRow]:
        with self._connections.reading() as db:
            rows = db.execute(
                "SELECT idx, path, status, error, result, vars FROM lines WHERE join_id ="
                " (SELECT id FROM joins WHERE line = ? AND node = ? AND visit = ?) ORDER BY idx",
                (line, node, visit),
            ).fetchall()
        return [ChildRow(*row) for row in rows]

    def outcomes(self, run: int, nodes: Collection[str]) -> list[KeptTask]:
        marks = ", ".join("?" * len(nodes))
        with self._connections.reading() as db:
            rows = db.execute(
                f"SELECT path, tasks.id, {_TASK} FROM tasks JOIN lines ON lines.id = tasks.id >> {TASK_BITS}"
                f" WHERE tasks.run = ? AND lines.run = ? AND node IN ({marks}) ORDER BY tasks.id",
                (run, run, *nodes),
            ).fetchall()
        return [KeptTask(row[0], row[1] & (_ONE - 1), TaskRow(*row[2:])) for row in rows]

    # Reading

    def run(self, name: str | int) -> RunRow | None:
        column = "id" if isinstance(name, int) else "name"
        with self._connections.reading() as db:
            row = db.execute(f"SELECT {_RUN} FROM runs WHERE {column} = ?", (name,)).fetchone()
        return None if row is None else RunRow(*row)

    def runs(self, limit: int, *, unfinished: bool = False) -> list[RunRow]:
        where = " WHERE finished IS NULL" if unfinished else ""
        with self._connections.reading() as db:
            rows = db.execute(f"SELECT {_RUN} FROM runs{where} ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
        return [RunRow(*row) for row in rows]

    def flow(self, digest: str) -> str:
        with self._connections.reading() as db:
            body: str = db.execute("SELECT body FROM flows WHERE digest = ?", (digest,)).fetchone()[0]
            return body

    def lines(self, run: int) -> list[LineRow]:
        with self._connections.reading() as db:
            rows = db.execute(f"SELECT {LINE_COLUMNS} FROM lines WHERE run = ? ORDER BY id", (run,)).fetchall()
        return [LineRow(*row) for row in rows]

    def tasks(self, run: int) -> Iterator[KeptTask]:
        with self._connections.reading() as db:
            rows = db.execute(
                f"SELECT path, tasks.id, {_TASK} FROM lines JOIN tasks ON tasks.id >= lines.id << {TASK_BITS}"
                f" AND tasks.id < (lines.id + 1) << {TASK_BITS} WHERE lines.run = ? ORDER BY started, tasks.id",
                (run,),
            ).fetchall()
        return (KeptTask(row[0], row[1] & (_ONE - 1), TaskRow(*row[2:])) for row in rows)


def _same(found: RunRow, run: NewRun) -> RunRow:
    """Return the run that a key stands for; the same key with something else is an error."""
    if found.digest != run.digest:
        raise Refused(
            f"key {run.key!r} belongs to run {found.name} of another definition of flow {run.flow!r}; use another key"
        )
    if found.vars != run.vars:
        raise Refused(f"key {run.key!r} belongs to run {found.name} with other variables; use another key")
    return found


def _wish(db: sqlite3.Connection, run: int, wish: str) -> None:
    """Write a wish on a run and its lines; the first wish names how the run ends."""
    db.execute("UPDATE runs SET wish = coalesce(wish, ?) WHERE id = ? AND finished IS NULL", (wish, run))
    db.execute("UPDATE lines SET halt = ? WHERE run = ? AND finished IS NULL", (Halt.STOP, run))


def _among(column: str, values: Collection[int] | None) -> tuple[str, tuple[int, ...]]:
    """Return the SQL that limits a column to some values, and the values; nothing for ``None``."""
    if values is None:
        return "", ()
    return f" AND {column} IN ({', '.join('?' * len(values))})", tuple(values)
