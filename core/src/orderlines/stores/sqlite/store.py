"""The SQLite store: runs, lines and leases; the writes of steps are in :mod:`orderlines.stores.sqlite.steps`."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from orderlines.errors import UnknownRun
from orderlines.processes.identity import ProcessIdentity
from orderlines.states import RELEASED, LineStatus
from orderlines.stores.base import Store
from orderlines.stores.records import LEASE, ChildRow, DriverRow, FlowRow, KeptTask, LineRow, RoundRow, RunRow, TaskRow
from orderlines.stores.sqlite.accepting import accept_run
from orderlines.stores.sqlite.claiming import CLAIMABLE, TAKE, WAITING
from orderlines.stores.sqlite.columns import LINE_COLUMNS, RUN_COLUMNS
from orderlines.stores.sqlite.connection import Address, Connections, begin
from orderlines.stores.sqlite.examining import examine
from orderlines.stores.sqlite.logs import (
    Selection,
    current_progress,
    insert_logs,
    insert_progress,
    read_logs,
    read_newest_logs,
)
from orderlines.stores.sqlite.pruning import delete_unnamed_flows, marked_texts, prunable_runs, prune_runs
from orderlines.stores.sqlite.reopening import begin_round, check_over, reopen_line
from orderlines.stores.sqlite.rewinding import rewind
from orderlines.stores.sqlite.schedules import SQLiteSchedules
from orderlines.stores.sqlite.schema import TASK_BITS
from orderlines.stores.sqlite.signals import send_signal
from orderlines.stores.sqlite.steps import apply_step, note_rings
from orderlines.stores.sqlite.wishes import mark_skipped, take_back_pause, write_wish

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from orderlines.stores.records import (
        AttemptRow,
        Committed,
        EndedRun,
        Finding,
        KeptLog,
        LogRow,
        NewRun,
        ProgressRow,
        Reopening,
        RunFilter,
        Step,
    )
    from orderlines.stores.upgrading import Upgrade

_RUN = RUN_COLUMNS
_TASK = (
    "tasks.node, tasks.visit, tasks.status, tasks.attempt, tasks.executor, tasks.started, tasks.finished, tasks.result,"
    " tasks.error, tasks.assigned"
)
_ONE = 1 << TASK_BITS
# Numbers and names are one value each, for how many there may be differs between builds.
_ASKED = "node IN (SELECT value FROM json_each(?)) ORDER BY tasks.id"
_OUTCOMES = f"SELECT {_TASK} FROM tasks WHERE id >= ? AND id < ? AND {_ASKED}"
# In this order: SQLite would rather look at the tasks of every run that it keeps.
_INSIDE = f"""WITH RECURSIVE inside (id) AS (
 SELECT value FROM json_each(?) UNION ALL SELECT lines.id
 FROM inside CROSS JOIN joins ON joins.line = inside.id CROSS JOIN lines ON lines.join_id = joins.id
) SELECT path, tasks.id, {_TASK} FROM inside CROSS JOIN lines ON lines.id = inside.id
 CROSS JOIN tasks ON tasks.id >= lines.id << {TASK_BITS} AND tasks.id < (lines.id + 1) << {TASK_BITS}
 WHERE {_ASKED}"""
_SEEN = "(pruned = 0 OR key IS NOT NULL)"
_GOING = "(wish IS NULL OR wish = 'pause')"


class SQLiteStore(SQLiteSchedules, Store):
    """Keeps runs in one SQLite file (``sqlite:///path``), write-ahead log, shared by processes of one machine.

    ``?synchronous=full`` makes every step survive a power cut; the default, ``normal``, may lose the last moments in
    one, and nothing when only processes die.
    """

    scheme = "sqlite"

    def __init__(self, url: str, connections: type[Connections] = Connections) -> None:
        address = Address(url)
        self.url = url
        self._connections = connections(address)
        self.runs(0)

    @classmethod
    def to_look(cls, url: str) -> Store:
        from orderlines.stores.sqlite.still import StillConnections, stands_still  # noqa: PLC0415 -- not to run flows

        if cls is SQLiteStore and stands_still(Address(url).path):
            return cls(url, StillConnections)
        return cls(url)

    @classmethod
    def upgrade(cls, url: str) -> Upgrade:
        from orderlines.stores.sqlite.upgrade import SQLiteUpgrade  # noqa: PLC0415 -- few commands upgrade

        return SQLiteUpgrade(url)

    def close(self) -> None:
        self._connections.close()

    def park(self) -> None:
        self._connections.park()

    def now(self) -> float:
        return time.time()

    def version(self) -> int:
        return self._connections.version()

    def identity(self) -> str:
        with self._connections.reading() as db:
            text: str = db.execute("SELECT identity FROM store").fetchone()[0]
            return text

    def examine(self) -> list[Finding]:
        with self._connections.reading() as db:
            return list(examine(db, self._connections.address.path))

    # Drivers and their leases

    def enroll(self, identity: ProcessIdentity, lease: float = LEASE) -> int:
        with self._connections.writing() as db:
            cursor = db.execute(
                "INSERT INTO drivers (host, boot, namespace, pid, start, beats, lease) VALUES (?, ?, ?, ?, ?, 0, ?)",
                (*identity, lease),
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
            rows = db.execute("SELECT * FROM drivers ORDER BY id").fetchall()
        return [DriverRow(row[0], ProcessIdentity(*row[1:6]), *row[6:]) for row in rows]

    # Runs

    def accept(self, run: NewRun) -> RunRow:
        return self._accept(run, None)[0]

    def accept_for(self, driver: int, run: NewRun) -> tuple[RunRow, LineRow | None]:
        return self._accept(run, driver)

    def _accept(self, run: NewRun, driver: int | None) -> tuple[RunRow, LineRow | None]:
        with self._connections.writing() as db:
            return accept_run(db, run, driver, self.now())

    def wish(self, run: int, wish: str) -> RunRow:
        with self._connections.writing() as db:
            write_wish(db, run, wish)
            row = db.execute(f"SELECT {_RUN} FROM runs WHERE id = ? AND {_SEEN}", (run,)).fetchone()
        if row is None:
            raise UnknownRun(f"no run with number {run} in {self.url}")
        return RunRow(*row)

    def resume(self, run: int) -> RunRow:
        with self._connections.writing() as db:
            row = db.execute(f"SELECT {_RUN} FROM runs WHERE id = ? AND {_SEEN}", (run,)).fetchone()
            if row is None:
                raise UnknownRun(f"no run with number {run} in {self.url}")
            found = RunRow(*row)
            if found.wish != "pause" or found.finished is not None:
                return found
            take_back_pause(db, run)
            return RunRow(*db.execute(f"SELECT {_RUN} FROM runs WHERE id = ?", (run,)).fetchone())

    def skip(self, line: LineRow) -> bool:
        with self._connections.writing() as db:
            return mark_skipped(db, line.id, line.cursor, line.tasks)

    def reopen(self, wanted: Reopening) -> RunRow:
        with self._connections.writing() as db:
            row = db.execute(f"SELECT {_RUN} FROM runs WHERE id = ? AND {_SEEN}", (wanted.run,)).fetchone()
            if row is None:
                raise UnknownRun(f"no run with number {wanted.run} in {self.url}")
            check_over(RunRow(*row), wanted.round)
            now = self.now()
            (root,) = db.execute("SELECT id FROM lines WHERE run = ? AND parent IS NULL", (wanted.run,)).fetchone()
            if wanted.rewind is None:
                reopen_line(db, root, now)
            else:
                rewind(db, wanted.run, root, wanted.rewind)
            begin_round(db, root, wanted, now)
            return RunRow(*db.execute(f"SELECT {_RUN} FROM runs WHERE id = ?", (wanted.run,)).fetchone())

    def expire(self, runs: Collection[int] | None) -> list[int]:
        where, values = _among("id", runs)
        query = f"SELECT id FROM runs WHERE finished IS NULL AND {_GOING} AND deadline <= ?{where}"
        with self._connections.reading() as db:
            if not db.execute(f"{query} LIMIT 1", (self.now(), *values)).fetchone():
                return []
        with self._connections.writing() as db:
            due = [row[0] for row in db.execute(query, (self.now(), *values))]
            for run in due:
                write_wish(db, run, "timeout")
            return due

    def signal(self, run: int, target: str, data: str, key: str | None = None) -> bool:
        with self._connections.writing() as db:
            row = db.execute(f"SELECT {_RUN} FROM runs WHERE id = ? AND {_SEEN}", (run,)).fetchone()
            if row is None:
                raise UnknownRun(f"no run with number {run} in {self.url}")
            return send_signal(db, RunRow(*row), target, key, data, self.now())

    # Lines

    def claim(
        self,
        driver: int,
        runs: Collection[int] | None,
        limit: int,
        queues: Sequence[str] | None = None,
        without: Collection[int] = (),
    ) -> list[LineRow]:
        where, values = _among("run", runs)
        if without:
            where, values = (
                f"{where} AND run NOT IN (SELECT value FROM json_each(?))",
                (*values, json.dumps([*without])),
            )
        query = f"SELECT id FROM lines WHERE {CLAIMABLE}{where} AND queue IS ? ORDER BY id LIMIT ?"
        names = (None,) if queues is None else queues
        with self._connections.reading() as db:
            if not any(db.execute(query, (self.now(), *values, name, 1)).fetchone() for name in names):
                return []
        with self._connections.writing() as db:
            if db.execute("SELECT 1 FROM drivers WHERE id = ?", (driver,)).fetchone() is None:
                return []
            ids: list[int] = []
            for name in names:
                row = (self.now(), *values, name, limit - len(ids))
                ids.extend(found for (found,) in db.execute(query, row))
            return [LineRow(*db.execute(TAKE, (driver, line)).fetchone()) for line in ids]

    def ring(self, queues: Collection[str], silence: float, limit: int) -> list[LineRow]:
        marks = ", ".join("?" * len(queues))
        query = f"SELECT id FROM lines WHERE {CLAIMABLE} AND queue IN ({marks}) AND coalesce(rung, 0) <= ? LIMIT ?"
        now = self.now()
        row = (now, *queues, now - silence)
        with self._connections.reading() as db:
            if not db.execute(query, (*row, 1)).fetchone():
                return []
        with self._connections.writing() as db:
            lines = [found for (found,) in db.execute(query, (*row, limit))]
            return list(note_rings(db, lines, now))

    def waiting(self) -> dict[str, float]:
        now = self.now()
        with self._connections.reading() as db:
            return dict(db.execute(WAITING, (now, now)))

    def commit(self, driver: int, steps: Sequence[Step]) -> list[Committed]:
        # Not `with self.writing()`: a generator's context costs a tenth of a step.
        held = self._connections.held()
        with held.lock:
            db = held.connection
            try:
                begin(db)
                now = self.now()
                done = [apply_step(db, driver, step, now) for step in steps]
                db.execute("COMMIT")
            except BaseException as error:
                self._connections.undo(db, error)
                raise
        return done

    def release(self, driver: int, lines: Collection[int], reason: str = RELEASED) -> None:
        with self._connections.writing() as db:
            for line in lines:
                db.execute(
                    "UPDATE lines SET owner = NULL, state = CASE status WHEN ? THEN ? ELSE state END,"
                    " attempt = CASE status WHEN ? THEN 0 ELSE attempt END"
                    " WHERE id = ? AND owner = ? AND finished IS NULL",
                    (LineStatus.CALL, reason, LineStatus.HANDLER if reason == RELEASED else "", line, driver),
                )

    def owned(self, driver: int) -> list[int]:
        with self._connections.reading() as db:
            return [
                row[0] for row in db.execute("SELECT id FROM lines WHERE finished IS NULL AND owner = ?", (driver,))
            ]

    def late(self, line: int, attempt: AttemptRow) -> None:
        with self._connections.writing() as db:
            if db.execute("SELECT 1 FROM lines WHERE id = ?", (line,)).fetchone():
                db.execute("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?)", (line, *attempt))

    def halted(self, driver: int) -> list[tuple[int, int]]:
        with self._connections.reading() as db:
            return db.execute(
                "SELECT id, halt FROM lines WHERE finished IS NULL AND owner = ? AND halt > 0", (driver,)
            ).fetchall()

    def next_due(self, runs: Collection[int] | None, queues: Sequence[str] | None = None) -> float | None:
        lines, values = _among("run", runs)
        deadlines, _ = _among("id", runs)
        names = () if queues is None else queues
        of = "queue IS NULL" if queues is None else f"queue IN ({', '.join('?' * len(names))})"
        with self._connections.reading() as db:
            row = db.execute(
                f"SELECT min(t) FROM (SELECT min(due) AS t FROM lines WHERE finished IS NULL AND owner IS NULL{lines}"
                f" AND {of} UNION ALL SELECT min(deadline) FROM runs WHERE finished IS NULL AND {_GOING}{deadlines})",
                (*values, *names, *values),
            ).fetchone()
        due: float | None = row[0]
        return due

    # What calls say

    def keep_logs(self, rows: Sequence[LogRow]) -> None:
        with self._connections.writing() as db:
            insert_logs(db, rows)

    def keep_progress(self, rows: Sequence[ProgressRow]) -> None:
        with self._connections.writing() as db:
            insert_progress(db, rows)

    # What a line needs to go on

    def line(self, line: int) -> LineRow:
        with self._connections.reading() as db:
            row = db.execute(f"SELECT {LINE_COLUMNS} FROM lines WHERE id = ?", (line,)).fetchone()
        if row is None:
            raise UnknownRun(f"no line with number {line} in {self.url}")
        return LineRow(*row)

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

    def children(self, line: int, label: str) -> list[ChildRow]:
        with self._connections.reading() as db:
            rows = db.execute(
                "SELECT id, idx, path, status, error, result, vars FROM lines WHERE join_id ="
                " (SELECT id FROM joins WHERE line = ? AND label = ?) ORDER BY idx",
                (line, label),
            ).fetchall()
        return [ChildRow(*row) for row in rows]

    def outcomes(self, line: int, nodes: Collection[str]) -> list[TaskRow]:
        first = line << TASK_BITS
        with self._connections.reading() as db:
            rows = db.execute(_OUTCOMES, (first, first + _ONE, json.dumps([*nodes]))).fetchall()
        return [TaskRow(*row) for row in rows]

    def outcomes_inside(self, lines: Collection[int], nodes: Collection[str]) -> list[KeptTask]:
        with self._connections.reading() as db:
            rows = db.execute(_INSIDE, (json.dumps([*lines]), json.dumps([*nodes]))).fetchall()
        return [KeptTask(row[0], row[1] & (_ONE - 1), TaskRow(*row[2:])) for row in rows]

    # Reading

    def run(self, name: str | int) -> RunRow | None:
        column = "id" if isinstance(name, int) else "name"
        with self._connections.reading() as db:
            row = db.execute(f"SELECT {_RUN} FROM runs WHERE {column} = ? AND {_SEEN}", (name,)).fetchone()
        return None if row is None else RunRow(*row)

    def ended(self, runs: Collection[int]) -> list[int]:
        numbers = json.dumps(list(runs))
        with self._connections.reading() as db:
            rows = db.execute(
                "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM runs WHERE finished IS NULL)",
                (numbers,),
            ).fetchall()
        return [row[0] for row in rows]

    def runs(self, limit: int, *, unfinished: bool = False, wanted: RunFilter | None = None) -> list[RunRow]:
        conditions = dict(() if wanted is None else _conditions(wanted))
        values = [value for given in conditions.values() for value in given]
        if unfinished:
            conditions["finished IS NULL"] = ()
        where = " AND ".join(("pruned = 0", *conditions))
        with self._connections.reading() as db:
            rows = db.execute(
                f"SELECT {_RUN} FROM runs WHERE {where} ORDER BY id DESC LIMIT ?", (*values, limit)
            ).fetchall()
        return [RunRow(*row) for row in rows]

    def rounds(self, run: int) -> list[RoundRow]:
        with self._connections.reading() as db:
            rows = db.execute(
                "SELECT round, status, finished, error, tasks, vars FROM rounds WHERE run = ? ORDER BY round", (run,)
            ).fetchall()
        return [RoundRow(*row) for row in rows]

    def flow(self, digest: str) -> str:
        with self._connections.reading() as db:
            row = db.execute("SELECT body FROM flows WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            raise LookupError(f"no flow {digest} in {self.shown}")
        body: str = row[0]
        return body

    def flow_named(self, name: str) -> FlowRow | None:
        with self._connections.reading() as db:
            row = db.execute(
                "SELECT digest, name, version, body FROM flows WHERE name = ? ORDER BY created DESC LIMIT 1", (name,)
            ).fetchone()
        return None if row is None else FlowRow(*row)

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

    def logs(
        self, run: int, node: str | None = None, line: str | None = None, after: int = 0, newest: int | None = None
    ) -> Iterator[KeptLog]:
        selection = Selection(run, node, line, after)
        if newest is None:
            return read_logs(self._connections, selection)
        return read_newest_logs(self._connections, selection, newest)

    def progress(self, run: int) -> dict[int, str]:
        with self._connections.reading() as db:
            return current_progress(db, run)

    def marked(self, run: int, mark: str) -> list[str]:
        with self._connections.reading() as db:
            return marked_texts(db, run, mark)

    # Taking away

    def prunable(self, before: float, statuses: Collection[str], limit: int, after: int = 0) -> list[EndedRun]:
        with self._connections.reading() as db:
            return prunable_runs(db, before, statuses, limit, after)

    def prune(self, runs: Collection[int], before: float) -> list[int]:
        return prune_runs(self._connections, runs, before)

    def prune_flows(self) -> int:
        with self._connections.writing() as db:
            return delete_unnamed_flows(db)


def _conditions(wanted: RunFilter) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield what a run has to fulfil, each with the values that stand in it."""
    if wanted.statuses:
        yield "status IN (SELECT value FROM json_each(?))", (json.dumps(wanted.statuses),)
    if wanted.flow is not None:
        yield "flow = ?", (wanted.flow,)
    if wanted.since is not None:
        yield "created >= ?", (wanted.since,)
    if wanted.prefix:
        yield "substr(name, 1, ?) = ?", (len(wanted.prefix), wanted.prefix)


def _among(column: str, values: Collection[int] | None) -> tuple[str, tuple[str, ...]]:
    """Return the SQL that limits a column to some values, and the values; nothing for ``None``."""
    if values is None:
        return "", ()
    # one value of JSON, since the number of values that a statement may have is limited
    return f" AND {column} IN (SELECT value FROM json_each(?))", (json.dumps(list(values)),)
