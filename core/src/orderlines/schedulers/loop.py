"""The loop of a scheduler: waits, looks at the store, and waits again, until it is told to end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

from orderlines.errors import StoreUnavailable
from orderlines.logger import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.schedulers.base import Scheduler
    from orderlines.schedulers.dispatch import Dispatcher
    from orderlines.stores.records import RunRow

LOOK: Final = 1.0
"""Seconds between two looks at the store, whoever wakes or does not."""
PIECE: Final = 0.2
"""Seconds after which the wish to end is noticed."""
COMPLAINT: Final = 60.0
"""Seconds between two lines in the log about a store that cannot be reached."""


class Tended(Protocol):
    """What drives the runs, or leaves them to others; it needs attention meanwhile."""

    def begun(self, run: RunRow) -> None:
        """Take note of a run that was started here."""

    def tend(self, seconds: float) -> bool:
        """Give it, for up to ``seconds``; return whether that was time to wait."""


class Loop:
    """Looks at the store when a slot is due, when the scheduler wakes, and every :data:`LOOK` seconds."""

    def __init__(self, dispatcher: Dispatcher, scheduler: Scheduler, tended: Tended) -> None:
        self._dispatcher = dispatcher
        self._scheduler = scheduler
        self._tended = tended
        self._due: float | None = None
        self._next_look = self._next_complaint = 0.0

    def serve(self, ending: Callable[[], bool]) -> None:
        """Serve until ``ending`` says so."""
        while not ending():
            if time.monotonic() >= self._next_look:
                self._look()
            now = time.monotonic()
            pause = min(PIECE, max(0.0, self._next_look - now))
            due = None if self._due is None else max(0.0, self._due - now)
            waited = self._tended.tend(pause)
            if self._scheduler.wait(due, 0.0 if waited else pause):
                self._next_look = 0.0

    def _look(self) -> None:
        seconds = None
        try:
            seconds = self._dispatcher.look()
        except StoreUnavailable as error:
            self._complain(error)
        now = time.monotonic()
        self._due = None if seconds is None else now + seconds
        self._next_look = now + (LOOK if seconds is None else min(LOOK, seconds))

    def _complain(self, error: StoreUnavailable) -> None:
        now = time.monotonic()
        if now >= self._next_complaint:
            self._next_complaint = now + COMPLAINT
            logger().warning("slots wait: %s", error)
