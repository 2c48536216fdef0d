"""The handler that gives records of Python's logging to the call that they come from. Imports ``logging``."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from logging import Formatter, Handler, StreamHandler, getLogger
from typing import TYPE_CHECKING

from orderlines.capture.streams import CURRENT, StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from logging import LogRecord

_STANDARD = (1, 2)


class RecordHandler(Handler):
    """Captures a record, unless another handler prints it where it is captured anyway."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(Formatter("%(name)s: %(message)s"))

    def emit(self, record: LogRecord) -> None:
        """Give a record to the call that runs; where there is none, do what happens without this handler."""
        others = list(self._others(record))
        sink = CURRENT.get()
        if sink is None:
            last = logging.lastResort
            if not others and last is not None and record.levelno >= last.level:
                last.handle(record)
            return
        if any(map(_is_captured, others)):
            return
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 -- the arguments do not fit the message, as anywhere in logging
            self.handleError(record)
            return
        stream = sys.stderr
        show = stream.show() if isinstance(stream, StandIn) and not others else None
        sink.record(record.created, record.levelname, text, show)

    def _others(self, record: LogRecord) -> Iterator[Handler]:
        """Yield the other handlers that a record comes to."""
        logger = getLogger(record.name)
        while logger is not None:
            yield from (each for each in logger.handlers if each is not self and record.levelno >= each.level)
            if not logger.propagate or logger.parent is None:
                return
            logger = logger.parent


def _is_captured(handler: Handler) -> bool:
    """Return whether what a handler writes is captured as it is printed."""
    stream = handler.stream if isinstance(handler, StreamHandler) else None
    if not isinstance(sys.stdout, StandIn):  # A process of one call: everything on these descriptors is the call's.
        with suppress(Exception):
            return stream is not None and stream.fileno() in _STANDARD
    return isinstance(stream, StandIn)


handler = RecordHandler()
