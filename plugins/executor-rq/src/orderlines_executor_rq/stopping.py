"""Being told to end: by a signal, or by a command."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_TWICE: Final = 1.0
"""Seconds within which a second signal is taken for the first one: a terminal and a supervisor may both send it."""


class Stopping:
    """Whether this process is to end. A signal only leaves word here: it never interrupts what is being done.

    :ivar asked: whether it is to end once what it does is done, or its grace is over.
    :ivar hard: whether it is to end at once.
    """

    def __init__(self) -> None:
        self.asked = self.hard = False
        self._since = 0.0

    def ask(self) -> None:
        """Let the process end; the second time, at once."""
        now = time.monotonic()
        if self.asked:
            self.hard = self.hard or now - self._since > _TWICE
            return
        self.asked = True
        self._since = now

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT for the time being."""
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = [signal.signal(number, lambda *_: self.ask()) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)
