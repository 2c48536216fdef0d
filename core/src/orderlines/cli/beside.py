"""A run that workers drive, as the command that follows it sees it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from orderlines.cli.options import named_queue
from orderlines.cli.outage import Outage
from orderlines.cli.output import tell
from orderlines.cli.ringing import tell_workers
from orderlines.cli.unattended import is_held, tell_unless_driven
from orderlines.errors import StoreUnavailable
from orderlines.states import GOES_ON, Halt
from orderlines.stores.showing import shown_option, shown_worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow, RunRow

_WAITS: Final = 5.0
"""Seconds that lines of the run may wait for a worker before that is said."""
_OBEYS: Final = 2.0
"""Seconds within which a worker, where one serves, has a run in hand that is to stop."""


class Beside:
    """Has the methods of a supervisor that :func:`orderlines.cli.driving.drive` needs, and drives nothing.

    :param url: the store's.
    """

    drives: Final = False

    def __init__(self, store: Store, row: RunRow, url: str) -> None:
        self.store = store
        self.waiting = {row.id}
        self.failures: dict[int, str] = {}
        self._outage = Outage()
        self._url = url
        self._name = row.name
        self._pause = _WAITS
        self._next_look = 0.0
        self._stood: list[tuple[int, int]] = []
        self._free: set[int] = set()
        self._stops_by: float | None = None

    def attend(self, seconds: float) -> None:
        """Wait a moment, and look whether the run has ended; a store that is away is waited for."""
        time.sleep(seconds)
        try:
            self.waiting.difference_update(self.store.ended(self.waiting))
            self._tell_once()
            self._give_up()
        except StoreUnavailable as error:
            self._outage.bear(error)
        else:
            self._outage.over()

    def stop(self, run: int) -> str:
        """Wish the run to stop, and return its name."""
        name = self.store.wish(run, "stop").name
        tell_workers(self.store, run, self._url)
        self._stops_by = time.monotonic() + _OBEYS
        return name

    def kill(self) -> None:
        """Leave it to the workers: each call has its grace there."""

    def release(self, hurried: Callable[[], bool]) -> None:
        """Leave the run to the workers."""

    def _give_up(self) -> None:
        """Wait no longer for the end of a run that is to stop, and that no worker has in hand."""
        now = time.monotonic()
        if self._stops_by is None or not self.waiting:
            return
        row = self.store.run(self._name)
        if row is None or is_held(self.store, row):
            self._stops_by = now + _OBEYS
        elif now >= self._stops_by:
            tell_unless_driven(self.store, row, "the wish to stop is stored; a worker obeys it first, or it ends")
            self.waiting.clear()

    def _tell_once(self) -> None:
        """Say where the run goes on only with a worker, and none has come: since none serves, or lacks a plugin."""
        now = time.monotonic()
        if now < self._next_look or not self.waiting:
            return
        self._next_look = now + self._pause
        self._pause *= 2  # Where a run has many lines, to read them all takes time.
        lines, moment = self.store.lines(next(iter(self.waiting))), self.store.now()
        free = {line.id: line.queue for line in lines if _waits(line, moment)}
        stood, late = self._stood, free.keys() & self._free
        self._stood, self._free = [(line.id, line.seq) for line in lines], set(free)
        # A run that is served has no owner either, from one line to the next.
        if late and stood == self._stood and not any(line.owner for line in lines):
            queues = {free[number] for number in late}
            self._next_look = float("inf")
            of = ", ".join(sorted(filter(None, queues)))
            command = shown_worker(self.store.url, queues, named_queue())
            tell(
                f"run {self._name} waits for a worker of the queue {of}: {command}"
                f" (`orderlines workers {shown_option(self.store.url)}` lists who serves; one that cannot do what is"
                " asked for says why in its log)",
                run=self._name,
            )


def _waits(line: LineRow, moment: float) -> bool:
    """Return whether a line is for workers, and one may take it at a moment of the store's clock."""
    able = line.status in GOES_ON or (line.due is not None and line.due <= moment)
    return able and line.queue is not None and line.halt == Halt.NONE
