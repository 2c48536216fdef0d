"""Calls that only succeed when others run at the same time.

Who arrives adds a byte to a file; the file's size is how many have arrived. Every wait is bounded.
"""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from orderlines.testing.misbehaving import abort, crash, exit_now

if TYPE_CHECKING:
    from collections.abc import Callable

# `time.sleep` is looked up at each call, so that it is gevent's where gevent has patched it.


def wait(path: str, count: int, seconds: float = 20) -> int:
    """Arrive, wait until ``count`` have arrived, and return the id of this process."""
    _arrive(path)
    limit = time.monotonic() + seconds
    while _arrived(path) < count:
        _check(limit, path, count)
        time.sleep(0.02)
    return os.getpid()


def spin(path: str, count: int, seconds: float = 20) -> int:
    """Do the same without ever giving the processor away."""
    _arrive(path)
    limit = time.monotonic() + seconds
    while _arrived(path) < count:
        _check(limit, path, count)
    return os.getpid()


def begin(path: str, go: str, seconds: float = 20) -> int:
    """Arrive, and return how many have arrived once the file ``go`` exists, which a test makes."""
    _arrive(path)
    limit = time.monotonic() + seconds
    while not Path(go).exists():
        _check(limit, go, 1)
        time.sleep(0.01)
    return _arrived(path)


def outlive(path: str, mark: str, seconds: float = 20) -> int:
    """Arrive, and return the id of this process once the process that ``mark`` names is no more."""
    _arrive(path)
    limit = time.monotonic() + seconds
    while not _is_dead(mark):
        _check(limit, mark, 1)
        time.sleep(0.01)
    return os.getpid()


def die(how: str, path: str, mark: str, seconds: float = 20) -> None:
    """Wait until somebody has arrived, write the id of this process to ``mark``, and end the process."""
    limit = time.monotonic() + seconds
    while _arrived(path) < 1:
        _check(limit, path, 1)
        time.sleep(0.01)
    unfinished = Path(f"{mark}-{os.getpid()}")
    unfinished.write_text(str(os.getpid()), encoding="ascii")
    unfinished.rename(mark)
    _DEATHS[how]()


def _arrive(path: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, b".")
    os.close(file)


def _arrived(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except FileNotFoundError:
        return 0


def _check(limit: float, path: str, count: int) -> None:
    if time.monotonic() > limit:
        raise TimeoutError(f"{_arrived(path)} of {count} have come to {path}")


def _is_dead(mark: str) -> bool:
    try:
        os.kill(int(Path(mark).read_text(encoding="ascii")), 0)
    except ProcessLookupError:
        return True
    except FileNotFoundError:
        return False
    return False


_DEATHS: dict[str, Callable[[], None]] = {
    "exit 0": partial(exit_now, 0),
    "exit 3": partial(exit_now, 3),
    "segfault": crash,
    "abort": abort,
}
