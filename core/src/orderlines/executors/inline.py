"""Calls in the driver's own thread: nothing to start, nothing to send, and no way to interrupt."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from orderlines.executors.base import Executor
from orderlines.executors.calls import closed
from orderlines.executors.local import LocalCall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orderlines.executors.base import Call, Outcome

QUEUED = 256
"""Calls that may wait for :meth:`InlineExecutor.poll`, at most."""


class InlineExecutor(Executor):
    """Runs calls one after the other in whoever calls :meth:`poll`.

    A call that has begun runs to its end, whatever its timeout: ending it only tells its ``context``. One that waits is
    taken back.

    What it has counts as begun, which is wrong of those that wait behind a call that takes long. So after one it takes
    a single call, and twice as many each time while they go quickly.
    """

    name = "inline"
    interrupt = "none"
    isolation = "thread"
    polls = True

    def __init__(self, deliver: Callable[[Sequence[Outcome]], None], options: Mapping[str, Any]) -> None:
        super().__init__(deliver, options)
        self._waiting: OrderedDict[int, tuple[Call, float]] = OrderedDict()
        self._running: LocalCall | None = None
        self._room = QUEUED
        self._lock = threading.Lock()

    def start(self) -> None:
        """Do nothing: the driver's thread is there already."""

    def free(self) -> int:
        """Return how many calls the queue still takes: none while one runs, which may take long."""
        return max(0, self._room - len(self._waiting)) if self._running is None else 0

    def busy(self) -> bool:
        """Return whether calls wait in the queue."""
        return bool(self._waiting)

    def waited(self) -> float:
        """Return for how many seconds that call has waited, in the queue, that waits longest; 0 where none does."""
        with self._lock:
            _, since = next(iter(self._waiting.values()), (None, math.inf))
        return max(0.0, time.monotonic() - since)

    def runs_here(self, call: int) -> bool:
        """Return whether a call has begun and not ended."""
        running = self._running
        return running is not None and running.call.id == call

    def submit(self, call: Call) -> None:
        """Put a call into the queue."""
        with self._lock:
            self._waiting[call.id] = call, time.monotonic()

    def end(self, call: int) -> None:
        """Take back a call that waits; tell the ``context`` of the one that runs."""
        with self._lock:
            waiting = self._waiting.pop(call, None)
            running = self._running
        if waiting is not None:
            self.deliver([closed(waiting[0], "ended", "it was asked to end before it began")])
        elif running is not None and running.call.id == call:
            running.ask()

    def take_back(self, call: int) -> bool:
        """Take back a call that waits, from whatever thread, and tell nobody; return whether it waited."""
        with self._lock:
            return self._waiting.pop(call, None) is not None

    def close(self, grace: float) -> None:
        """Take back what waits; what runs, runs to its end."""
        with self._lock:
            waiting = list(self._waiting.values())
            self._waiting.clear()
            running = self._running
        if running is not None:
            running.ask()
        if waiting:
            message = "the executor was closed before it began"
            self.deliver([closed(call, "lost", message) for call, _ in waiting])

    def poll(self, until: float) -> None:
        """Run submitted calls in this thread until none is left or ``time.monotonic()`` passes ``until``."""
        waiting, lock = self._waiting, self._lock
        done, now = 0, time.monotonic()
        while waiting and now < until:
            with lock:
                if not waiting:
                    break
                running = self._running = LocalCall(waiting.popitem(last=False)[1][0], self.options)
            outcome = running.run()
            done, now = done + 1, time.monotonic()
            if now >= until:
                self._room = done
            elif not waiting:
                self._room = min(2 * self._room, QUEUED)
            self._running = None
            self.deliver([outcome])
