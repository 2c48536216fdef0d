"""The one place where large texts leave the rows and come back.

A :class:`LargeStore` stands around every store that is opened. What is written through it is looked at for its length;
what is larger than the inline limit is put into a result store first, and the row gets a reference. Rows that are read
hold these references still: :meth:`LargeStore.whole` is asked for a text where somebody needs it.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from orderlines.errors import Refused, UnknownRun, ValueLost
from orderlines.stores.leaving import Leaving, is_large
from orderlines.stores.limits import Limits, exceeds
from orderlines.stores.references import MARK, reason_in, reference_in
from orderlines.stores.wrapped import WrappedStore

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from orderlines.stores.base import Store
    from orderlines.stores.places import Places
    from orderlines.stores.records import AttemptRow, Committed, FlowRow, LineRow, NewRun, Reopening, RunRow, Step
    from orderlines.stores.results import ResultStore
    from orderlines.stores.schedule_records import Schedule, ScheduleRow, SlotStart


class LargeStore(WrappedStore):
    """Keeps large texts of a store in result stores.

    :param places: where they are written and found.
    """

    def __init__(self, inner: Store, places: Places, limits: Limits = Limits()) -> None:  # noqa: B008 -- it is constant
        super().__init__(inner)
        self.largest = limits.largest
        self._places = places
        self._inline = limits.inline
        # Texts of so few characters are small, whatever they consist of.
        self._quick = limits.inline // 4
        self._identity = ""

    def reach(self) -> None:
        """Open the result store that large values go to, where that is another one.

        :raises StoreUnavailable: it cannot be reached.
        """
        self._places.reach()

    def close(self) -> None:
        super().close()
        for results in self._places.opened():
            results.close()

    def park(self) -> None:
        super().park()
        for results in self._places.opened():
            results.park()

    # What leaves

    def accept(self, run: NewRun) -> RunRow:
        with self._accepting(run) as (given, kept):
            kept.append(row := self.inner.accept(given))
        return row

    def accept_for(self, driver: int, run: NewRun) -> tuple[RunRow, LineRow | None]:
        with self._accepting(run) as (given, kept):
            row, line = self.inner.accept_for(driver, given)
            kept.append(row)
        return row, line

    @contextmanager
    def _accepting(self, run: NewRun) -> Iterator[tuple[NewRun, list[RunRow]]]:
        """Lend a run whose variables fit into its row; take them back where another run or none comes of it."""
        self._check(run.vars, f"the variables of a run of flow {run.flow!r}")
        text = run.vars if self._places.target is None else self._leaving().text(run.name, run.vars)
        kept: list[RunRow] = []
        try:
            yield run._replace(vars=text), kept
        except Refused:
            if text is not run.vars:
                self._at_target().delete([run.name])
            raise
        if text is not run.vars and (not kept or kept[0].name != run.name):
            self._at_target().delete([run.name])

    def keep_schedule(
        self,
        schedule: Schedule,
        flows: Sequence[FlowRow],
        due: int | None,
        *,
        paused: bool = False,
        replace: bool = False,
    ) -> ScheduleRow:
        """Keep a schedule, whose variables stay in its row: they belong to no run."""
        if exceeds(schedule.vars, self._inline):
            size = len(schedule.vars.encode())
            told = f"the variables of schedule {schedule.name!r} are {size:,} bytes as text; at most {self._inline:,}"
            raise Refused(f"{told} are kept with a schedule (inline_limit)")
        return super().keep_schedule(schedule, flows, due, paused=paused, replace=replace)

    def start_slot(self, row: ScheduleRow, slot: int, run: NewRun, *, alone: bool) -> SlotStart:
        with self._accepting(run) as (given, kept):
            started = super().start_slot(row, slot, given, alone=alone)
            if started.run is not None:
                kept.append(started.run)
        return started

    def signal(self, run: int, target: str, data: str, key: str | None = None) -> bool:
        self._check(data, f"the data of a signal to {target!r}")
        return self.inner.signal(run, target, self._outside(run, data), key)

    def reopen(self, wanted: Reopening) -> RunRow:
        if wanted.vars is not None:
            wanted = wanted._replace(vars=self._outside(wanted.run, wanted.vars))
        return self.inner.reopen(wanted)

    def late(self, line: int, attempt: AttemptRow) -> None:
        if len(attempt.error) > self._quick:
            with suppress(UnknownRun):  # nothing is kept of a line that is gone
                attempt = attempt._replace(error=self._outside(self.inner.line(line).run, attempt.error))
        self.inner.late(line, attempt)

    def commit(self, driver: int, steps: Sequence[Step]) -> list[Committed]:
        quick = self._quick
        for step in steps:
            if is_large(step, quick) and self._places.target is not None:
                return self.inner.commit(driver, self._all_outside(steps))
        return self.inner.commit(driver, steps)

    def _all_outside(self, steps: Sequence[Step]) -> list[Step]:
        leaving, quick = self._leaving(), self._quick
        return [leaving.step(self._name(step.run), step) if is_large(step, quick) else step for step in steps]

    def _outside(self, run: int, text: str) -> str:
        small = len(text) <= self._quick and text[:1] != MARK
        return text if small or self._places.target is None else self._leaving().text(self._name(run), text)

    def _leaving(self) -> Leaving:
        return Leaving(self._write, self._inline)

    def _name(self, run: int) -> str:
        """Return the name of a run; one that is not there any more refuses the step, and what was written is swept."""
        row = self.inner.run(run)
        return "" if row is None else row.name

    def _at_target(self) -> ResultStore:
        return self._places.at(self._places.target or "")

    def _write(self, run: str, text: str) -> str:
        """Keep a text outside, and return what stands for it."""
        place = self._places.target or ""
        return self._at_target().put(self.identity(), run, text)._replace(place=place).text()

    def _check(self, text: str, what: str) -> None:
        if exceeds(text, self.largest):
            size = len(text.encode())
            raise Refused(f"{what} are {size:,} bytes as text; at most {self.largest:,} are kept (value_limit)")

    # What comes back

    def whole(self, text: str) -> str:
        if text[:1] != MARK:
            return text
        try:
            reference = reference_in(text)
        except ValueError:
            told = reason_in(text) or f"what is kept in place of a large value is no reference: {text:.80}"
            raise ValueLost(told) from None
        return self._places.get(reference)

    def identity(self) -> str:
        if not self._identity:
            self._identity = self.inner.identity()
        return self._identity

    # What is taken away

    def prune(self, runs: Collection[int], before: float) -> list[int]:
        known = {number: (row.name, self._places_of(number)) for number in runs if (row := self.inner.run(number))}
        named = {place: name for name, places in known.values() for place in places}
        # One that refuses or is away says so while the runs are still there.
        emptied = {place: self._places.emptied(place, name) for place, name in named.items()}
        gone = self.inner.prune(runs, before)
        for number in gone:
            name, places = known.get(number, ("", frozenset()))
            for place in places:
                results = emptied[place]
                if results is not None:
                    results.delete([name])
        return gone

    def _places_of(self, run: int) -> frozenset[str]:
        """Return the places that the rows of a run refer to, and that where values may be that no row names."""
        named = {place for place, _ in self._named(run)}
        return frozenset(named if self._places.target is None else {*named, self._places.target})

    def sweep(self, age: float) -> int:
        return sum(self._sweep(place, age) for place in self._places.ours())

    def _sweep(self, place: str, age: float) -> int:
        results = self._places.at(place)
        swept = 0
        for old in results.old(self.identity(), age):
            row = self.inner.run(old.run)
            named = set() if row is None or row.pruned else {digest for _, digest in self._named(row.id)}
            unnamed = [digest for digest in old.digests if digest not in named]
            if unnamed:
                swept += results.discard(old.run, unnamed, age)
        return swept

    def _named(self, run: int) -> Iterator[tuple[str, str]]:
        """Yield the place and the digest of each reference in the rows of a run."""
        for text in self.inner.marked(run, MARK):
            with suppress(ValueError):  # a value that is lost for good
                reference = reference_in(text)
                yield reference.place, reference.sha256
