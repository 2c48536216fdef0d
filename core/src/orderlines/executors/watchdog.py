"""A native thread that notices when none of the calls that share a thread gets its turn, and says whose fault it is."""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from orderlines.processes.frames import pack

if TYPE_CHECKING:
    from collections.abc import Callable, Sized
    from types import CodeType, FrameType

    from orderlines.executors.natives import Natives

PERIOD = 0.25
"""Seconds between two beats of the shared thread, and between two looks at them."""
LIMIT = 1.0
"""Seconds without a beat after which a call is named."""


class Watchdog(ABC):
    """Watches the thread that it is made in, while there are calls.

    It sends ``stuck`` with the call's id (``None`` where it is not the call itself but something that it has started),
    the seconds, and the place in the code; and ``yields`` when the thread runs on. A call into C that keeps the
    interpreter's lock also keeps this thread from running: the driver names such a call when it has to kill the process
    for it.

    :param calls: the calls in flight.
    :param runner: the code of the function at the bottom of each call's stack; its ``request`` has the call's ``id``.
    :param push: takes frames, from any thread.
    """

    def __init__(self, calls: Sized, runner: CodeType, push: Callable[[bytes], None], natives: Natives) -> None:
        self._calls = calls
        self._runner = runner
        self._push = push
        self._natives = natives
        self._shared_thread = natives.get_ident()
        self._beat = time.monotonic()
        self._parked = True
        self._gate = natives.allocate_lock()
        self._gate.acquire()

    @abstractmethod
    def begin_beats(self) -> None:
        """Have :meth:`beat` called each :data:`PERIOD`, in the shared thread."""

    @abstractmethod
    def end_beats(self) -> None:
        """Have it called no more."""

    def start(self) -> None:
        """Start the thread; it sleeps until :meth:`wake`."""
        self._natives.start_new_thread(self._watch, ())

    def wake(self) -> None:
        """Watch from now on; called in the shared thread when there is a call."""
        if self._parked:
            self._parked = False
            self._beat = time.monotonic()
            self.begin_beats()
            if self._gate.locked():  # else the thread has not come to the gate since it was last opened
                self._gate.release()

    def beat(self) -> None:
        """Note that the shared thread has come round."""
        self._beat = time.monotonic()
        if not self._calls:
            self.end_beats()
            self._parked = True

    def _watch(self) -> None:
        stuck = False
        while True:
            if self._parked:
                self._gate.acquire()
            self._natives.sleep(PERIOD)
            silent = time.monotonic() - self._beat
            if not stuck and not self._parked and silent > LIMIT:
                stuck = True
                self._push(pack(["stuck", *self._culprit(silent)]))
            elif stuck and silent < LIMIT:
                stuck = False
                self._push(pack(["yields"]))

    def _culprit(self, silent: float) -> tuple[int | None, float, str]:
        frame = sys._current_frames().get(self._shared_thread)  # noqa: SLF001 -- the documented way
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
