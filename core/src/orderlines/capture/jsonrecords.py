"""Records of Python's logging as lines of JSON, where nothing else handles them."""

from __future__ import annotations

from logging import WARNING, Formatter, Handler
from typing import TYPE_CHECKING, Final

from orderlines.jsonlines import line, write

if TYPE_CHECKING:
    from logging import LogRecord

FIELDS: Final = ("run", "line", "node", "visit", "attempt")
"""What a record may say of itself (``extra``)."""
_FORMATTER: Final = Formatter()


class JSONHandler(Handler):
    """The handler of last resort: it gets what no other handler does, from WARNING on."""

    def __init__(self) -> None:
        super().__init__(WARNING)

    def emit(self, record: LogRecord) -> None:
        """Write a record."""
        try:
            fields = {name: record.__dict__.get(name) for name in FIELDS}
            trace = _FORMATTER.formatException(record.exc_info) if record.exc_info else None
            text = line(record.created, record.levelname, record.name, record.getMessage(), **fields, exception=trace)
        except Exception:  # noqa: BLE001 -- the arguments do not fit the message, as anywhere in logging
            self.handleError(record)
            return
        write(text)
