"""The MySQL store: what its contract asks for; the writes of steps are in :mod:`orderlines_store_mysql.committing`."""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from orderlines.errors import Refused, StoreUnavailable, UnknownRun
from orderlines.processes.identity import ProcessIdentity
from orderlines.states import RELEASED, RunStatus
from orderlines.stores.base import Store
from orderlines.stores.records import (
    LEASE,
    ChildRow,
    DriverRow,
    FlowRow,
    KeptTask,
    LineRow,
    RoundRow,
    RunRow,
    TaskRow,
)
from orderlines.stores.upgrading import advice
from orderlines_store_mysql.accepting import accept
from orderlines_store_mysql.address import Address
from orderlines_store_mysql.claiming import (
    Wanted,
    among,
    among_queues,
    claim,
    dismissed,
    may_ring,
    released,
    ring,
    waiting,
)
from orderlines_store_mysql.clock import QUESTION, clock_of
from orderlines_store_mysql.committing import commit
from orderlines_store_mysql.connections import Connections
from orderlines_store_mysql.examining import examine
from orderlines_store_mysql.literals import many, numbers, put, texts
from orderlines_store_mysql.logs import CURRENT, LOG, PROGRESS, Selection, read_logs, read_newest_logs
from orderlines_store_mysql.pruning import (
    delete_unnamed_flows,
    ended_runs,
    marked_texts,
    prunable_runs,
    prune_runs,
)
from orderlines_store_mysql.reopening import begin_round, reopen_line
from orderlines_store_mysql.rewinding import rewind
from orderlines_store_mysql.schedules import MySQLSchedules
from orderlines_store_mysql.schema import LINE_COLUMNS, RUN_COLUMNS, SCHEMA_VERSION, TASK_COLUMNS, VERSIONS
from orderlines_store_mysql.signals import Signal, send
from orderlines_store_mysql.wishes import lock_run, mark_skipped, take_back_pause, write_wish

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
    from orderlines_store_mysql.link import Answer
    from orderlines_store_mysql.transaction import Transaction

_SEEN = "(pruned = 0 OR run_key IS NOT NULL)"
_GOING = "(wish IS NULL OR wish = 'pause')"
_TASKS = ", ".join(f"t.{column}" for column in TASK_COLUMNS.split(", "))
_versions = count(1)


