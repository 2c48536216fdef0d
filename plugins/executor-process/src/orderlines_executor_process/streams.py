"""The child's standard output and error, which outlive the calls that close them."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper

_NUMBERS = (1, 2)


class StandardStreams:
    """Puts standard output and error back as they were, before each call.

    :ivar kept: descriptor of what standard error is, whatever a call does to that.
    """

    def __init__(self) -> None:
        self._kept = {number: os.dup(number) for number in _NUMBERS}
        self.kept = self._kept[2]
        self._places = {number: _place(number) for number in _NUMBERS}
        self._renew()

    def restore(self) -> None:
        """Undo what the calls before have done to the descriptors and the streams."""
        if all(_place(number) == self._places[number] for number in _NUMBERS):
            if sys.stdout is self._stdout and sys.stderr is self._stderr and not self._closed():
                return
        else:
            for number, kept in self._kept.items():
                with suppress(OSError):  # Somebody has closed every descriptor; there is nowhere to print to.
                    os.dup2(kept, number)
        self._renew()

    def flush(self) -> None:
        """Write what a call has left in the buffers."""
        for stream in (self._stdout, self._stderr):
            with suppress(OSError, ValueError):
                stream.flush()

    def _closed(self) -> bool:
        return self._stdout.closed or self._stderr.closed

    def _renew(self) -> None:
        # The process ends by a signal, which writes no buffers: lines are written as they come.
        self._stdout = sys.stdout = _stream(1, "backslashreplace")
        self._stderr = sys.stderr = _stream(2, "backslashreplace")


def _stream(number: int, errors: str) -> TextIOWrapper:
    file = open(number, "wb", closefd=False)  # noqa: SIM115 -- it lives as long as the process
    return TextIOWrapper(file, encoding="utf-8", errors=errors, line_buffering=True)


def _place(number: int) -> tuple[int, int] | None:
    """Return what a descriptor stands for."""
    try:
        found = os.fstat(number)
    except OSError:
        return None
    return found.st_dev, found.st_ino
