"""One bell, from the moment at which the child hears of it to what came of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderlines.logger import logger
from orderlines_executor_rq.draining import Left
from orderlines_executor_rq.warm import Ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines_executor_rq.message import Bell
    from orderlines_executor_rq.options import WorkerOptions
    from orderlines_executor_rq.readiness import Readiness
    from orderlines_executor_rq.stopping import Stopping

DEATHS: Final = 3
"""Children that may die of one bell."""
GLANCE: Final = 0.5
"""Seconds that a worker may take to end before it says that it does."""


class Came(NamedTuple):
    """What came of a bell.

    :ivar status: of its job, as RQ calls it.
    :ivar more: whether it is to be rung again.
    :ivar held: whether the drain is to be called again at once.
    :ivar rest: seconds after which the drain wants to look by itself, at the latest.
    :ivar kept: whether it was not answered, because the worker ends.
    """

    status: str = "finished"
    more: bool = False
    held: bool = False
    kept: bool = False
    rest: float | None = None


class Answering:
    """Has the child answer bells, and sees to it that each comes to something.

    :param between: called many times a second, with the id of the job where there is one; returns whether to stop it.
    """

    def __init__(
        self, options: WorkerOptions, child: Readiness, stopping: Stopping, between: Callable[[str | None], bool]
    ) -> None:
        self._options = options
        self._child = child
        self._stopping = stopping
        self._between = between
        self._told = False

    def answer(self, bell: Bell | None, *, taking: bool = True) -> Came:
        """Have a bell answered; ``None`` for a look of the drain's own.

        :param taking: whether more may be taken than the drain has in hand.
        """
        deaths = 0
        while deaths < DEATHS:
            try:
                return self._try(bell, taking=taking)
            except Ended as ended:
                logger().warning("the drain's process %s while it answered %s: %s", ended.verb, _called(bell), ended)
                deaths += not ended.wanted
        logger().error("the drain's process has died %d times of %s, which is given up", DEATHS, _called(bell))
        return Came("failed")

    def _try(self, bell: Bell | None, *, taking: bool) -> Came:
        """Have one child answer.

        :raises Ended: it has ended before it did, and not on order of the worker.
        """
        while not self._child.ready():
            if self._stopping.asked:
                return Came(kept=True)
            self._between(None)
        self._child.ring(bell, taking=taking)
        job = None if bell is None else bell.id
        stopped = False
        kill_at: float | None = None
        while True:
            if self._between(job):
                stopped = True
                self._child.warm.kill()
            if self._stopping.asked:
                kill_at = self._press(kill_at)
            try:
                answer = self._child.warm.attend()
            except Ended:
                if stopped:
                    logger().warning("the drain that answered %s was stopped by a command", _called(bell))
                    return Came("stopped")
                if self._stopping.asked:
                    return Came(kept=True)
                raise
            if answer is not None:
                return self._came(answer)

    def _press(self, kill_at: float | None) -> float:
        """Ask the drain to leave, and kill it when its grace is over."""
        now = time.monotonic()
        if kill_at is None:
            kill_at = now + self._options.grace
            self._child.warm.leave()
        left = kill_at - now
        if not self._told and 0 < left <= self._options.grace - GLANCE:
            self._told = True
            logger().warning(
                "told to end: nothing more is taken, and what goes on has %.1f s left until it is given back; a second "
                "signal ends it at once", left,
            )  # fmt: skip
        if now >= kill_at or self._stopping.hard:
            self._child.warm.kill()
        return kill_at

    def _came(self, answer: list[Any]) -> Came:
        word, told = answer[0], answer[1]
        if word == "drained":
            return Came(more=told == Left.MORE, held=told == Left.HELD, rest=answer[2])
        if word == "failed":
            logger().error("what was rung for cannot be done: %s", told)
            return Came("failed")
        self._child.store_away(told)
        return Came("failed", more=True)


def _called(bell: Bell | None) -> str:
    return "no bell" if bell is None else f"the bell {bell.id}"
