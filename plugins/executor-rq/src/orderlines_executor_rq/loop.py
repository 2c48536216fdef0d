"""The worker's loop: takes one bell at a time, and never stands still for Redis."""

from __future__ import annotations

import math
import random
import time
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from orderlines_executor_rq.answering import Answering
from orderlines_executor_rq.message import WrongSignature
from orderlines_executor_rq.quarantine import told
from orderlines_executor_rq.taking import Foreign, Suspended, Taken
from orderlines_executor_rq.warm import LOOK

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines_executor_rq.answering import Came
    from orderlines_executor_rq.commands import Commands
    from orderlines_executor_rq.options import WorkerOptions
    from orderlines_executor_rq.patience import Patience
    from orderlines_executor_rq.readiness import Readiness
    from orderlines_executor_rq.stopping import Stopping
    from orderlines_executor_rq.taking import Damaged, Hands
    from orderlines_executor_rq.worker import BellWorker

IDLE: Final = 1.0
"""Seconds that a worker of one queue waits for a bell before it looks around."""
IDLE_OF_SEVERAL: Final = 0.1
"""The same with several queues: Redis can wait on one only."""
GLANCE: Final = 0.5
"""Seconds that a look of the drain's own may take before people are shown that the worker is busy."""
PAUSE: Final = 0.5
"""Seconds between two looks while all workers are suspended, or a queue is damaged."""
PARTING: Final = 2.0
"""Seconds for which a worker that ends still tries to reach Redis."""


class Parts(NamedTuple):
    """What a worker is made of."""

    worker: BellWorker
    hands: Hands
    child: Readiness
    commands: Commands
    patience: Patience
    stopping: Stopping


