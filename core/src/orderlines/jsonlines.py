"""What is said on standard error as JSON: one object a line, for programs that collect logs."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

VARIABLE: Final = "ORDERLINES_LOG_FORMAT"
"""Says how commands write their logs. Programs that use the library have logs of their own, whatever it says."""
INHERITED: Final = "ORDERLINES_LOGS_ARE_JSON"
"""Says so to the processes that a command starts; nobody else should set it."""
JSON: Final = "json"
TEXT: Final = "text"
STDERR: Final = 2

_always: dict[str, object] = {}


def as_json() -> bool:
    """Return whether this process writes its logs as JSON."""
    return INHERITED in os.environ


def always(**fields: object) -> None:
    """Have all lines of this process hold fields, such as the worker's name."""
    _always.update(fields)


def line(at: float, level: str, logger: str, message: str, **fields: object) -> str:
    """Return a line.

    :param at: the moment, in seconds since the epoch.
    :param fields: what else is known; what is ``None`` is left out.
    """
    import json  # noqa: PLC0415 -- only where logs are JSON
    from datetime import UTC, datetime  # noqa: PLC0415 -- as above

    known = {name: value for name, value in {**_always, **fields}.items() if value is not None}
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    told = {"ts": moment, "level": level, "logger": logger, "message": message, **known}
    return json.dumps(told, ensure_ascii=False, default=str) + "\n"


def write(text: str) -> None:
    """Write lines to standard error, each whole, whatever ``sys.stderr`` is; nobody may read them."""
    data = memoryview(text.encode("utf-8", "backslashreplace"))
    with suppress(OSError):
        while data:
            data = data[os.write(STDERR, data) :]
