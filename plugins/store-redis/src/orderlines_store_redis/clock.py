"""The server's clock, as this process knows it without asking.

Each answer of a script says what time it was there. The server read its clock after it was asked and before its answer
was here, so its clock is ahead of the monotonic one by something between two bounds. What is taken is the lower one,
raised by each answer that shows it to be too low, and lowered by one that shows it to be too high: a step of the
server's clock is followed at the next answer. So the time told is never ahead of the server's, and never before an
answer that was there already.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Final

FRESH: Final = 1.0
"""Seconds after which the server is asked again."""

_clocks: dict[str, Clock] = {}
os.register_at_fork(after_in_child=_clocks.clear)  # a lock that another thread held there would stay held


class Clock:
    """What is known of one server's clock."""

    __slots__ = ("_ahead", "_lock", "_seen")

    def __init__(self) -> None:
        self._ahead = float("-inf")
        self._seen = float("-inf")
        self._lock = threading.Lock()

    def hear(self, told: float, asked: float, answered: float) -> None:
        """Take note of a time that the server told between two moments of the monotonic clock."""
        with self._lock:
            self._ahead = min(max(self._ahead, told - answered), told - asked)
            self._seen = answered

    def now(self) -> float | None:
        """Return the server's time in seconds since the epoch, or ``None`` where it has to be asked."""
        moment = time.monotonic()
        with self._lock:
            return moment + self._ahead if moment - self._seen < FRESH else None


def clock_of(server: str) -> Clock:
    """Return the one clock of a server: two stores on it must not differ."""
    return _clocks.setdefault(server, Clock())
