"""What a child writes to its standard output and error, and the call in it that says so."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from orderlines.capture import Capture
from orderlines.capture.inband import Unpiped
from orderlines.capture.showing import form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines.capture.live import Show
    from orderlines.executors.slots import Flight

    Observe = Callable[[int, str, list[object]], None]

CAPACITY = 65_536
"""Bytes that a pipe holds (Linux): what was written before a message came is not more."""


class ChildOutput:
    """The pipe that a child of one call at a time writes to. Nothing here blocks.

    :param observe: as the option of :class:`orderlines.executors.children.ChildExecutor`.
    :param show: shows live what is passed on, and what no call says.
    :ivar reading: descriptor that is readable when :meth:`read` has something to do.
    :ivar writing: the child's end, until :meth:`handed_over`.
    """

    def __init__(self, observe: Observe, show: Show) -> None:
        self._observe = observe
        self._show = show
        self._unpiped = Unpiped(show)
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)

    def handed_over(self) -> None:
        """Close the child's end here."""
        os.close(self.writing)

    def read(self, flights: Mapping[int, Flight]) -> int:
        """Take what the child has written, at most what a pipe holds; return how much; -1 where there is no more.

        :param flights: the calls in the child: one, or none.
        """
        try:
            data = os.read(self.reading, CAPACITY)
        except BlockingIOError:
            return 0
        flight = next(iter(flights.values()), None)
        if flight is not None:
            self._unpiped.feed(data, self._capture(flight))
        elif data:
            self._show(form(None)(time.time(), None, data.decode("utf-8", "replace")).encode())
        return len(data) or -1

    def drain(self, flights: Mapping[int, Flight]) -> None:
        """Take all that was written before now."""
        left = CAPACITY
        while left > 0 and (taken := self.read(flights)) > 0:
            left -= taken

    def finish(self, flight: Flight) -> None:
        """Pass on what is left of a call that is over."""
        if flight.capture is not None:
            self._unpiped.finish(flight.capture)
            flight.capture.finish()

    def close(self) -> None:
        """Let go of the pipe."""
        with suppress(OSError):
            os.close(self.reading)

    def _capture(self, flight: Flight) -> Capture:
        if flight.capture is None:
            number, observe = flight.call.id, self._observe
            flight.capture = Capture(lambda *said: observe(number, "output", list(said)), flight.call)
        return flight.capture
