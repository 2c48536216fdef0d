"""A store around another one, which passes everything on: a base for those that change some of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.states import RELEASED
from orderlines.stores.base import Store
from orderlines.stores.records import LEASE
from orderlines.stores.wrapped_schedules import WrappedSchedules

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from orderlines.processes.identity import ProcessIdentity
    from orderlines.stores.records import (
        AttemptRow,
        ChildRow,
        Committed,
        DriverRow,
        EndedRun,
        Finding,
        FlowRow,
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


class WrappedStore(WrappedSchedules, Store):
    """Passes everything on to the store ``inner``; each method does what the contract says of it."""

    scheme = "wrapped"
    inner: Store

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.url = inner.url
        self.largest = inner.largest

    @property
    def shown(self) -> str:
        """The URL as messages show it."""
        return self.inner.shown

    def close(self) -> None:
        self.inner.close()

    def park(self) -> None:
        self.inner.park()

    def now(self) -> float:
        return self.inner.now()

    def version(self) -> int:
        return self.inner.version()

    def identity(self) -> str:
        return self.inner.identity()

    def examine(self) -> Iterable[Finding]:
        return self.inner.examine()

    def enroll(self, identity: ProcessIdentity, lease: float = LEASE) -> int:
        return self.inner.enroll(identity, lease)

    def renew(self, driver: int) -> bool:
        return self.inner.renew(driver)

    def dismiss(self, drivers: Collection[int]) -> None:
        self.inner.dismiss(drivers)

    def drivers(self) -> list[DriverRow]:
        return self.inner.drivers()

    def accept(self, run: NewRun) -> RunRow:
        return self.inner.accept(run)

    def accept_for(self, driver: int, run: NewRun) -> tuple[RunRow, LineRow | None]:
        return self.inner.accept_for(driver, run)

    def wish(self, run: int, wish: str) -> RunRow:
        return self.inner.wish(run, wish)

    def resume(self, run: int) -> RunRow:
        return self.inner.resume(run)

    def skip(self, line: LineRow) -> bool:
        return self.inner.skip(line)

    def reopen(self, wanted: Reopening) -> RunRow:
        return self.inner.reopen(wanted)

    def expire(self, runs: Collection[int] | None) -> list[int]:
        return self.inner.expire(runs)

    def signal(self, run: int, target: str, data: str, key: str | None = None) -> bool:
        return self.inner.signal(run, target, data, key)

    def claim(
        self,
        driver: int,
        runs: Collection[int] | None,
        limit: int,
        queues: Sequence[str] | None = None,
        without: Collection[int] = (),
    ) -> list[LineRow]:
        return self.inner.claim(driver, runs, limit, queues, without)

    def ring(self, queues: Collection[str], silence: float, limit: int) -> list[LineRow]:
        return self.inner.ring(queues, silence, limit)

    def waiting(self) -> dict[str, float]:
        return self.inner.waiting()

    def commit(self, driver: int, steps: Sequence[Step]) -> list[Committed]:
        return self.inner.commit(driver, steps)

    def release(self, driver: int, lines: Collection[int], reason: str = RELEASED) -> None:
        self.inner.release(driver, lines, reason)

    def owned(self, driver: int) -> list[int]:
        return self.inner.owned(driver)

    def late(self, line: int, attempt: AttemptRow) -> None:
        self.inner.late(line, attempt)

    def halted(self, driver: int) -> list[tuple[int, int]]:
        return self.inner.halted(driver)

    def next_due(self, runs: Collection[int] | None, queues: Sequence[str] | None = None) -> float | None:
        return self.inner.next_due(runs, queues)

    def keep_logs(self, rows: Sequence[LogRow]) -> None:
        self.inner.keep_logs(rows)

    def keep_progress(self, rows: Sequence[ProgressRow]) -> None:
        self.inner.keep_progress(rows)

    def line(self, line: int) -> LineRow:
        return self.inner.line(line)

    def assigned(self, line: int, after: int) -> list[str]:
        return self.inner.assigned(line, after)

    def visits(self, line: int) -> dict[str, int]:
        return self.inner.visits(line)

    def children(self, line: int, label: str) -> list[ChildRow]:
        return self.inner.children(line, label)

    def outcomes(self, line: int, nodes: Collection[str]) -> list[TaskRow]:
        return self.inner.outcomes(line, nodes)

    def outcomes_inside(self, lines: Collection[int], nodes: Collection[str]) -> list[KeptTask]:
        return self.inner.outcomes_inside(lines, nodes)

    def whole(self, text: str) -> str:
        return self.inner.whole(text)

    def run(self, name: str | int) -> RunRow | None:
        return self.inner.run(name)

    def ended(self, runs: Collection[int]) -> list[int]:
        return self.inner.ended(runs)

    def runs(self, limit: int, *, unfinished: bool = False, wanted: RunFilter | None = None) -> list[RunRow]:
        return self.inner.runs(limit, unfinished=unfinished, wanted=wanted)

    def rounds(self, run: int) -> list[RoundRow]:
        return self.inner.rounds(run)

    def flow(self, digest: str) -> str:
        return self.inner.flow(digest)

    def flow_named(self, name: str) -> FlowRow | None:
        return self.inner.flow_named(name)

    def lines(self, run: int) -> list[LineRow]:
        return self.inner.lines(run)

    def tasks(self, run: int) -> Iterator[KeptTask]:
        return self.inner.tasks(run)

    def logs(
        self, run: int, node: str | None = None, line: str | None = None, after: int = 0, newest: int | None = None
    ) -> Iterator[KeptLog]:
        return self.inner.logs(run, node, line, after, newest)

    def progress(self, run: int) -> dict[int, str]:
        return self.inner.progress(run)

    def marked(self, run: int, mark: str) -> Iterable[str]:
        return self.inner.marked(run, mark)

    def prunable(self, before: float, statuses: Collection[str], limit: int, after: int = 0) -> list[EndedRun]:
        return self.inner.prunable(before, statuses, limit, after)

    def prune(self, runs: Collection[int], before: float) -> list[int]:
        return self.inner.prune(runs, before)

    def prune_flows(self) -> int:
        return self.inner.prune_flows()

    def sweep(self, age: float) -> int:
        return self.inner.sweep(age)
