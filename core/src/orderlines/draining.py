"""A driver that is asked again and again to do what there is to do for some queues: a worker's."""

from __future__ import annotations

import json
import math
import threading
import time
from typing import TYPE_CHECKING, Final

from orderlines.driver import Driver
from orderlines.driving.territory import Queues
from orderlines.errors import StoreUnavailable
from orderlines.logger import logger
from orderlines.states import LineStatus
from orderlines.views.wording import failed_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orderlines.bells import Bell
    from orderlines.line import Line, RunInfo, Turn
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow

QUICK: Final = 0.05
"""Seconds within which what was taken at once is to have gone on, if twice as much is to be taken the next time."""
LONG: Final = 0.1
"""Seconds for which calls may hold up others that wait behind them, before these are given back."""
AGAIN: Final = 1.0
"""Seconds after which it is looked again for what was due and could not be taken."""


class Drainer(Driver):
    """Drives lines of queues, whatever run they are of, while :meth:`drain` is called, always in one thread.

    It takes one line at first, and more at once only while lines go on quickly: what it has taken and cannot do yet
    keeps nobody else busy. Lines whose calls run in other processes do not count. What waits behind calls that take
    long is given back by :meth:`share`; from then on it takes one line again.

    Its lease is kept by somebody else, from its being made until :meth:`part`.

    :param queues: their names, the most urgent first.
    :param bell: told of lines that are left to workers.
    :param batch: how many lines it takes at once, at the most.
    """

    def __init__(
        self, store: Store, registry: Registry, queues: Sequence[str], bell: Bell | None = None, batch: int = 16
    ) -> None:
        self._queues = Queues(queues, 1)
        self._most = batch
        self._pace = 1
        self._taken_at = 0.0
        self._called_at = math.inf
        self._stands_in = False
        self._shared: list[int] = []
        self._sharing = threading.Lock()
        super().__init__(store, registry, self._ended, bell, self._queues)

    @property
    def holds(self) -> bool:
        """Whether lines are in hand, whose calls go on after :meth:`drain` has returned."""
        return bool(self._lines.known)

    def drain(self, until: float) -> bool:
        """Take lines and drive them until there are none, or until the time is over.

        :param until: moment of the monotonic clock after which none is taken, and what is in hand is left as it is
            until this is called again.
        :returns: whether there may be more.
        :raises StoreUnavailable: the store cannot be reached, and no line is in hand.
        """
        self._stirred = True
        self._next_poll = 0.0
        while not self._closing.is_set():
            self._queues.open = time.monotonic() < until
            with self._sharing:
                self._make_room()
            try:
                self._round()
            except StoreUnavailable as error:
                if not self._lines.known:
                    self._shake()  # What it was asked for may be done, and only the answer lost: lines taken.
                    raise
                self._patiently.bear(error)
            if not self._queues.open:
                return True
            if not self._lines.known and not self._stirred:
                return False
        return False

    def share(self) -> list[int]:
        """Give back the lines that wait for the driver's thread, where calls of others have kept that for long.

        From another thread, again and again. Returns which lines; workers have to be told of them.

        :raises StoreUnavailable: the store cannot be reached; they are given back the next time.
        """
        with self._sharing:
            if self._calls.waited() >= LONG:
                self._set_aside([line for line in list(self._lines.known.values()) if self._calls.recall(line)])
            shared = self._shared
            if shared:
                self.store.release(self.id, shared)
                self._shared = []
        return shared

    def rest(self) -> float | None:
        """Return in how many seconds something comes due, as far as is known; ``None`` where nothing does.

        :raises StoreUnavailable: the store cannot be reached.
        """
        if self._due is None:
            return None
        left = self._due - self.store.now()
        return left if left > 0 else AGAIN

    def part(self) -> None:
        """Give calls their grace, give back what is in hand, and leave the books; after :meth:`close`."""
        self._let_go()

    def _call(self) -> None:
        self._called_at = time.monotonic()
        super()._call()

    def _look(self, now: float) -> None:
        with self._sharing:
            super()._look(now)

    def _take(self, row: LineRow) -> None:
        """Take a line, unless it is to be given back: that may be done, unheard, and is done again in any case."""
        if row.id in self._shared:
            self._shake()
        else:
            super()._take(row)
            if row.id not in self._lines.known:  # It cannot be served here; the next one may be.
                self._look_soon()

    def _stand_in(self, enough: Callable[[], bool]) -> None:
        """See to calls that run beside the one which keeps the thread; what is due is left to other workers.

        What waits to begin a call in the driver's process is given back: one is in it that takes long.
        """
        self._set_down()
        taking, self._queues.open = self._queues.open, False
        if self._calls.beside():
            self._stands_in = True
            super()._stand_in(enough)
            self._stands_in = False
        self._queues.open = taking

    def _go_on(self) -> None:
        super()._go_on()
        if self._stands_in:  # What comes to such a call meanwhile has to wait as well.
            self._set_down()

    def _set_down(self) -> None:
        with self._sharing:
            self._set_aside(self._calls.set_down())

    def _set_aside(self, lines: Sequence[Line]) -> None:
        """Have lines given back, and take few at once again."""
        for line in lines:
            self._shared.append(line.id)
            self._lines.known.pop(line.id, None)
        if lines:
            self._pace = 1
            self._queues.batch = 0

    def _settled(self, line: Line, turn: Turn) -> None:
        super()._settled(line, turn)
        step = turn.step
        if step is not None and step.ending is not None and line.parent is None and step.status == LineStatus.FAILURE:
            _tell_failure(line.info, step.ending.error)

    def _make_room(self) -> None:
        """Say how many lines may be taken, and look for them at once where some were and have gone on."""
        waiting = len(self._lines.known) - self._calls.away()
        if waiting == 0 and self._taken_at:
            quick = time.monotonic() - self._taken_at < QUICK
            self._pace = min(2 * self._pace, self._most) if quick else 1
            self._taken_at = 0.0
            if self._stirred:
                self._next_poll = 0.0
        elif waiting and not self._taken_at:
            # Since before the first of their calls, which may have taken long.
            self._taken_at = min(self._called_at, time.monotonic())
        self._called_at = math.inf
        self._queues.batch = max(0, self._pace - waiting)

    def _ended(self, run: int) -> None:
        """Say why a run cannot be served here; nobody here waits for the end of one."""
        if run in self.failures:
            row = self._patiently(lambda: self.store.run(run))
            if row is not None:  # It may have ended elsewhere, and been pruned.
                told = "run %s is left to workers that can serve it: %s"
                logger().warning(told, row.name, self.failures[run], extra={"run": row.name})


def _tell_failure(run: RunInfo, kept: str | None) -> None:
    """Say that a run has failed: whoever looks after workers looks into their logs first."""
    error = None if kept is None else json.loads(kept)
    place = {"line": error["line"] or "/", "node": error["node"] or None} if error else {}
    logger().warning("%s", failed_line(run.name, run.flow, error), extra={"run": run.name, **place})