class MySQLStore(MySQLSchedules, Store):
    """Keeps runs in a database of MySQL or MariaDB (``mysql://user:password@host:port/database``).

    What the server has acknowledged survives what its settings let it survive; see the README of the distribution.
    """

    scheme = "mysql"

    def __init__(self, url: str) -> None:
        address = Address(url)
        self.url = url
        self._connections = Connections(address)
        self._clock = clock_of(address)
        self._look = address.options.look
        self._read("SELECT 1")

    @property
    def shown(self) -> str:
        return self._connections.address.shown

    @classmethod
    def upgrade(cls, url: str) -> Upgrade:
        from orderlines_store_mysql.upgrade import MySQLUpgrade  # noqa: PLC0415 -- few commands upgrade

        return MySQLUpgrade(url)

    def close(self) -> None:
        self._connections.close()

    def park(self) -> None:
        self._connections.park()

    def now(self) -> float:
        return self._clock.now(lambda: float(self._read(QUESTION)[0][0]))

    def version(self) -> int:
        # Nothing that the server keeps says for little whether others wrote, and a counter of our own would make
        # writers wait for each other. So whoever asks is told that they may have: at every look, or once in so long.
        self._connections.check()
        return int(time.monotonic() / self._look) if self._look else next(_versions)

    def examine(self) -> list[Finding]:
        return self._connections.reading(lambda link: list(examine(link)))

    def identity(self) -> str:
        self._write(put("INSERT IGNORE INTO ol_identity VALUES (1, %s)", uuid4().hex), repeatable=True)
        text: str = self._read("SELECT text FROM ol_identity")[0][0]
        return text

    # Drivers and their leases

    def enroll(self, identity: ProcessIdentity, lease: float = LEASE) -> int:
        insert = put(
            "INSERT INTO ol_drivers (host, boot, namespace, pid, start, beats, lease)"
            " VALUES (%s, %s, %s, %s, %s, 0, %s)",
            *identity,
            lease,
        )

        def work(transaction: Transaction) -> int:
            # Under a lock, and all of them: whoever upgrades the store looks at the books while nobody can come.
            (asked,) = transaction.ask(f"SELECT version FROM {VERSIONS} LOCK IN SHARE MODE")
            found = max(number for (number,) in asked.rows)
            if found != SCHEMA_VERSION:
                raise StoreUnavailable(f"store {self.shown}: {advice(found, SCHEMA_VERSION, self.shown)}")
            return transaction.commit(insert)[0].last

        return self._connections.writing(work)

    def renew(self, driver: int) -> bool:
        renewed = f"UPDATE ol_drivers SET beats = beats + 1 WHERE id = {driver}"
        return self._write(renewed, repeatable=True)[0].matched == 1

    def dismiss(self, drivers: Collection[int]) -> None:
        self._write(*dismissed(drivers), repeatable=True)

    def drivers(self) -> list[DriverRow]:
        rows = self._read("SELECT id, host, boot, namespace, pid, start, beats, lease FROM ol_drivers ORDER BY id")
        return [DriverRow(row[0], ProcessIdentity(*row[1:6]), *row[6:]) for row in rows]

    # Runs

    def accept(self, run: NewRun) -> RunRow:
        return accept(self._connections, run, None, self.now())[0]

    def accept_for(self, driver: int, run: NewRun) -> tuple[RunRow, LineRow | None]:
        return accept(self._connections, run, driver, self.now())

    def wish(self, run: int, wish: str) -> RunRow:
        answers = self._write(lock_run(run), *write_wish(run, wish), _run(run), repeatable=True)
        return self._known(run, answers[-1].rows)

    def resume(self, run: int) -> RunRow:
        def work(transaction: Transaction) -> tuple[tuple[Any, ...], ...]:
            found = transaction.rows(lock_run(run))
            if found and found[0] == ("pause", None):
                transaction.ask(*take_back_pause(run))
            return transaction.commit(_run(run))[0].rows

        return self._known(run, self._connections.writing(work, repeatable=True))

    def skip(self, line: LineRow) -> bool:
        return self._write(mark_skipped(line), repeatable=True)[0].matched == 1

    def reopen(self, wanted: Reopening) -> RunRow:
        run = wanted.run

        def work(transaction: Transaction) -> tuple[tuple[Any, ...], ...]:
            _check_over(self._known(run, transaction.rows(f"{_run(run)} FOR UPDATE")), wanted.round)
            now = self.now()
            rows: Any = transaction.rows(put("SELECT id FROM ol_lines WHERE run = %s AND parent IS NULL", run))
            root = rows[0][0]
            if wanted.rewind is None:
                reopen_line(transaction, root, now)
            else:
                rewind(transaction, run, root, wanted.rewind)
            begin_round(transaction, root, wanted, now)
            return transaction.commit(_run(run))[0].rows

        return self._known(run, self._connections.writing(work))

    def expire(self, runs: Collection[int] | None) -> list[int]:
        overdue = put(f"SELECT id FROM ol_runs WHERE finished IS NULL AND {_GOING} AND deadline <= %s", self.now())
        query = f"{overdue}{among('id', runs)}"
        if not self._read(f"{query} LIMIT 1"):
            return []

        def work(transaction: Transaction) -> list[int]:
            due: list[int] = [row[0] for row in transaction.ask(f"{query} ORDER BY id FOR UPDATE SKIP LOCKED")[0].rows]
            transaction.commit(*(part for run in due for part in write_wish(run, "timeout")))
            return due

        return self._connections.writing(work)

    def signal(self, run: int, target: str, data: str, key: str | None = None) -> bool:
        signal, now = Signal(run, target, data, key), self.now()
        return self._connections.writing(lambda transaction: send(transaction, signal, now, self.shown))

    # Lines

    def claim(
        self,
        driver: int,
        runs: Collection[int] | None,
        limit: int,
        queues: Sequence[str] | None = None,
        without: Collection[int] = (),
    ) -> list[LineRow]:
        wanted, now = Wanted(runs, queues, without), self.now()
        if not self._read(wanted.any_of(now)):
            return []
        return self._connections.writing(lambda transaction: claim(transaction, driver, wanted, limit, now))

    def ring(self, queues: Collection[str], silence: float, limit: int) -> list[LineRow]:
        now = self.now()
        lines = may_ring(queues, silence, now)
        if not self._read(f"SELECT 1 {lines} LIMIT 1"):
            return []
        return self._connections.writing(lambda transaction: ring(transaction, lines, limit, now))

    def waiting(self) -> dict[str, float]:
        return dict(self._read(waiting(self.now())))

    def commit(self, driver: int, steps: Sequence[Step]) -> list[Committed]:
        return commit(self._connections, driver, steps, self.now())

    def release(self, driver: int, lines: Collection[int], reason: str = RELEASED) -> None:
        self._write(*released(driver, lines, reason), repeatable=True)

    def owned(self, driver: int) -> list[int]:
        rows = self._read(f"SELECT id FROM ol_lines WHERE finished IS NULL AND owner = {driver} ORDER BY id")
        return [row[0] for row in rows]

    def late(self, line: int, attempt: AttemptRow) -> None:
        head = (
            "REPLACE INTO ol_attempts SELECT %s, %s, %s, %s, %s, %s, %s FROM ol_lines WHERE id = %s LOCK IN SHARE MODE"
        )
        late = put(head, line, *attempt, line)
        self._write(late, repeatable=True)

    def halted(self, driver: int) -> list[tuple[int, int]]:
        rows = self._read(f"SELECT id, halt FROM ol_lines WHERE finished IS NULL AND owner = {driver} AND halt > 0")
        return [(line, halt) for line, halt in rows]

    def next_due(self, runs: Collection[int] | None, queues: Sequence[str] | None = None) -> float | None:
        only = f"{among('run', runs)}{among_queues(queues)}"
        lines = f"SELECT MIN(due) AS t FROM ol_lines WHERE finished IS NULL AND owner IS NULL{only}"
        deadlines = f"SELECT MIN(deadline) FROM ol_runs WHERE finished IS NULL AND {_GOING}{among('id', runs)}"
        due: float | None = self._read(f"SELECT MIN(t) FROM ({lines} UNION ALL {deadlines}) AS times")[0][0]
        return due

    # What calls say

    def keep_logs(self, rows: Sequence[LogRow]) -> None:
        self._keep(LOG, rows)

    def keep_progress(self, rows: Sequence[ProgressRow]) -> None:
        self._keep(PROGRESS, rows, repeatable=True)

    # What a line needs to go on

    def line(self, line: int) -> LineRow:
        rows = self._read(f"SELECT {LINE_COLUMNS} FROM ol_lines WHERE id = {line}")
        if not rows:
            raise UnknownRun(f"no line with number {line} in {self.shown}")
        return LineRow(*rows[0])

    def assigned(self, line: int, after: int) -> list[str]:
        rows = self._read(
            f"SELECT assigned FROM ol_tasks WHERE line = {line} AND ordinal >= {after} AND assigned IS NOT NULL"
            " ORDER BY ordinal"
        )
        return [row[0] for row in rows]

    def visits(self, line: int) -> dict[str, int]:
        return dict(self._read(f"SELECT node, MAX(visit) FROM ol_tasks WHERE line = {line} GROUP BY node"))

    def children(self, line: int, label: str) -> list[ChildRow]:
        rows = self._read(
            put(
                "SELECT id, idx, path, status, error, result, vars FROM ol_lines WHERE join_id ="
                " (SELECT id FROM ol_joins WHERE line = %s AND label = %s) ORDER BY idx",
                line, label,
            )
        )  # fmt: skip
        return [ChildRow(*row) for row in rows]

    def outcomes(self, line: int, nodes: Collection[str]) -> list[TaskRow]:
        rows = self._read(
            f"SELECT {_TASKS} FROM ol_tasks t WHERE t.line = {line} AND t.node IN {texts(nodes)} ORDER BY t.ordinal"
        )
        return [TaskRow(*row) for row in rows]

    def outcomes_inside(self, lines: Collection[int], nodes: Collection[str]) -> list[KeptTask]:
        inside = (
            f"WITH RECURSIVE inside (id) AS (SELECT id FROM ol_lines WHERE id IN {numbers(lines)} UNION ALL"
            " SELECT l.id FROM inside i STRAIGHT_JOIN ol_joins j ON j.line = i.id"
            " STRAIGHT_JOIN ol_lines l ON l.join_id = j.id)"
        )
        these = "inside i STRAIGHT_JOIN ol_lines l ON l.id = i.id"
        return self._tasks(f"t.node IN {texts(nodes)} ORDER BY t.line, t.ordinal", inside, these)

    # Reading

    def run(self, name: str | int) -> RunRow | None:
        column = "id" if isinstance(name, int) else "name"
        rows = self._read(put(f"SELECT {RUN_COLUMNS} FROM ol_runs WHERE {column} = %s AND {_SEEN}", name))
        return RunRow(*rows[0]) if rows else None

    def ended(self, runs: Collection[int]) -> list[int]:
        rows = self._read(f"SELECT id FROM ol_runs WHERE finished IS NULL AND id IN {numbers(runs)}")
        going = {row[0] for row in rows}
        return [run for run in runs if run not in going]

    def runs(self, limit: int, *, unfinished: bool = False, wanted: RunFilter | None = None) -> list[RunRow]:
        conditions = ["pruned = 0", *(() if wanted is None else _conditions(wanted))]
        if unfinished:
            conditions.append("finished IS NULL")
        where = f" WHERE {' AND '.join(conditions)}"
        rows = self._read(f"SELECT {RUN_COLUMNS} FROM ol_runs{where} ORDER BY id DESC LIMIT {limit}")
        return [RunRow(*row) for row in rows]

    def rounds(self, run: int) -> list[RoundRow]:
        rows = self._read(
            f"SELECT round, status, finished, error, tasks, vars FROM ol_rounds WHERE run = {run} ORDER BY round"
        )
        return [RoundRow(*row) for row in rows]

    def flow(self, digest: str) -> str:
        body: str = self._read(put("SELECT body FROM ol_flows WHERE digest = %s", digest))[0][0]
        return body

    def flow_named(self, name: str) -> FlowRow | None:
        rows = self._read(
            put("SELECT digest, name, version, body FROM ol_flows WHERE name = %s ORDER BY created DESC LIMIT 1", name)
        )
        return FlowRow(*rows[0]) if rows else None

    def lines(self, run: int) -> list[LineRow]:
        rows = self._read(f"SELECT {LINE_COLUMNS} FROM ol_lines WHERE run = {run} ORDER BY id")
        return [LineRow(*row) for row in rows]

    def tasks(self, run: int) -> Iterator[KeptTask]:
        return iter(self._tasks(f"l.run = {run} ORDER BY t.started, t.line, t.ordinal"))

    def logs(
        self, run: int, node: str | None = None, line: str | None = None, after: int = 0, newest: int | None = None
    ) -> Iterator[KeptLog]:
        selection = Selection(run, node, line, after)
        if newest is None:
            return read_logs(self._connections, selection)
        return read_newest_logs(self._connections, selection, newest)

    def progress(self, run: int) -> dict[int, str]:
        return dict(self._read(put(CURRENT, run)))

    def marked(self, run: int, mark: str) -> list[str]:
        return [text for (text,) in self._read(marked_texts(run, mark))]

    # Taking away

    def prunable(self, before: float, statuses: Collection[str], limit: int, after: int = 0) -> list[EndedRun]:
        return ended_runs(self._read(prunable_runs(before, statuses, limit, after)))

    def prune(self, runs: Collection[int], before: float) -> list[int]:
        return prune_runs(self._connections, runs, before)

    def prune_flows(self) -> int:
        return self._connections.writing(delete_unnamed_flows)

    # Sending

    def _read(self, statement: str) -> tuple[tuple[Any, ...], ...]:
        return self._connections.reading(lambda link: link.ask(statement))

    def _write(self, *statements: str, repeatable: bool = False) -> list[Answer]:
        """Write in one transaction and one round trip."""
        return self._connections.writing(lambda transaction: transaction.commit(*statements), repeatable=repeatable)

    def _keep(self, head: str, rows: Sequence[LogRow] | Sequence[ProgressRow], *, repeatable: bool = False) -> None:
        """Keep what calls said; nothing of a line that was pruned."""

        def work(transaction: Transaction) -> None:
            lines = numbers({row.line for row in rows})
            there = {
                line for (line,) in transaction.rows(f"SELECT id FROM ol_lines WHERE id IN {lines} LOCK IN SHARE MODE")
            }
            transaction.commit(*many(head, [row for row in rows if row.line in there]))

        if rows:
            self._connections.writing(work, repeatable=repeatable)

    def _tasks(self, condition: str, named: str = "", lines: str = "ol_lines l") -> list[KeptTask]:
        rows = self._read(
            f"{named} SELECT l.path, t.ordinal, {_TASKS} FROM {lines} STRAIGHT_JOIN ol_tasks t ON t.line = l.id"
            f" WHERE {condition}"
        )
        return [KeptTask(row[0], row[1], TaskRow(*row[2:])) for row in rows]

    def _known(self, run: int, rows: Any) -> RunRow:
        if not rows:
            raise UnknownRun(f"no run with number {run} in {self.shown}")
        return RunRow(*rows[0])


def _run(run: int) -> str:
    return f"SELECT {RUN_COLUMNS} FROM ol_runs WHERE id = {run} AND {_SEEN}"


def _conditions(wanted: RunFilter) -> Iterator[str]:
    """Yield what a run has to fulfil."""
    if wanted.statuses:
        yield f"status IN {texts(wanted.statuses)}"
    if wanted.flow is not None:
        yield put("flow = %s", wanted.flow)
    if wanted.since is not None:
        yield put("created >= %s", wanted.since)
    if wanted.prefix:
        yield put("LEFT(name, %s) = %s", len(wanted.prefix), wanted.prefix)


def _check_over(found: RunRow, over: int) -> None:
    """See to it that a run may have another round after the one that is over.

    :raises Refused: it may not.
    """
    if found.pruned:
        raise Refused(f"run {found.name} was pruned; only its key is kept")
    if found.finished is None or found.round != over:
        raise Refused(f"run {found.name} goes on already, in round {found.round}")
    if found.status == RunStatus.SUCCESS:
        raise Refused(f"run {found.name} has succeeded; there is nothing to do again")
