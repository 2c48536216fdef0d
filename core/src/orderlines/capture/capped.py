"""One attempt's output, cut in the middle where it is too much."""

from __future__ import annotations

import time
from collections import deque
from threading import RLock
from typing import TYPE_CHECKING, Final

from orderlines.capture.overwriting import standing
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
"""Bytes of an unfinished line that wait for its end where the head is over; there, as much as it has room for."""
INTERVAL: Final = 10.0
"""Seconds in which one state of a line is passed on that is printed over again and again, such as a progress bar."""
_CHUNK: Final = 4096
_CONTINUATION: Final = 0b1000_0000
_MASK: Final = 0b1100_0000


class _Piece:
    """Some output, not yet passed on; ``level`` as in :class:`orderlines.stores.records.LogRow`."""

    __slots__ = ("at", "data", "level", "show")

    def __init__(self, at: float, level: str | None, data: bytes | bytearray, show: Show | None) -> None:
        self.at = at
        self.level = level
        self.data = bytearray(data)
        self.show = show


class Capture:
    """Takes what an attempt says, and passes on whole lines, at most :data:`LIMIT` bytes and a mark.

    A line is passed on in one piece, however it is printed; but where some of it is left out, the mark is its end.

    Thread-safe, and fails nobody: a thread that the call has left may go on to print when it is over.

    :param emit: takes the time, the level and the text.
    :param about: the call, where what is shown should name it.
    :param interval: as :data:`INTERVAL`.
    """

    def __init__(self, emit: Emit, about: About | None = None, interval: float = INTERVAL) -> None:
        self._emit = emit
        self._form = form(about)
        self._interval = interval
        self._passed: float | None = None
        self._lock = RLock()  # A signal handler may print in the middle of a print.
        self._unfinished: dict[Show | None, bytearray] = {}
        self._room = HEAD
        self._torn: _Piece | None = None
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
            known = len(unfinished)
            unfinished += data
            end = unfinished.rfind(b"\n", known) + 1
            if end:
                lines = standing(bytes(unfinished[:end]))
                del unfinished[:end]
                self._take(_Piece(time.time(), None, lines, show))
            if b"\r" in data:
                self._go_over(unfinished, show)
            if len(unfinished) > LINE and (some := _boundary(unfinished, len(unfinished) - 4)) > self._room:
                piece = _Piece(time.time(), None, unfinished[:some], show)
                del unfinished[:some]
                self._take(piece)

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
                    self._take(_Piece(time.time(), None, standing(bytes(data)), show))
            self._over = True
            if self._torn is not None:
                self._mend(self._torn)
            while self._tail:
                self._pass(self._tail.popleft())

    def _go_over(self, unfinished: bytearray, show: Show | None) -> None:
        """Let go of what is printed over, but now and then pass it on as a line: for those who watch a progress bar."""
        over = len(unfinished) - len(standing(bytes(unfinished)))
        if not over:
            return
        gone = bytes(unfinished[:over])
        del unfinished[:over]
        now = time.monotonic()
        if self._passed is None:
            self._passed = now
        if now - self._passed >= self._interval and (state := standing(gone).strip(b"\r")).strip():
            self._passed = now
            self._take(_Piece(time.time(), None, state + b"\n", show))

    def _take(self, piece: _Piece) -> None:
        if self._torn is None:
            size = len(piece.data)
            if size <= self._room:
                self._room -= size
                self._pass(piece)
                return
            self._tear(piece)
        self._hold(piece)

    def _tear(self, piece: _Piece) -> None:
        """End the head with what it has room for: whole lines; of the next one, the beginning waits for the rest."""
        fits = _boundary(piece.data, self._room)
        whole = piece.data.rfind(b"\n", 0, fits) + 1
        self._pass(_Piece(piece.at, piece.level, piece.data[:whole], piece.show))
        self._torn = _Piece(piece.at, piece.level if whole < fits else None, piece.data[whole:fits], piece.show)
        self._room = 0
        del piece.data[:fits]

    def _mend(self, torn: _Piece) -> None:
        """Pass on the beginning of the line in which the head ended, with its rest, or a mark for what is left out."""
        if self._left_out:
            torn.data += f"[... {self._left_out:,} bytes left out ...]\n".encode()
            self._pass(torn)
        else:
            self._tail[0].data[:0] = torn.data

    def _hold(self, piece: _Piece) -> None:
        """Keep a piece for the end, with the line that it continues, and leave out what it pushes out."""
        last = self._tail[-1] if self._tail else None
        self._held += len(piece.data)
        joins = last is not None and piece.level is None is last.level and last.show is piece.show
        if last is not None and joins and (len(last.data) < _CHUNK or not last.data.endswith(b"\n")):
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
