"""Showing what calls say while they say it: never in the way of the call, and never its failure."""

from __future__ import annotations

import os
import select
from contextlib import nullcontext, suppress
from io import TextIOWrapper
from threading import Lock
from typing import TYPE_CHECKING

from orderlines.capture.jsonstream import JSONStream
from orderlines.jsonlines import alone, as_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    Show = Callable[[bytes], object]

PIECE = 4096
"""Bytes that a pipe which is ready takes without making the writer wait (PIPE_BUF)."""
PATIENCE = 200
"""Milliseconds for which a reader may make a call wait, once, until it reads again."""
_STANDARD = (1, 2)


class Descriptor:
    """Shows bytes on a file descriptor; what nobody reads is dropped."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = Lock()
        self._stalled = False

    def show(self, data: bytes) -> None:
        """Write, as far as somebody reads; what is dropped are whole lines, where they are not too long."""
        with self._lock, alone(self._descriptor) if as_json() else nullcontext(), suppress(OSError):
            start = 0
            while start < len(data) and self._ready():
                end = start + PIECE
                if end < len(data):
                    end = data.rfind(b"\n", start, end) + 1 or end
                os.write(self._descriptor, data[start:end])
                start = end

    def _ready(self) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        self._stalled = not poll.poll(0 if self._stalled else PATIENCE)
        return not self._stalled


def to_descriptor(descriptor: int) -> Show:
    """Return what shows bytes on a file descriptor."""
    return Descriptor(descriptor).show


def live_to(stream: TextIO | None) -> Show:
    """Return what shows bytes on a text stream: past it where it is the process's own, through it where it is not."""
    if stream is None:
        return lambda data: None
    if type(stream) in {TextIOWrapper, JSONStream}:
        with suppress(OSError, ValueError):
            if stream.fileno() in _STANDARD:
                stream.flush()
                return to_descriptor(stream.fileno())

    def show(data: bytes) -> None:
        with suppress(Exception):
            stream.write(data.decode("utf-8", "replace"))

    return show
