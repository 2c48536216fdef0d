"""Bearing with a Redis that is away: one line in the log a minute, and another try a moment later."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, TypeVar

from redis.exceptions import RedisError

from orderlines.logger import logger
from orderlines.redisurl import place
from orderlines_executor_rq.connection import cause

if TYPE_CHECKING:
    from collections.abc import Callable

COMPLAINT: Final = 60.0
"""Seconds between two lines in the log about the same."""
PAUSE: Final = 0.5
"""Seconds between two tries, give or take half of them, so that a hundred workers do not come back at once."""

_Answer = TypeVar("_Answer")


class Patience:
    """Tries what may fail, and complains seldom.

    :param url: of the Redis that is waited for.
    :ivar away: whether Redis could not be used when it was last tried.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._next_try = 0.0
        self._complained: dict[str, float] = {}
        self.away = False

    def due(self) -> bool:
        """Return whether another try makes sense by now."""
        return time.monotonic() >= self._next_try

    def attempt(self, action: Callable[[], _Answer]) -> _Answer | None:
        """Return what an action returns, or ``None`` where Redis cannot do it, or could not a moment ago."""
        if not self.due():
            return None
        try:
            answer = action()
        except (RedisError, OSError) as error:
            self.away = True
            self._next_try = time.monotonic() + PAUSE * random.uniform(0.5, 1.5)  # noqa: S311 -- jitter
            self.complain("away", f"waiting for the queue at {place(self._url)}: {cause(error, self._url)}")
            return None
        if self.away:
            self.away = False
            self._complained.pop("away", None)
            logger().warning("the queue at %s is back", place(self._url))
        return answer

    def complain(self, about: str, message: str) -> None:
        """Log a warning, unless there was one about the same within a minute."""
        now = time.monotonic()
        if now >= self._complained.get(about, 0.0):
            self._complained[about] = now + COMPLAINT
            logger().warning("%s", message)
