"""A process whose logs are JSON: what its loggers, its streams and its uncaught errors say on standard error."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

from orderlines.capture.jsonstream import JSONStream
from orderlines.jsonlines import INHERITED, always, as_json

if TYPE_CHECKING:
    from types import TracebackType


def choose(*, json: bool) -> None:
    """Choose the format for this process and those that it starts, before it says anything."""
    if json:
        os.environ[INHERITED] = "1"
    else:
        os.environ.pop(INHERITED, None)
    begin()


def begin(**fields: object) -> None:
    """Have this process say what it says in the format that was chosen.

    :param fields: what each line of it holds.
    """
    if not as_json():
        return
    always(**fields)
    if isinstance(sys.stderr, JSONStream):
        return
    import logging  # noqa: PLC0415 -- 10 ms, for those that want it

    from orderlines.capture.jsonrecords import JSONHandler  # noqa: PLC0415 -- as above

    sys.stderr = JSONStream()
    logging.lastResort = JSONHandler()
    sys.excepthook = _uncaught
    threading.excepthook = lambda about: _uncaught(
        about.exc_type, about.exc_value or about.exc_type(), about.exc_traceback
    )


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    from orderlines.logger import logger  # noqa: PLC0415 -- only on the way out

    logger().critical("%s: %s", kind.__name__, error, exc_info=(kind, error, trace))