class Loop:
    """One worker at work, in one thread. Orders are obeyed between two steps, so none meets a bell half taken.

    :param advice: what to do about a signature that does not fit.
    """

    def __init__(self, options: WorkerOptions, parts: Parts, advice: Callable[[], str]) -> None:
        self._options = options
        self._parts = parts
        self._advice = advice
        self._answering = Answering(options, parts.child, parts.stopping, self._between)
        self._unfinished: Callable[[], bool] | None = None
        self._looked_last = self._held = False
        self._busy_from = math.inf
        self._next_look = self._next_rescue = 0.0

    def run(self) -> None:
        """Serve until told to end, or in a burst until the queues are empty.

        :raises StoreUnavailable: the drain's store is away before it was ever there.
        :raises OrderlinesError: the drain can never be ready.
        """
        stopping = self._parts.stopping
        while not stopping.asked and not self._parts.child.ready():
            self._between(None)
        self._next_look = self._later(self._options.period)
        while not stopping.asked and self._step():
            self._between(None)

    def part(self) -> None:
        """Let go of everything: what was taken goes back, and the worker is struck off."""
        limit = time.monotonic() + PARTING
        finish = () if self._unfinished is None else (self._finish,)
        for action in (*finish, self._parts.hands.give_back, self._parts.worker.leave):
            self._parts.patience.attempt(action)
            while self._parts.patience.away and time.monotonic() < limit:
                time.sleep(LOOK)
                self._parts.patience.attempt(action)

    # Steps

    def _step(self) -> bool:
        """Do the next thing; return whether there may be more to do."""
        parts = self._parts
        if not parts.child.ready():
            return True
        found = parts.patience.attempt(self._next)
        if isinstance(found, Taken):
            self._answer(found)
        elif isinstance(found, Foreign):
            self._set_aside(found)
        elif isinstance(found, Suspended):
            return self._stand_by()
        else:
            return self._rest(found)
        return True

    def _rest(self, damaged: Damaged | None) -> bool:
        """Do what there is to do when no bell is there; return whether there may be more to do."""
        parts = self._parts
        if damaged is not None:
            told = f"what stands in place of the queue {damaged.queue} is none: {damaged.told}"
            parts.patience.complain(damaged.queue, told)
        if time.monotonic() >= self._next_look or (self._options.burst and not self._looked_last):
            self._look()
        elif self._options.burst:
            return parts.patience.away
        elif parts.patience.away or damaged is not None:
            time.sleep(LOOK)
        else:
            self._wait()
        return True

    def _next(self) -> Taken | Foreign | Suspended | Damaged | None:
        self._finish()
        return self._parts.hands.take()

    def _finish(self) -> None:
        """Let go of the last bell, if Redis was away when it was answered."""
        if self._unfinished is not None:
            if self._unfinished():
                self._parts.worker.becomes(self._state)
            self._unfinished = None

    @property
    def _state(self) -> str:
        """What the worker is between two bells: calls of the drain may go on."""
        return "busy" if self._held else "idle"

    def _answer(self, taken: Taken) -> None:
        self._looked_last = False
        self._busy_from = math.inf
        parts = self._parts
        parts.worker.becomes("busy")
        parts.patience.attempt(partial(parts.hands.start, taken))
        came = self._answering.answer(taken.bell)
        if came.kept:
            return  # The worker ends, and gives it back.
        self._held = came.held
        self._unfinished = partial(parts.hands.finish, taken, came.status, self._state, again=came.more)
        self._next_look = 0.0 if came.held else self._after(came)

    def _after(self, came: Came) -> float:
        """Return when the drain is to look by itself next, if no bell comes."""
        later = self._later(self._options.period)
        return later if came.rest is None else min(later, time.monotonic() + came.rest)

    def _look(self, *, taking: bool = True) -> None:
        """Let the drain find out by itself whether there is work; without ``taking``, go on with what it has."""
        if taking and self._parts.worker.get_state() != "busy":
            self._busy_from = min(self._busy_from, time.monotonic() + GLANCE)
        came = self._answering.answer(None, taking=taking)
        self._held = came.held
        if not came.held:
            self._busy_from = math.inf
        again = came.more or came.held
        self._looked_last = not again
        self._next_look = 0.0 if again else self._after(came)

    def _set_aside(self, foreign: Foreign) -> None:
        reason = f"{foreign.problem}"
        if isinstance(foreign.problem, WrongSignature):
            reason = f"{reason}: {self._parts.patience.attempt(self._advice)}"
        kept = self._parts.patience.attempt(partial(self._parts.hands.set_aside, foreign, reason))
        if kept is False:
            self._parts.patience.complain("quarantine", "the quarantine is no list: what is no doorbell is only logged")
        if kept is not None:
            told(foreign.job, foreign.queue, reason)

    def _stand_by(self) -> bool:
        """Take nothing: all workers are suspended. What the drain has in hand goes on to its end."""
        self._parts.patience.attempt(partial(self._parts.worker.show, "suspended"))
        if self._held:
            self._look(taking=False)
            time.sleep(LOOK)
        else:
            time.sleep(PAUSE)
        return not self._options.burst

    def _wait(self) -> None:
        parts = self._parts
        if parts.worker.get_state() != "idle":
            parts.patience.attempt(partial(parts.worker.show, "idle"))
        left = max(LOOK, self._next_look - time.monotonic())
        parts.patience.attempt(partial(parts.hands.wait, min(left, self._patient)))

    @property
    def _patient(self) -> float:
        return IDLE if len(self._options.queues) == 1 else IDLE_OF_SEVERAL

    # Between two steps, and while a bell is being answered

    def _between(self, job: str | None) -> bool:
        """Do what is due; return whether the job that is being answered is to be stopped."""
        parts = self._parts
        parts.worker.drives(parts.child.driver)
        if parts.worker.due():
            parts.patience.attempt(parts.worker.beat)
        now = time.monotonic()
        if now >= self._busy_from:
            self._busy_from = math.inf
            parts.patience.attempt(partial(parts.worker.show, "busy"))
        if now >= self._next_rescue:
            self._next_rescue = self._later(self._options.ttl)
            parts.patience.attempt(parts.hands.rescue)
        if parts.patience.away:
            return False
        command = parts.commands.poll()
        if command is None:
            return False
        if command.word == "shutdown":
            parts.stopping.ask()
        about = command.word == "kill-horse" or (command.word == "stop-job" and command.job == job)
        return about and job is not None

    @staticmethod
    def _later(seconds: float) -> float:
        """Return a moment some seconds from now, give or take a quarter: many workers are not to do it at once."""
        return time.monotonic() + seconds * random.uniform(0.75, 1.25)  # noqa: S311 -- jitter
