"""One attempt's output, cut in the middle where it is too much."""

from __future__ import annotations

import time
from collections import deque
from threading import RLock
from typing import TYPE_CHECKING, Final

from orderlines.capture.showing import form

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.capture.live import Show
    from orderlines.capture.showing import About

    Emit = Callable[[float, str | None, str], object]

LIMIT: Final = 1024 * 1024
"""Bytes of an attempt's output that are kept; what is said in the middle of more is counted and left out."""
HEAD: Final = LIMIT * 3 // 4
"""Bytes that are passed on as they come; of what follows, the last are passed on at the end."""
TAIL: Final = LIMIT - HEAD
LINE: Final = 16 * 1024
"""Bytes of an unfinished line that wait for its end."""
_CHUNK: Final = 4096
_CONTINUATION: Final = 0b1000_0000
_MASK: Final = 0b1100_0000


class _Piece:
    """Some output, not yet passed on; ``level`` as in :class:`orderlines.stores.records.LogRow`."""

    __slots__ = ("at", "data", "level", "show")

    def __init__(self, at: float, level: str | None, data: bytes, show: Show | None) -> None:
        self.at = at
        self.level = level
        self.data = bytearray(data)
        self.show = show


class Capture:
    """Takes what an attempt says, and passes on whole lines, at most :data:`LIMIT` bytes and a mark.

    Thread-safe, and fails nobody: a thread that the call has left may go on to print when it is over.

    :param emit: takes the time, the level and the text.
    :param about: the call, where what is shown should name it.
    """

    def __init__(self, emit: Emit, about: About | None = None) -> None:
        self._emit = emit
        self._form = form(about)
        self._lock = RLock()  # A signal handler may print in the middle of a print.
        self._unfinished: dict[Show | None, bytearray] = {}
        self._room = HEAD
        self._tail: deque[_Piece] = deque()
        self._held = 0
        self._left_out = 0
        self._over = False

    def write(self, data: bytes, show: Show | None) -> None:
        """Take what is printed.

        :param show: shows live what is passed on.
        """
        with self._lock:
            if self._over:
                return
            unfinished = self._unfinished.setdefault(show, bytearray())
            unfinished += data
            end = unfinished.rfind(b"\n") + 1
            if not end and len(unfinished) >= LINE:
                end = _boundary(unfinished, len(unfinished) - 4)
            if end:
                lines = bytes(unfinished[:end])
                del unfinished[:end]
                self._take(_Piece(time.time(), None, lines, show))

    def record(self, at: float, level: str, text: str, show: Show | None) -> None:
        """Take a record of Python's logging."""
        with self._lock:
            if not self._over:
                self._take(_Piece(at, level, f"{text}\n".encode("utf-8", "backslashreplace"), show))

    def finish(self) -> None:
        """Pass on what is left; the call is over."""
        with self._lock:
            if self._over:
                return
            for show, data in self._unfinished.items():
                if data:
                    self._take(_Piece(time.time(), None, bytes(data), show))
            self._over = True
            if self._left_out:
                first = self._tail[0]
                mark = f"[... {self._left_out:,} bytes left out ...]\n".encode()
                self._pass(_Piece(first.at, None, mark, first.show))
            while self._tail:
                self._pass(self._tail.popleft())

    def _take(self, piece: _Piece) -> None:
        if self._room:
            size = len(piece.data)
            fits = size if size <= self._room else _boundary(piece.data, self._room)
            # Where it does not fit, the head is over, though a character of some bytes more may have had room.
            self._room = self._room - fits if fits == size else 0
            self._pass(_Piece(piece.at, piece.level, bytes(piece.data[:fits]), piece.show))
            del piece.data[:fits]
        if piece.data:
            self._hold(piece)

    def _hold(self, piece: _Piece) -> None:
        """Keep a piece for the end, and leave out what it pushes out."""
        last = self._tail[-1] if self._tail else None
        self._held += len(piece.data)
        joins = last is not None and piece.level is None is last.level and last.show is piece.show
        if last is not None and joins and len(last.data) < _CHUNK:
            last.data += piece.data
        else:
            self._tail.append(piece)
        while self._held > TAIL:
            first = self._tail[0]
            over = min(self._held - TAIL, len(first.data))
            if over == len(first.data):
                self._tail.popleft()
            else:
                over = _boundary(first.data, over)
                if not over:
                    return
                del first.data[:over]
            self._held -= over
            self._left_out += over

    def _pass(self, piece: _Piece) -> None:
        text = piece.data.decode("utf-8", "replace")
        if not text:
            return
        self._emit(piece.at, piece.level, text)
        if piece.show is not None:
            piece.show(self._form(piece.at, piece.level, text).encode("utf-8", "replace"))


def _boundary(data: bytearray, size: int) -> int:
    """Return where to cut about ``size`` bytes off, of more: not in the middle of a character of UTF-8."""
    end = size
    while end > max(size - 4, 0) and data[end] & _MASK == _CONTINUATION:
        end -= 1
    return end
