"""Calls in threads of the driver's process."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Any

from orderlines.components.invoke import raised
from orderlines.executors.base import Executor, Outcome
from orderlines.executors.calls import closed
from orderlines.executors.local import LocalCall
from orderlines.executors.natives import threads_are_greenlets
from orderlines.executors.options import positive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orderlines.executors.base import Call

NO_LOOP = (
    "a coroutine function cannot run on `thread` in a program that gevent has patched: threads are greenlets of one"
    " native thread there, which can be in one event loop only; use executor: asyncio"
)


class ThreadExecutor(Executor):
    """Runs calls in daemon threads.

    A thread cannot be ended from outside. To end a call is to *abandon* it: its ``context`` is told, the outcome
    ``ended`` comes at once, and the thread runs on until the component returns, with an answer that nobody hears.
    Timeouts are not kept. Who needs either uses the executor ``process``.

    A coroutine function fails where threads are greenlets: two event loops cannot share a native thread.

    Options: ``concurrency``, calls at once, abandoned ones not counted.
    """

    name = "thread"
    interrupt = "none"
    isolation = "thread"

    def __init__(self, deliver: Callable[[Sequence[Outcome]], None], options: Mapping[str, Any]) -> None:
        super().__init__(deliver, options)
        self.concurrency = positive(self.name, options, "concurrency", 32)
        self._calls: dict[int, LocalCall] = {}
        self._idle = 0
        self._queue: queue.SimpleQueue[LocalCall | None] = queue.SimpleQueue()
        self._changed = threading.Condition()

    def start(self) -> None:
        """Do nothing: threads are started as they are needed."""

    def free(self) -> int:
        """Return how many calls would begin at once."""
        return self.concurrency - len(self._calls)

    def submit(self, call: Call) -> None:
        """Begin a call in an idle thread, or a new one."""
        if call.component.is_coroutine and threads_are_greenlets():
            self.deliver([Outcome(call.id, *raised(RuntimeError(NO_LOOP)), time.time(), 0.0)])
            return
        local = LocalCall(call, self.options)
        with self._changed:
            self._calls[call.id] = local
            if self._idle:
                self._idle -= 1
            else:
                threading.Thread(target=self._work, name="orderlines-thread", daemon=True).start()
        self._queue.put(local)

    def end(self, call: int) -> None:
        """Abandon a call; its outcome is delivered at once."""
        with self._changed:
            local = self._calls.pop(call, None)
        if local is not None:
            local.ask()
            self.deliver([closed(local.call, "ended", "it was asked to end; its thread may still run")])

    def close(self, grace: float) -> None:
        """Tell every call's ``context``, wait ``grace`` seconds, and abandon what still runs."""
        limit = time.monotonic() + grace
        for local in list(self._calls.values()):
            local.ask()
        with self._changed:
            while self._calls and (left := limit - time.monotonic()) > 0:
                self._changed.wait(left)
        for number in list(self._calls):
            self.end(number)
        with self._changed:
            for _ in range(self._idle):
                self._queue.put(None)
            self._idle = 0

    def _work(self) -> None:
        while (local := self._queue.get()) is not None:
            outcome = local.run()
            with self._changed:
                if self._calls.pop(local.call.id, None) is None:
                    # Abandoned, and another thread has its place.
                    return
                self._idle += 1
                self._changed.notify_all()
            self.deliver([outcome])
