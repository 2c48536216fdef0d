"""Who drives the runs that a scheduler starts: a supervised process of its own, or others."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from orderlines.cli.output import tell
from orderlines.errors import StoreUnavailable
from orderlines.states import RunStatus
from orderlines.views.wording import failed_line

if TYPE_CHECKING:
    from orderlines.stores.records import RunRow
    from orderlines.supervision.supervisor import Supervisor

_SEARCH: Final = 3.0
"""Seconds between two looks at which runs there are; those of schedulers that have died are among them."""
_ALL: Final = 1_000_000
_PREFIX: Final = "schedule:"


class Others:
    """Runs that workers drive."""

    def begun(self, run: RunRow) -> None:
        """Do nothing."""

    def tend(self, seconds: float) -> bool:
        """Do nothing."""
        return False


class ScheduledRuns:
    """The unfinished runs of all schedules of a store, whoever started them; a driver of this process serves them."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._known: set[int] = set()
        self._next_search = 0.0

    def begun(self, run: RunRow) -> None:
        """Drive a run that was just started."""
        self._add(run.id)

    def _add(self, run: int) -> None:
        if run not in self._known:
            self._known.add(run)
            self._supervisor.add(run)

    def tend(self, seconds: float) -> bool:
        """Find runs to drive, and attend to the driver.

        :raises OrderlinesError: drivers end as soon as they are started.
        """
        now = time.monotonic()
        if now >= self._next_search:
            self._next_search = now + _SEARCH
            self._search()
        self._supervisor.attend(seconds)
        return True

    def part(self) -> None:
        """Say which runs have failed since the last look; the driver has ended."""
        with suppress(StoreUnavailable):  # The loop has said so.
            self._look()

    def _search(self) -> None:
        try:
            found = self._look()
        except StoreUnavailable:
            return  # The loop says so.
        for number in found:
            self._add(number)
        for number, message in self._supervisor.failures.items():
            if number in self._known and number in found:
                name = found[number].name
                tell(f"run {name} is kept but cannot be driven on here: {message}", "ERROR", run=name)
        self._supervisor.failures.clear()

    def _look(self) -> dict[int, RunRow]:
        """Return the runs that go on, and forget the others; say which have failed, for who looks after the scheduler.

        :raises StoreUnavailable: the store is away; what is not told yet is told the next time.
        """
        store = self._supervisor.store
        rows = store.runs(_ALL, unfinished=True)
        found = {row.id: row for row in rows if (row.key or "").startswith(_PREFIX)}
        for number in sorted(self._known - found.keys()):
            run = store.run(number)
            self._known.discard(number)
            if run is not None and run.status == RunStatus.FAILURE:
                error = None if run.error is None else json.loads(run.error)
                tell(failed_line(run.name, run.flow, error), "WARNING", run=run.name)
        return found
