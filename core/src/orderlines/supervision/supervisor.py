"""The supervisor: watches a driver's process, renews its lease, ends what does not obey, and begins it anew."""

from __future__ import annotations

import math
import select
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import OrderlinesError, StoreUnavailable
from orderlines.executors.base import DEFAULT_GRACE
from orderlines.jsonlines import as_json
from orderlines.leases import Renewal
from orderlines.opening import open_store
from orderlines.processes.frames import pack
from orderlines.processes.supervisor import Disconnected
from orderlines.settings import default_lease
from orderlines.states import RELEASED
from orderlines.supervision.ahead import take
from orderlines.supervision.pressing import Pressing
from orderlines.supervision.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from orderlines.opening import Where
    from orderlines.plugins import Registry
    from orderlines.processes.forking import ForkedChild
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow

LOOK = 0.05
"""Seconds between two looks at the wishes on runs."""
FRUITLESS = 3
"""Drivers in a row that may end after a brief life, without a step of any run."""
BRIEF = 10.0
"""Seconds within which a driver's life is brief."""
SILENCE = 10.0
"""Seconds in which a driver's end is told once it is certain; what sweeps up behind it gives up after 3 s."""


class Supervisor:
    """Drives runs in a process of its own. Belongs to the one thread of its process.

    :ivar drives: that it drives the runs itself.
    :ivar waiting: the runs that have not ended, by their number.
    :ivar failures: why a run is not driven on, by its number.
    """

    drives: Final = True

    def __init__(self, registry: Registry) -> None:
        """Start the driver's process; it makes ready while this one finds out what there is to drive."""
        self.waiting: set[int] = set()
        self._joined: set[int] = set()
        self.failures: dict[int, str] = {}
        self._where: Where | None = None
        self._queue: str | None = None
        self._registry = registry
        self.store: Store
        self._opened = False
        self._fruitless = 0
        self._standing = 0
        self._manner = ""
        self._unavailable = ""
        self._next_look = 0.0
        self._child: ForkedChild
        self._start()

    def open(self, where: Where, queue: str | None = None) -> Store:
        """Open a store, for the driver as well, and return it; nothing of it is open while this process forks.

        :param queue: the URL of the workers' queues, where lines are left to workers.
        :raises StoreUnavailable: it cannot be reached.
        """
        self._where = where
        self._queue = queue
        self._say_open()
        self.store = open_store(where, self._registry)
        self._opened = True
        return self.store

    def add(self, run: int) -> None:
        """Serve a run from now on."""
        self.waiting.add(run)
        self._say_served(run)

    def join(self, run: int) -> None:
        """Serve a run from now on that another driver may have begun, and may serve as well."""
        self._joined.add(run)
        self.add(run)

    def attend(self, seconds: float) -> None:
        """Do what there is to do, and wait for something to happen, for up to ``seconds``.

        :raises OrderlinesError: drivers end as soon as they are started; ``StoreUnavailable``, if the store is why.
        """
        if self._gone:
            self._idle(seconds)
            return
        now = time.monotonic()
        if self._driver and now >= self._next_look:
            self._next_look = now + LOOK
            self._look(now)
        self._listen(min(seconds, LOOK))
        if self._child.exit is not None:
            self._bury()
            self._start_again()

    def stop(self, run: int) -> str:
        """Wish a run to stop, and return its name."""
        return self.store.wish(run, "stop").name

    def _idle(self, seconds: float) -> None:
        """Begin another driver where the last one has ended with nothing to do and there is something now."""
        if self.waiting:
            self._start()
        else:
            time.sleep(min(seconds, LOOK))

    def kill(self) -> None:
        """End every call at once, without its grace."""
        self._ordered = True
        self._expect_end()
        self._child.end(0.0)

    def release(self, hurried: Callable[[], bool] = bool) -> None:
        """End the driver: its calls get their grace, and what still runs then is given back, not failed.

        :param hurried: asked again and again whether their grace is over before its time.
        """
        self._finish(time.monotonic() + self._patience(), hurried)

    def close(self) -> None:
        """Let the driver go, and the store."""
        self._finish(time.monotonic() + DEFAULT_GRACE)
        if self._opened:
            self.store.close()

    def __enter__(self) -> Self:
        """Return the supervisor."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    # The driver's process

    def _start(self) -> None:
        if self._opened:
            self.store.park()
        self._driver = 0
        self._ordered = False
        self._started = time.monotonic()
        self._deaf = False
        self._gone = False
        self._told_by = math.inf
        self._pressing = Pressing()
        self._next_look = 0.0
        self._child = take()
        if self._where is not None:
            self._say_open()
        for run in self.waiting:
            self._say_served(run)

    def _start_again(self) -> None:
        if self._fruitless >= FRUITLESS:
            if self._unavailable:
                raise StoreUnavailable(f"{self._unavailable}; what was accepted is kept")
            raise OrderlinesError(f"the driver's process ends before it gets on, again and again: {self._manner}")
        if self.waiting:
            self._start()

    def _bury(self) -> None:
        """Take note of the driver's end: what it had begun is another's, or was given back if it was ended on order."""
        self._manner = str(self._child.exit)
        self._child.close()
        self._gone = True
        self._fruitless = self._fruitless + 1 if time.monotonic() - self._started < BRIEF else 0
        with suppress(StoreUnavailable):
            if self._driver:
                self._strike_off()
        self._driver = 0

    def _strike_off(self) -> None:
        ordered = self._ordered or bool(self._pressing.asked)
        self.store.release(self._driver, self.store.owned(self._driver), RELEASED if ordered else self._manner)
        self.store.dismiss([self._driver])
        standing = sum(line.seq for run in self.waiting for line in self.store.lines(run))
        if ordered or standing != self._standing:
            self._fruitless = 0
        self._standing = standing

    def _finish(self, limit: float, hurried: Callable[[], bool] = bool) -> None:
        """Close the driver; kill it if it has not ended by a moment of the monotonic clock."""
        if self._gone:
            return
        self._say(["close"])
        while self._child.exit is None:
            if time.monotonic() >= limit or (hurried() and limit < math.inf):
                self.kill()
                limit = math.inf
            self._hold()
            self._listen(LOOK)
        self._bury()

    def _hold(self) -> None:
        """Keep the lease; end the driver where it is lost."""
        if self._driver and not self._renewal.held():
            self.kill()

    # What the driver says

    def _say_open(self) -> None:
        """Name the store, and lend standard output and error as they are now: the process may be older."""
        with suppress(OSError):  # It has ended: that is noticed elsewhere.
            socket.send_fds(self._child.data, [pack(["open", self._where, self._queue, as_json()])], [1, 2])

    def _say_served(self, run: int) -> None:
        if not self._gone:
            self._say(["join" if run in self._joined else "add", run])

    def _say(self, words: list[Any]) -> None:
        self._child.send(pack(words))
        self._child.flush()

    def _listen(self, seconds: float) -> None:
        child = self._child
        unsent = [] if child.flush() else [child.data]  # More orders than the socket took.
        ready, _, _ = select.select([child.control, *([] if self._deaf else [child.data])], unsent, [], seconds)
        if child.data in ready:
            self._hear()
        if child.control in ready:
            child.read_control()
            if child.exit is not None and not self._deaf:
                self._hear()
        elif time.monotonic() >= self._told_by:
            child.give_up()

    def _expect_end(self) -> None:
        self._told_by = min(self._told_by, time.monotonic() + SILENCE)

    def _hear(self) -> None:
        try:
            frames = self._child.receive()
        except Disconnected:
            self._deaf = True
            self._expect_end()
            return
        for frame in frames:
            self._take_note(*frame.head)

    def _take_note(self, word: str, number: int, message: str = "") -> None:
        if word == "driver":
            self._driver = number
            self._unavailable = ""
            self._renewal = Renewal(self.store, number, default_lease())
            self._watch = Watch(self.store, self._registry, number)
            return
        if word == "unavailable":
            self._unavailable = message
            return
        if word == "spared":
            self._pressing.spare(number)
            return
        self.waiting.discard(number)
        if word == "failed":
            self.failures[number] = message

    # What it does not see while a call runs in its thread

    def _look(self, now: float) -> None:
        try:
            self._hold()
            self._see_to(self._watch.look(now, self.waiting), now)
        except StoreUnavailable:
            return  # The driver waits for it, and says so.

    def _see_to(self, held: list[LineRow], now: float) -> None:
        """Ask the calls of held lines to end, each once, and kill the driver when their grace is over."""
        for line in self._pressing.press(self._watch, held, now):
            self._say(["ask", line])
        if self._pressing.over(now):
            self.kill()

    def _patience(self) -> float:
        if self._driver:
            with suppress(StoreUnavailable):
                return self._watch.parting()
        return DEFAULT_GRACE
