"""Records of Python's logging on their way through the pipe that a child prints to: so they keep their place there."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from orderlines.capture.live import Show
    from orderlines.capture.streams import Sink

_BEGIN: Final = b"\0\x01orderlines record\x02"
_END: Final = b"\0\x03\n"
LONGEST: Final = 1024 * 1024
"""Bytes after which the end of a record is not waited for any more."""


class PipedRecords:
    """The child's side: a sink for records; what is printed goes into the pipe by itself.

    :param descriptor: the pipe.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes, show: Show | None) -> None:
        """Print; only what is printed to a stand-in comes here, and there is none."""
        self._send(data)

    def record(self, at: float, level: str, text: str, show: Show | None) -> None:
        """Take a record."""
        self._send(_BEGIN + json.dumps([level, text]).encode("ascii") + _END)

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]


class Unpiped:
    """The driver's side: takes records and prints apart again. Whatever a call prints, nothing here fails.

    :param show: shows what is passed on.
    """

    def __init__(self, show: Show) -> None:
        self._show = show
        self._held = b""

    def feed(self, data: bytes, sink: Sink) -> None:
        """Take what was read from the pipe."""
        data = self._held + data
        while (start := data.find(_BEGIN)) >= 0:
            end = data.find(_END, start)
            if end < 0:
                break
            if start:
                sink.write(data[:start], self._show)
            self._record(data[start + len(_BEGIN) : end], sink)
            data = data[end + len(_END) :]
        start = _opening(data)
        if len(data) - start > LONGEST:
            start = len(data)
        self._held = data[start:]
        if start:
            sink.write(data[:start], self._show)

    def finish(self, sink: Sink) -> None:
        """Pass on what is left."""
        held, self._held = self._held, b""
        if held:
            sink.write(held, self._show)

    def _record(self, data: bytes, sink: Sink) -> None:
        try:
            level, text = json.loads(data)
        except ValueError:
            sink.write(data, self._show)
        else:
            # Not the record's own time, which is before that at which what was printed before it was read.
            sink.record(time.time(), str(level), str(text), self._show)


def _opening(data: bytes) -> int:
    """Return where a record begins that has not come whole, or may begin; the length where there is none."""
    start = data.find(_BEGIN)
    if start >= 0:
        return start
    last = data.rfind(_BEGIN[:1], max(len(data) - len(_BEGIN), 0))
    return last if last >= 0 and _BEGIN.startswith(data[last:]) else len(data)
