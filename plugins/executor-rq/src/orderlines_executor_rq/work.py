"""The drain of a worker: takes lines of its queues from the store and drives them, and looks after lost bells."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from orderlines.bells import Bells
from orderlines.draining import Drainer
from orderlines.errors import StoreUnavailable
from orderlines.handing import ring_again
from orderlines.logger import logger
from orderlines.opening import open_store, where_of
from orderlines.plugins import registry
from orderlines_executor_rq.bell import Ringer
from orderlines_executor_rq.draining import Drain, Left
from orderlines_executor_rq.keys import signing_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines_executor_rq.message import Bell

OFTEN: Final = 0.8
"""Of the time after which bells are taken for lost, what lies between two looks for them, at least: a drain with calls
in flight is called without a rest."""
VAIN: Final = 1.0
"""Seconds between two drains for runs that cannot be served here: each of their lines is rung for again and again."""
SHARE: Final = 0.05
"""Seconds between two looks at whether calls hold others up."""


class Work(Drain):
    """Drives lines of a store.

    :param settings: ``where`` (a :class:`orderlines.opening.Where`, as JSON has it), ``queue`` (the URL), ``queues``
        (their names) and ``silence`` (seconds without a ring after which a bell is taken for lost).
    """

    def __init__(self, settings: Mapping[str, Any], say: Callable[[list[Any]], None]) -> None:
        super().__init__(settings, say)
        self._queues = tuple(settings["queues"])
        self._drainer: Drainer
        self._ringer: Ringer
        self._bells: Bells
        self._leaves = self._parted = self._fails = False
        self._next_reminder = self._next_vain = 0.0
        self._put_off = False

    def begin(self) -> None:
        """Open the store, and enroll as a driver."""
        known = registry()
        queue = self.settings["queue"]
        self._ringer = Ringer(queue, signing_key())
        self._bells = Bells(known, queue)
        store = open_store(where_of(self.settings["where"]), known)
        self._drainer = Drainer(store, known, self._queues, self._bells)
        self.say(["driver", self._drainer.id])
        threading.Thread(target=self._share, daemon=True, name="orderlines-sharing").start()

    def drain(self, bell: Bell | None, until: float) -> Left:
        """Take lines until there are none: which one was rung for makes no difference, as the oldest come first.

        But where it is known that the run cannot be served here, and has just been looked at, that is done later.
        """
        self._put_off = self._is_vain(bell)
        if self._put_off:
            return Left.NOTHING
        self.say(["works", True])
        try:
            if bell is None:
                self._remind()
            more = self._drain(until)
            if self._leaves:
                self.part()
                return Left.NOTHING
        finally:
            self._next_vain = time.monotonic() + VAIN
            if not self._drainer.holds:
                self.say(["works", False])
        if self._drainer.holds:
            return Left.HELD
        return Left.MORE if more else Left.NOTHING

    def _is_vain(self, bell: Bell | None) -> bool:
        unserved = bell is not None and bell.run in self._drainer.failures
        return unserved and not self._drainer.holds and time.monotonic() < self._next_vain

    def _drain(self, until: float) -> bool:
        """Have lines driven; where the driver cannot go on, let go of everything: it may not know what it has.

        :raises SystemExit: that was so; the worker begins another child.
        """
        try:
            more = self._drainer.drain(until)
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 -- logged; nobody knows what may come
            self._fail()
        else:
            if not self._fails:
                return more
        self.part()
        raise SystemExit(1)

    def _fail(self) -> None:
        """Tell of the error that is being handled, and let the driver end."""
        logger().exception("the driver cannot go on; its runs are kept")
        self._fails = True
        self._drainer.close()

    def rest(self) -> float | None:
        """Return when a timer of these queues, or a deadline, comes due, or what was put off is to be done."""
        if self._put_off:
            return max(0.0, self._next_vain - time.monotonic())
        try:
            return self._drainer.rest()
        except StoreUnavailable:
            return None

    def leave(self) -> None:
        """Let what is in hand have its grace; the rest goes back."""
        self._leaves = True
        self._drainer.close()

    def part(self) -> None:
        """Let go of everything, unless that is done already."""
        if not self._parted:
            self._parted = True
            self._drainer.close()
            self._drainer.part()
            self.say(["parted"])

    def obey(self, words: list[Any]) -> None:
        """Ask the call of a line to end."""
        if not self._drainer.ask(words[1]):
            # It takes no context: SIGTERM's default action ends it, what it has started, and this process.
            os.killpg(os.getpgrp(), signal.SIGTERM)
        elif self._drainer.held_up(words[1]):
            self.say(["spared", words[1]])

    def _share(self) -> None:
        """Leave to other workers what waits behind calls that take long."""
        while not self._fails:
            time.sleep(SHARE)
            try:
                if self._drainer.share():
                    ring_again(self._drainer.store, self._queues, self._bells)
            except StoreUnavailable:
                continue
            except Exception:  # noqa: BLE001 -- as above; without this thread others would wait for ever
                self._fail()

    def _remind(self) -> None:
        """Ring again for lines whose bells were lost: those of queues in which none waits."""
        now = time.monotonic()
        if now < self._next_reminder:
            return
        self._next_reminder = now + OFTEN * self.settings["silence"]
        with suppress(StoreUnavailable):  # Nobody would hear it; what waits is taken anyway.
            silent = [name for name in self._queues if not self._ringer.waiting(name)]
            ring_again(self._drainer.store, silent, self._bells, self.settings["silence"])
