"""The Redis store: what the contract asks for, as calls of scripts and as reads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orderlines.errors import Refused, StoreUnavailable, UnknownRun
from orderlines.states import RELEASED
from orderlines.stores.addressing import as_listed
from orderlines.stores.base import Store
from orderlines.stores.records import LEASE, FlowRow
from orderlines.stores.upgrading import advice
from orderlines_store_redis import finding, pruning, reading, saying
from orderlines_store_redis.accepting import Accepting
from orderlines_store_redis.address import Address
from orderlines_store_redis.connection import LAYOUT, Connections
from orderlines_store_redis.queues import Wanted, ring, serve
from orderlines_store_redis.rows import attempt_of, line_of, number, run_of, text, written
from orderlines_store_redis.schedules import RedisSchedules
from orderlines_store_redis.steps import commit, said

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from orderlines.processes.identity import ProcessIdentity
    from orderlines.stores.records import (
        AttemptRow,
        ChildRow,
        Committed,
        DriverRow,
        EndedRun,
        Finding,
        KeptLog,
        KeptTask,
        LineRow,
        LogRow,
        NewRun,
        ProgressRow,
        Reopening,
        RoundRow,
        RunFilter,
        RunRow,
        Step,
        TaskRow,
    )
    from orderlines.stores.upgrading import Upgrade

_SWEEP = 5.0
"""Seconds between two looks for runs that are to vanish."""


class RedisStore(RedisSchedules, Store):
    """Keeps runs in Redis 6.2 or newer, or Valkey: ``redis://user:password@host:port/database?prefix=orderlines``.

    How much of what it acknowledged survives a crash of the server is what the server's persistence says. With
    ``?expire=SECONDS``, drivers take away runs that have ended so long ago.
    """

    scheme = "redis"

    def __init__(self, url: str) -> None:
        address = Address(url)
        self.url = url
        self._address = address
        self._connections = Connections(address)
        self._accepting = Accepting(self._connections)
        self._next_sweep = 0.0
        self._run = self._connections.run
        self._ask = self._connections.ask
        self._key = self._connections.key
        self.version()

    @classmethod
    def upgrade(cls, url: str) -> Upgrade:
        from orderlines_store_redis.upgrade import RedisUpgrade  # noqa: PLC0415 -- few commands upgrade

        return RedisUpgrade(url)

    def close(self) -> None:
        self._connections.close()

    def park(self) -> None:
        self._connections.park()

    def now(self) -> float:
        self._connections.check_open()
        known = self._connections.clock.now()
        if known is not None:
            return known
        asked = time.monotonic()
        ((seconds, micros),) = self._ask((b"TIME",))
        told = int(seconds) + int(micros) / 1e6
        self._connections.clock.hear(told, asked, time.monotonic())
        return self._connections.clock.now() or told

    def version(self) -> int:
        (found,) = self._ask((b"GET", self._key("version")))
        return int(found or 0) - self._connections.raised()

    def identity(self) -> str:
        from secrets import token_hex  # noqa: PLC0415 -- only where there are large values

        (found,) = self._run("identity", token_hex(16))
        told: bytes = found
        return told.decode()

    def examine(self) -> Iterator[Finding]:
        from orderlines_store_redis.examining import examine  # noqa: PLC0415 -- only a doctor needs it

        return examine(self._connections)

    # Drivers and their leases

    def enroll(self, identity: ProcessIdentity, lease: float = LEASE) -> int:
        number, *layout = self._run("enroll", written((*identity, lease)), str(LAYOUT))
        if layout:
            shown = self._address.shown
            raise StoreUnavailable(f"store {shown}: {advice(int(layout[0]), LAYOUT, shown)}")
        return int(number)

    def renew(self, driver: int) -> bool:
        return self._run("renew", str(driver)) == [1]

    def dismiss(self, drivers: Collection[int]) -> None:
        self._run("dismiss", *map(str, drivers))

    def drivers(self) -> list[DriverRow]:
        return finding.drivers(self._connections)

    # Runs

    def accept(self, run: NewRun) -> RunRow:
        return self._accepting.accept(run)[0]

    def accept_for(self, driver: int, run: NewRun) -> tuple[RunRow, LineRow | None]:
        return self._accepting.accept(run, driver)

    def wish(self, run: int, wish: str) -> RunRow:
        return self._changed(run, self._run("wish", str(run), wish))

    def resume(self, run: int) -> RunRow:
        return self._changed(run, self._run("resume", str(run)))

    def _changed(self, run: int, answer: Sequence[Sequence[bytes | None] | None]) -> RunRow:
        if answer[0] is None:
            raise self._unknown(run)
        return run_of(answer[0])

    def _unknown(self, run: int) -> UnknownRun:
        return UnknownRun(f"no run with number {run} in {self._address.shown}")

    def skip(self, line: LineRow) -> bool:
        return self._run("skip", str(line.id), str(line.cursor), str(line.tasks)) == [1]

    def reopen(self, wanted: Reopening) -> RunRow:
        back = ("", "") if wanted.rewind is None else map(str, wanted.rewind)
        what, *row = self._run(
            "reopen", str(wanted.run), str(wanted.round), number(wanted.timeout), text(wanted.vars), *back
        )
        if what == b"unknown":
            raise self._unknown(wanted.run)
        run = run_of(row[0])
        if what == b"pruned":
            raise Refused(f"run {run.name} was pruned; only its key is kept")
        if what == b"goes on":
            raise Refused(f"run {run.name} goes on already, in round {run.round}")
        if what == b"succeeded":
            raise Refused(f"run {run.name} has succeeded; there is nothing to do again")
        return run

    def expire(self, runs: Collection[int] | None) -> list[int]:
        self._sweep()
        due = finding.overdue(self._connections, runs, self.now())
        return [int(run) for run in self._run("expire", *map(str, due))] if due else []

    def _sweep(self) -> None:
        """Take away runs that have ended long ago, where the URL says so."""
        if self._address.expire is not None and time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + _SWEEP
            before = self.now() - self._address.expire
            while (old := pruning.aged(self._connections, before)) and self._pruned(old, before, expires=True):
                pass

    def _pruned(self, runs: Collection[int], before: float, *, expires: bool) -> list[int]:
        return pruning.prune(self._connections, runs, before, expires=expires)

    def signal(self, run: int, target: str, data: str, key: str | None = None) -> bool:
        what, *more = self._run("signal", str(run), target, as_listed(target), data, text(key))
        if what == b"unknown":
            raise self._unknown(run)
        if what == b"over":
            raise Refused(f"run {more[0].decode()} has ended; nothing in it waits for a signal any more")
        if what == b"several":
            found = sorted((int(line), f"{path.decode()}/{node.decode()}".lstrip("/")) for line, path, node in more[0])
            names = ", ".join(name for _, name in found[:5])
            raise Refused(f"{len(found)} lines wait for {target!r}; name one of them: {names}")
        return bool(what == b"sent")

    # Lines

    def claim(
        self,
        driver: int,
        runs: Collection[int] | None,
        limit: int,
        queues: Sequence[str] | None = None,
        without: Collection[int] = (),
    ) -> list[LineRow]:
        if queues is not None:
            return serve(self._run, Wanted(driver, limit, queues), runs, without)
        claimable = finding.claimable(self._connections, runs, self.now(), without)
        return [line_of(row) for row in self._run("claim", str(driver), str(limit), *claimable)] if claimable else []

    def ring(self, queues: Collection[str], silence: float, limit: int) -> list[LineRow]:
        return ring(self._run, queues, silence, limit)

    def waiting(self) -> dict[str, float]:
        return {queue[1:].decode(): float(since) for queue, since in self._connections.look("waiting")}

    def commit(self, driver: int, steps: Sequence[Step]) -> list[Committed]:
        return commit(self._run, driver, steps)

    def release(self, driver: int, lines: Collection[int], reason: str = RELEASED) -> None:
        self._run("release", str(driver), reason, "1" if reason == RELEASED else "", *map(str, lines))

    def owned(self, driver: int) -> list[int]:
        (lines,) = self._ask((b"SMEMBERS", self._key(f"owned:{driver}")))
        return sorted(map(int, lines))

    def late(self, line: int, attempt: AttemptRow) -> None:
        self._run("late", str(line), *attempt_of(attempt))

    def halted(self, driver: int) -> list[tuple[int, int]]:
        (lines,) = self._ask((b"HGETALL", self._key(f"halted:{driver}")))
        return sorted((int(line), int(halt)) for line, halt in finding.pairs(lines).items())

    def next_due(self, runs: Collection[int] | None, queues: Sequence[str] | None = None) -> float | None:
        return finding.next_due(self._connections, runs, queues)

    # What calls say

    def keep_logs(self, rows: Sequence[LogRow]) -> None:
        self._run("say", *(word for row in rows for word in (str(row.run), str(row.line), *said(row))))

    def keep_progress(self, rows: Sequence[ProgressRow]) -> None:
        self._run("report", *(word for row in rows for word in (str(row.run), str(row.line), written(row[2:]))))

    # What a line needs to go on

    def line(self, line: int) -> LineRow:
        found = reading.lines_of(self._connections, [line])
        if not found:
            raise UnknownRun(f"no line with number {line} in {self._address.shown}")
        return found[0]

    def assigned(self, line: int, after: int) -> list[str]:
        tasks = reading.tasks_of(self._connections, line, after)
        return [task.assigned for task in tasks if task.assigned is not None]

    def visits(self, line: int) -> dict[str, int]:
        found: dict[str, int] = {}
        for task in reading.tasks_of(self._connections, line):
            found[task.node] = max(task.visit, found.get(task.node, 0))
        return found

    def children(self, line: int, label: str) -> list[ChildRow]:
        return reading.children(self._connections, line, label)

    def outcomes(self, line: int, nodes: Collection[str]) -> list[TaskRow]:
        wanted = set(nodes)
        return [task for task in reading.tasks_of(self._connections, line) if task.node in wanted] if wanted else []

    def outcomes_inside(self, lines: Collection[int], nodes: Collection[str]) -> list[KeptTask]:
        wanted = set(nodes)
        found = reading.tasks_on(self._connections, reading.inside(self._connections, lines)) if wanted else ()
        return [kept for kept in found if kept.task.node in wanted]

    # Reading

    def run(self, name: str | int) -> RunRow | None:
        return reading.run(self._connections, name)

    def ended(self, runs: Collection[int]) -> list[int]:
        return finding.ended(self._connections, list(runs))

    def runs(self, limit: int, *, unfinished: bool = False, wanted: RunFilter | None = None) -> list[RunRow]:
        from orderlines_store_redis.listing import listed  # noqa: PLC0415 -- people ask for it, drivers do not

        return listed(self._connections, limit, unfinished=unfinished, wanted=wanted)

    def rounds(self, run: int) -> list[RoundRow]:
        return reading.rounds(self._connections, run)

    def flow(self, digest: str) -> str:
        (body,) = self._ask((b"HGET", self._key(f"flow:{digest}"), b"body"))
        if body is None:
            raise LookupError(f"no flow {digest} in {self._address.shown}")
        found: bytes = body
        return found.decode()

    def flow_named(self, name: str) -> FlowRow | None:
        (digest,) = self._ask((b"HGET", self._key("flows"), name))
        if digest is None:
            return None
        key = self._key("flow:") + digest
        ((title, version, body),) = self._ask((b"HMGET", key, b"name", b"version", b"body"))
        return FlowRow(digest.decode(), title.decode(), version.decode(), body.decode())

    def lines(self, run: int) -> list[LineRow]:
        return reading.lines(self._connections, run)

    def tasks(self, run: int) -> Iterator[KeptTask]:
        kept = list(reading.tasks(self._connections, run))
        return iter(sorted(kept, key=lambda each: each.task.started))

    def logs(
        self, run: int, node: str | None = None, line: str | None = None, after: int = 0, newest: int | None = None
    ) -> Iterator[KeptLog]:
        return saying.logs(self._connections, saying.Selection(run, node, line), after, newest)

    def progress(self, run: int) -> dict[int, str]:
        return saying.progress(self._connections, run)

    def marked(self, run: int, mark: str) -> Iterator[str]:
        from orderlines_store_redis.marking import marked  # noqa: PLC0415 -- who prunes asks for it, drivers do not

        return marked(self._connections, run, mark)

    # Taking away

    def prunable(self, before: float, statuses: Collection[str], limit: int, after: int = 0) -> list[EndedRun]:
        return pruning.prunable(self._connections, pruning.Old(before, statuses), limit, after)

    def prune(self, runs: Collection[int], before: float) -> list[int]:
        return self._pruned(runs, before, expires=False)

    def prune_flows(self) -> int:
        found: int = self._run("weed")[0]
        return found
