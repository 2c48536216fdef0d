"""The command ``orderlines``. One that drives runs has its driver's process make ready while it reads its arguments.

So the two share the 0.1 s that importing takes between two processors. Nothing else of size is imported before that.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Final, NoReturn

from orderlines.cli.streams import open_streams

_DRIVING: Final = frozenset({"run", "recover"})
_ELSEWHERE: Final = frozenset({"--detach", "--help", "-h"})
"""With these, no driver's process of this command's own is needed."""
_BEFORE: Final = "--import"
"""What the driver's process has to know when it begins."""

_INTERRUPTED: Final = 130
"""What a shell says of a command that SIGINT has ended."""


def main() -> NoReturn:
    """Run the command line, and end the process without taking the interpreter apart, which takes 6 ms."""
    open_streams()
    try:
        (_begin_ahead if _may_begin_ahead(sys.argv[1:]) else _run)()
    except SystemExit as leaving:
        code = leaving.code
    except KeyboardInterrupt:  # Before the command line itself was there to be told.
        code = _INTERRUPTED
    else:
        code = 0
    if not isinstance(code, int):  # Python prints what is no number, and ends with 1.
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # None, full, without a reader, or closed
            stream.flush()
    os._exit(code)


def _may_begin_ahead(words: list[str]) -> bool:
    drives = words[:1] and words[0] in _DRIVING and not _ELSEWHERE.intersection(words)
    return bool(drives) and not any(word.startswith(_BEFORE) for word in words)


def _begin_ahead() -> None:
    import signal  # noqa: PLC0415 -- for commands that drive only

    # Nothing has begun that would have to be ended in order, and Python may lose a KeyboardInterrupt while it imports:
    # in a callback of its own it only prints it.
    signal.signal(signal.SIGINT, _leave)
    from orderlines.supervision import ahead  # noqa: PLC0415 -- as above

    ahead.begin()
    try:
        _run()
    finally:
        ahead.end()


def _leave(number: int, frame: object) -> NoReturn:
    """End the process at once; what was forked off it notices."""
    del number, frame
    os._exit(_INTERRUPTED)


def _run() -> None:
    from orderlines.cli.main import main as run  # noqa: PLC0415 -- not before the driver's process has begun

    run()


if __name__ == "__main__":
    main()
