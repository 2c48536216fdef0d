"""Waiting for a store that cannot be reached."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from orderlines.errors import StoreUnavailable
from orderlines.logger import logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

COMPLAINT = 60.0
"""Seconds between two lines in the log about a store that cannot be reached."""
PAUSE = 0.5
"""Seconds between two tries to reach it."""
_HURRY = 0.05
"""Seconds between two tries of who is to end."""

_Answer = TypeVar("_Answer")


class Complaints:
    """Says in the log that a store is waited for, once a minute."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, error: StoreUnavailable) -> None:
        """Say why, unless that was said less than a minute ago."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + COMPLAINT
            logger().warning("waiting for the store: %s", error)


class Patience:
    """Repeats what a store could not do, until it can; who is to end gives up some time.

    :param closing: set where its owner is to end.
    :param trouble: called whenever the store could not be reached: an answer may have been lost.
    :param complain: called likewise, with the error; by default it is said in the log now and then.
    :ivar until: the moment, on the monotonic clock, until which an owner that is to end still tries.
    """

    def __init__(
        self,
        closing: Event,
        trouble: Callable[[], object],
        complain: Callable[[StoreUnavailable], object] | None = None,
    ) -> None:
        self.until = 0.0
        self._closing = closing
        self._trouble = trouble
        self._complain = complain or Complaints()

    def __call__(self, action: Callable[[], _Answer]) -> _Answer:
        """Return what an action returns, in the end.

        :raises StoreUnavailable: the owner is to end, and its time is over.
        """
        while True:
            try:
                return action()
            except StoreUnavailable as error:
                if self._closing.is_set() and time.monotonic() >= self.until:
                    raise
                self.bear(error)

    def bear(self, error: StoreUnavailable) -> None:
        """Wait a moment for the store to come back, and complain."""
        self._trouble()
        self._complain(error)
        if self._closing.wait(PAUSE):
            time.sleep(_HURRY)
