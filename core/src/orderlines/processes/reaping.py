"""Noticing the end of children, and ending all that are left."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from orderlines.processes.proc import descendants


def wake_on_child() -> int:
    """Return a descriptor that becomes readable when a child ends; replaces an earlier one of this process."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.signal(signal.SIGCHLD, _nothing)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading


def drain(descriptor: int) -> None:
    """Read away what :func:`wake_on_child` has written."""
    try:
        while os.read(descriptor, 4096):
            pass
    except BlockingIOError:
        pass


def reap() -> tuple[dict[int, int], bool]:
    """Take note of ended children.

    :returns: their wait statuses by process id, and whether there are children left. The kernel answers the second
        question, and a sub-reaper's orphans count: "none" means that no descendant is left anywhere.
    """
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended, False
        if pid == 0:
            return ended, True
        ended[pid] = status


def sweep(seconds: float) -> tuple[dict[int, int], bool]:
    """Kill every descendant, whatever session or group it has gone to, until none is left.

    :param seconds: when to give up: a process that sleeps in the kernel, or runs as another user, does not die.
    :returns: as :func:`reap`, for all of them.
    """
    limit = time.monotonic() + seconds
    ended: dict[int, int] = {}
    while True:
        new, left = reap()
        ended.update(new)
        if not left or time.monotonic() > limit:
            return ended, left
        for pid in descendants(os.getpid()):
            kill(pid)
        time.sleep(0.002)


def kill(pid: int) -> None:
    """Send SIGKILL, if there is somebody to take it."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _nothing(number: int, frame: object) -> None:
    """Exist: without a handler, the signal would not reach the wake-up descriptor."""
