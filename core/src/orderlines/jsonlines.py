"""What is said on standard error as JSON: one object a line, for programs that collect logs."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE: Final = "ORDERLINES_LOG_FORMAT"
"""Says how commands write their logs. Programs that use the library have logs of their own, whatever it says."""
INHERITED: Final = "ORDERLINES_LOGS_ARE_JSON"
"""Says so to the processes that a command starts, and what each line of them holds; nobody else should set it."""
JSON: Final = "json"
TEXT: Final = "text"
STDERR: Final = 2
_PATIENCE: Final = 0.5
"""Seconds to wait for others who write, once: one of them may hang in the middle of a line, since nobody reads it."""
_LOOK: Final = 0.001

_always: dict[str, object] = {}


def as_json() -> bool:
    """Return whether this process writes its logs as JSON."""
    return INHERITED in os.environ


def always(**fields: object) -> None:
    """Have all lines of this process, and of those that it starts, hold fields, such as the worker's name."""
    import json  # noqa: PLC0415 -- only where logs are JSON

    inherited = {}
    with suppress(ValueError):
        inherited = json.loads(os.environ[INHERITED])
    if isinstance(inherited, dict):
        _always.update(inherited)
    _always.update(fields)
    os.environ[INHERITED] = json.dumps(_always, default=str)


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
    with alone(STDERR), suppress(OSError):
        while data:
            data = data[os.write(STDERR, data) :]


@contextmanager
def alone(descriptor: int) -> Iterator[None]:
    """Keep other threads and processes that ask likewise from writing to the same place meanwhile.

    What is longer than a pipe takes in one piece (PIPE_BUF) would else be mixed with theirs. Where there is nothing to
    lock, such as a socket, or it takes too long, they are not kept from it.
    """
    own = -1  # A lock belongs to who has opened the file, and a fork or a duplicate shares that. It is not kept open:
    try:  # who reads a pipe to its end must not wait for this.
        with suppress(OSError):
            own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
            _turns.take(own)
        yield
    finally:
        if own >= 0:
            os.close(own)


class _Turns:
    """Takes locks; where one cannot be had, the next ones are not waited for, until one can be had again."""

    def __init__(self) -> None:
        self._stalled = False

    def take(self, descriptor: int) -> None:
        until = time.monotonic() + (0.0 if self._stalled else _PATIENCE)
        while not (had := _locked(descriptor)) and time.monotonic() < until:
            time.sleep(_LOOK)
        self._stalled = not had


_turns: Final = _Turns()


def _locked(descriptor: int) -> bool:
    import fcntl  # noqa: PLC0415 -- only where logs are JSON

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
