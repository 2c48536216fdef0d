"""A native thread that notices when no greenlet gets its turn, and says whose fault it is."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import gevent
from gevent.monkey import get_original

from orderlines.processes.frames import pack

if TYPE_CHECKING:
    from collections.abc import Callable, Sized
    from types import CodeType, FrameType

PERIOD = 0.25
"""Seconds between two beats of the hub, and between two looks at them."""
LIMIT = 1.0
"""Seconds without a beat after which a call is named."""

_native_lock = get_original("_thread", "allocate_lock")
_native_thread = get_original("_thread", "get_ident")
_start_native_thread = get_original("_thread", "start_new_thread")
_native_sleep = get_original("time", "sleep")


class Watchdog:
    """Watches the hub of the thread that it is made in, while there are calls.

    It sends ``stuck`` with the call's id (``None`` where it is not a call's own greenlet), the seconds, and the place
    in the code; and ``yields`` when the hub runs again. A call into C that keeps the interpreter's lock also keeps this
    thread from running: the driver names such a call when it has to kill the process for it.

    :param calls: the calls in flight.
    :param runner: the code of the function at the bottom of each call's greenlet; its ``request`` has the call's
        ``id``.
    :param push: takes frames, from any thread.
    """

    def __init__(self, calls: Sized, runner: CodeType, push: Callable[[bytes], None]) -> None:
        self._calls = calls
        self._runner = runner
        self._push = push
        self._hub_thread = _native_thread()
        self._timer: Any = gevent.get_hub().loop.timer(PERIOD, PERIOD)
        self._beat = time.monotonic()
        self._parked = True
        self._gate = _native_lock()
        self._gate.acquire()

    def start(self) -> None:
        """Start the thread; it sleeps until :meth:`wake`."""
        _start_native_thread(self._watch, ())

    def wake(self) -> None:
        """Watch from now on; called in the hub's thread when there is a call."""
        if self._parked:
            self._parked = False
            self._beat = time.monotonic()
            self._timer.start(self._on_beat)
            self._gate.release()

    def _on_beat(self) -> None:
        self._beat = time.monotonic()
        if not self._calls:
            self._timer.stop()
            self._parked = True

    def _watch(self) -> None:
        stuck = False
        while True:
            if self._parked:
                self._gate.acquire()
            _native_sleep(PERIOD)
            silent = time.monotonic() - self._beat
            if not stuck and not self._parked and silent > LIMIT:
                stuck = True
                self._push(pack(["stuck", *self._culprit(silent)]))
            elif stuck and silent < LIMIT:
                stuck = False
                self._push(pack(["yields"]))

    def _culprit(self, silent: float) -> tuple[int | None, float, str]:
        frame = sys._current_frames().get(self._hub_thread)  # noqa: SLF001 -- the documented way
        if frame is None:
            return None, silent, "the place is not known"
        where = f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
        return self._call_of(frame), silent, where

    def _call_of(self, frame: FrameType | None) -> int | None:
        while frame is not None:
            if frame.f_code is self._runner:
                number: int = frame.f_locals["request"].id
                return number
            frame = frame.f_back
        return None
