"""What other threads have to tell a driver, one message after the other."""

from __future__ import annotations

import queue
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Message = TypeVar("_Message")


class Mailbox(Generic[_Message]):
    """Messages in the order of their coming: :meth:`put` is for any thread, the rest for the one that takes them.

    :param take: called with each message.
    """

    def __init__(self, take: Callable[[_Message], object]) -> None:
        self._take = take
        self._messages: queue.SimpleQueue[_Message] = queue.SimpleQueue()
        self.put = self._messages.put
        self.empty = self._messages.empty

    def take_one(self, seconds: float) -> None:
        """Wait for a message for so long, and take it."""
        if seconds > 0:
            with suppress(queue.Empty):
                self._take(self._messages.get(timeout=seconds))

    def take_all(self) -> None:
        """Take the messages that are there."""
        messages = self._messages
        while not messages.empty():
            try:
                self._take(messages.get_nowait())
            except queue.Empty:  # It is being put; where threads are gevent's, that ends only once we let it.
                time.sleep(0)
