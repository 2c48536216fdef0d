"""Telling workers of lines that are left to them."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from orderlines.errors import OrderlinesError
from orderlines.flow.placement import LINE
from orderlines.logger import logger
from orderlines.redisurl import read_queue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orderlines.executors.lines import LineExecutor
    from orderlines.plugins import Registry
    from orderlines.stores.records import LineRow

COMPLAINT = 60.0
"""Seconds between two lines in the log about bells that cannot be rung."""


REST = 2.0
"""Seconds for which nothing is rung after that has failed: who rings has other things to do."""


_USUAL: Final = "rq"
"""The executor that is asked for where none that rings is installed: the error says what brings it."""


class Bell(Protocol):
    """What a driver rings."""

    def ring(self, lines: Sequence[LineRow]) -> None:
        """Tell workers of lines; what does not come through is rung again by whoever serves the queues."""


class Bells:
    """Rings through the executor of lines that is installed, which is loaded with the first ring.

    Where there is none, or it cannot ring, that is in the log, and workers find the lines by looking.

    :ivar queue: the URL of what the workers listen to; ``None`` where there is none, and they find lines by looking.
    :raises UsageError: it is not the URL of a Redis, or has an option that a queue has not.
    """

    def __init__(self, registry: Registry, queue: str | None) -> None:
        if queue is not None:
            read_queue(queue)
        self._registry = registry
        self.queue = queue
        self._executor: LineExecutor | None = None
        self._collected = threading.local()
        self._next_complaint = self._next_try = 0.0

    def ring(self, lines: Sequence[LineRow]) -> None:
        """Tell workers of lines."""
        collected = getattr(self._collected, "lines", None)
        if collected is not None:
            collected.extend(lines)
            return
        if self.queue is None or not lines or time.monotonic() < self._next_try:
            return
        try:
            self._loaded(self.queue).ring(lines)
        except OrderlinesError as error:
            self._next_try = time.monotonic() + REST
            if time.monotonic() >= self._next_complaint:
                self._next_complaint = time.monotonic() + COMPLAINT
                logger().warning("workers look for lines instead of being told of them: %s", error)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Collect what this thread rings for meanwhile, and ring for it in one go at the end."""
        before = getattr(self._collected, "lines", None)
        self._collected.lines = lines = [] if before is None else before
        try:
            yield
        finally:
            self._collected.lines = before
            if before is None and lines:
                self.ring(lines)

    def close(self) -> None:
        """Let go of what rings."""
        if self._executor is not None:
            self._executor.close()
            self._executor = None

    def _loaded(self, queue: str) -> LineExecutor:
        if self._executor is None:
            ringing = (plugin.name for plugin in self._registry.executors() if plugin.unit == LINE)
            name = next(ringing, _USUAL)
            self._executor = self._registry.load_executor(name)({"queue": queue})
        return self._executor
