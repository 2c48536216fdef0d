"""Noticing when no greenlet gets its turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gevent

from orderlines.executors.watchdog import PERIOD, Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Sized
    from types import CodeType

    from orderlines.executors.natives import Natives


class HubWatchdog(Watchdog):
    """Watches the hub of the thread that it is made in."""

    def __init__(self, calls: Sized, runner: CodeType, push: Callable[[bytes], None], natives: Natives) -> None:
        super().__init__(calls, runner, push, natives)
        self._timer: Any = gevent.get_hub().loop.timer(PERIOD, PERIOD)

    def begin_beats(self) -> None:
        """Beat by a timer of the hub."""
        self._timer.start(self.beat)

    def end_beats(self) -> None:
        """Stop the timer."""
        self._timer.stop()
