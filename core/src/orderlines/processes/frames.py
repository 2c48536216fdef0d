"""Messages on a stream socket: a small JSON head and a body of bytes that nobody on the way looks into.

A frame is the lengths of both as two unsigned numbers of 32 and 64 bits in network order, the head, the body.
"""

from __future__ import annotations

import json
from struct import Struct
from typing import Any, NamedTuple

_LENGTHS = Struct("!IQ")


class Frame(NamedTuple):
    """A message: ``head`` begins with its kind."""

    head: list[Any]
    body: bytes


def pack(head: list[Any], body: bytes = b"") -> bytes:
    """Return the bytes of a frame; ``head`` holds JSON values only."""
    text = json.dumps(head, separators=(",", ":")).encode("ascii")
    return b"".join((_LENGTHS.pack(len(text), len(body)), text, body))


class Decoder:
    """Makes frames from bytes that come in pieces of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._needed = _LENGTHS.size

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes and return the frames that they complete."""
        buffer = self._buffer
        buffer += data
        if len(buffer) < self._needed:
            return []
        frames = []
        at = 0
        while (end := self._end(at)) <= len(buffer):
            frames.append(self._frame(at, end))
            at = end
        self._needed = end - at
        del buffer[:at]
        return frames

    def _end(self, at: int) -> int:
        """Return where the frame that begins at ``at`` ends, or its lengths where they are not all here yet."""
        start = at + _LENGTHS.size
        if start > len(self._buffer):
            return start
        head, body = _LENGTHS.unpack_from(self._buffer, at)
        return int(start + head + body)

    def _frame(self, at: int, end: int) -> Frame:
        start = at + _LENGTHS.size
        middle = start + _LENGTHS.unpack_from(self._buffer, at)[0]
        with memoryview(self._buffer) as view:
            return Frame(json.loads(bytes(view[start:middle])), bytes(view[middle:end]))
