"""The process in the middle: parent of one worker, sub-reaper of everything that the worker starts.

It runs no code but this module's, in one thread, so it can be relied on where the worker cannot. It obeys ``end GRACE``
from the driver, and acts by itself when the driver has gone. Its last word is how the worker ended, and it is only said
when no descendant is left.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import time
from typing import TYPE_CHECKING

from orderlines.processes.prctl import become_subreaper
from orderlines.processes.reaping import drain, reap, sweep, wake_on_child

if TYPE_CHECKING:
    from collections.abc import Callable

SWEEP = 1.5
"""Seconds after which a sweep gives up on what does not die."""


def keep(control: int, driver: int | None, work: Callable[[int], object], connection: int | None = None) -> None:
    """Fork a worker, see it to its end, and leave nothing of it behind.

    :param control: descriptor of the SEQPACKET socket to the driver.
    :param driver: pidfd of the driver, where the kernel has them: it tells of the driver's death even while some fork
        of the driver holds the other end of ``control``.
    :param work: what the worker does, given the keeper's process id; *must never* return.
    :param connection: descriptor that is the worker's alone: it is closed here, so that the driver notices when the
        worker closes it.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    woken = wake_on_child()
    keeper = os.getpid()
    worker = os.fork()
    if worker == 0:
        work(keeper)
    # Not before the fork: it takes 12 ms, and the worker is not that quick to leave an orphan.
    become_subreaper()
    if connection is not None:
        os.close(connection)
    Keeper(control, driver, woken, worker).run()


class Keeper:
    """Waits for the worker's end, the driver's orders and the driver's end."""

    def __init__(self, control: int, driver: int | None, woken: int, worker: int) -> None:
        self._control = control
        self._driver = driver
        self._woken = woken
        self._worker = worker
        self._status: int | None = None
        self._kill_at = math.inf

    def run(self) -> None:
        """Return when the worker and all that it started are gone, and the driver was told."""
        self._say({"pid": self._worker})
        poll = select.poll()
        for descriptor in (self._control, self._woken, self._driver):
            if descriptor is not None:
                poll.register(descriptor, select.POLLIN)
        while self._status is None and (left := self._kill_at - time.monotonic()) > 0:
            for descriptor, _ in poll.poll(None if left == math.inf else math.ceil(left * 1000)):
                self._attend(descriptor)
        self._finish()

    def _attend(self, descriptor: int) -> None:
        if descriptor == self._woken:
            drain(self._woken)
            self._take_note(reap()[0])
        elif descriptor == self._control:
            self._obey()
        else:
            self._kill_at = -math.inf

    def _obey(self) -> None:
        try:
            order = os.read(self._control, 256)
        except OSError:
            order = b""
        if not order:
            self._kill_at = -math.inf
            return
        grace = float(order.split()[1])
        self._kill_at = min(self._kill_at, time.monotonic() + grace)
        if grace > 0:
            self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        """Send a signal to the worker's group; to the worker, where it has not made one yet."""
        for send in (os.killpg, os.kill):
            try:
                send(self._worker, number)
            except (ProcessLookupError, PermissionError):
                continue
            return

    def _take_note(self, ended: dict[int, int]) -> None:
        self._status = ended.get(self._worker, self._status)

    def _finish(self) -> None:
        ended, left = sweep(SWEEP)
        self._take_note(ended)
        self._say({"status": self._status, "left": left})

    def _say(self, words: dict[str, object]) -> None:
        try:
            os.write(self._control, json.dumps(words).encode())
        except OSError:
            # The driver has gone; there is nobody to tell.
            self._kill_at = -math.inf
