"""The scheduler ``rq``: rq-scheduler's wake-ups, heard by whoever serves schedules."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from redis.exceptions import RedisError, ResponseError

from orderlines.logger import logger
from orderlines.redisurl import place, trouble
from orderlines.schedulers.base import Scheduler
from orderlines_scheduler_rq.connection import connected
from orderlines_scheduler_rq.keys import BELL, PREFIX, QUEUE
from orderlines_scheduler_rq.waking import Wakes

if TYPE_CHECKING:
    from collections.abc import Callable

MOVE: Final = 0.25
"""Seconds between two looks at which wake-ups have come due."""
AWAY: Final = 5.0
"""Seconds for which a Redis that does not answer is left alone."""
_SHORTEST: Final = 0.01
"""Seconds that Redis is asked to wait at least: 0 would be for ever, and it rounds."""
COMPLAINT: Final = 60.0
"""Seconds between two lines in the log about it."""


class RQScheduler(Scheduler):
    """Registers a wake-up for each next slot, and returns when one has come.

    All that serve one Redis share them: one takes a wake-up, the others look by their own clock. While Redis is away
    each goes by its own clock.
    """

    name = "rq"

    def __init__(self, url: str | None) -> None:
        """Connect.

        :raises UsageError: this is no URL of a Redis.
        :raises StoreUnavailable: it does not answer.
        """
        self._redis = connected(url)
        self._url = url or ""
        self._shown = f"the queue at {place(self._url)}"
        self._away = False
        self._wakes = Wakes(self._redis)
        self._queue = f"{self._wakes.queue_class.redis_queue_namespace_prefix}{QUEUE}"
        self._registered = 0
        self._next_move = self._next_try = self._next_complaint = 0.0

    def wait(self, due: float | None, seconds: float) -> bool:
        """Wait for a wake-up."""
        soon = seconds if due is None else min(due, seconds)
        if time.monotonic() >= self._next_try:
            try:
                self._register(due)
                woken = self._move() or self._heard(soon) or soon < seconds
            except (RedisError, OSError) as error:
                self._complain(error)
            else:
                self._take_note_of_success()
                return woken
        time.sleep(soon)
        return soon < seconds

    def close(self) -> None:
        """Close the connection; what is registered wakes others."""
        self._redis.close()

    def _register(self, due: float | None) -> None:
        if due is None:
            return
        moment = round(time.time() + due)
        if moment != self._registered:
            self._wakes.register(moment)
            self._registered = moment

    def _move(self) -> bool:
        """Move what has come due to the queue, at most every :data:`MOVE` seconds.

        What cannot be moved is thrown away: all that it could say is that there may be something to do.
        """
        now = time.monotonic()
        if now < self._next_move:
            return False
        self._next_move = now + MOVE
        try:
            list(self._wakes.enqueue_jobs())
        except (RedisError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 -- whoever can write to Redis may have put anything there
            logger().warning("a wake-up cannot be read and is thrown away: %s", type(error).__name__)
            self._redis.zremrangebyscore(self._wakes.scheduled_jobs_key, "-inf", time.time())
            return True
        return False

    def _heard(self, seconds: float) -> bool:
        """Take wake-ups, all that are there; wait for one where none is."""
        heard = (
            self._popped(lambda: self._redis.blpop([self._queue, BELL], max(seconds, _SHORTEST)))
            if seconds > 0
            else False
        )
        for key in (self._queue, BELL):
            while self._popped(lambda key=key: (key, self._redis.lpop(key))):  # type: ignore[misc]
                heard = True
        return heard

    def _popped(self, pop: Callable[[], object]) -> bool:
        found = pop()
        if not isinstance(found, (tuple, list)) or found[1] is None:
            return False
        name = bytes(found[1])
        if name.startswith(PREFIX.encode()):
            self._redis.delete(b"rq:job:" + name)
        return True

    def _complain(self, error: Exception) -> None:
        now = time.monotonic()
        self._away = True
        self._next_try = now + AWAY
        self._registered = 0
        if now >= self._next_complaint:
            self._next_complaint = now + COMPLAINT
            # What it does answer says what is wrong with it: full, read-only, another type of value.
            what = f"{type(error).__name__}: {error}"
            told = what if isinstance(error, ResponseError) else f"{trouble(self._url, str(error))} ({what})"
            logger().warning("slots go by this machine's clock: %s cannot be used: %s", self._shown, told)

    def _take_note_of_success(self) -> None:
        if self._away:
            self._away = False
            self._next_complaint = 0.0
            logger().warning("%s is back", self._shown)
