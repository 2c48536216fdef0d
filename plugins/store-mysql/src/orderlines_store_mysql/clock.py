"""The server's clock, without asking the server each time.

A process knows how far its monotonic clock is from the server's. It looks again every few seconds, and moves its idea
only where that lies outside what the answer allows: so the clock does not tremble, and follows the server's when that
is set. All stores of one server in one process have the same idea. Two processes differ by less than the time that a
round trip takes.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines_store_mysql.address import Address

LOOK: Final = 10.0
"""Seconds between two looks at the server's clock."""
QUESTION: Final = "SELECT UNIX_TIMESTAMP(NOW(6))"
_clocks: dict[tuple[str, int, str | None], Clock] = {}
os.register_at_fork(after_in_child=_clocks.clear)  # a lock that another thread held there would stay held


class Clock:
    """A server's clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset: float | None = None
        self._next = 0.0

    def now(self, ask: Callable[[], float]) -> float:
        """Return the server's time in seconds since the epoch; ``ask`` asks the server for it."""
        at = time.monotonic()
        if self._offset is None or at >= self._next:
            self._look(ask)
            at = time.monotonic()
        return at + (self._offset or 0.0)

    def _look(self, ask: Callable[[], float]) -> None:
        with self._lock:
            before = time.monotonic()
            if self._offset is not None and before < self._next:
                return  # Another thread has just looked.
            told = ask()
            after = time.monotonic()
            least, most = told - after, told - before
            if self._offset is None or not least <= self._offset <= most:
                self._offset = (least + most) / 2
            self._next = after + LOOK


def clock_of(address: Address) -> Clock:
    """Return the clock of an address's server."""
    return _clocks.setdefault((address.host, address.port, address.options.socket), Clock())
