"""Components that leave a line in a file when they begin and when they end, and what reads these lines.

The file survives the death of whoever writes it, and is what an engine's books are compared with.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.processes.identity import ProcessIdentity

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.components.base import Context

clock: Callable[[], float] = time.time
"""The clock of the lines; a test that has a clock of its own puts it here."""


class Said(NamedTuple):
    """A line of the file: what an attempt said, when, and from which process.

    :ivar what: ``start``, ``end``, ``failed`` (it raised on purpose) or ``asked`` (it was asked to end, and did).
    """

    what: str
    run: str
    line: str
    node: str
    visit: int
    attempt: int
    at: float
    process: ProcessIdentity


def act(log: str, context: Context, *, text: str = "", fails: int = 0, wait: str = "") -> str:
    """Begin, wait for a file if one is named, and end.

    :param log: the file to write to.
    :param text: the result.
    :param fails: so many attempts raise ``ValueError``.
    :param wait: the file that is waited for; a stop ends that as well.
    """
    _say(log, "start", context)
    while wait and not Path(wait).exists():
        if context.stopping:
            _say(log, "asked", context)
            raise InterruptedError("asked to end")
        time.sleep(0.002)
    if context.attempt <= fails:
        _say(log, "failed", context)
        raise ValueError(f"attempt {context.attempt} of {fails} that fail")
    _say(log, "end", context)
    return text


def count(log: str, number: int, context: Context) -> int:
    """Begin, end, and return the next number."""
    _say(log, "start", context)
    _say(log, "end", context)
    return number + 1


def read(log: Path) -> list[Said]:
    """Return the lines of a file, in the order in which they were written; one that is being written is left out."""
    if not log.exists():
        return []
    written, _, _ = log.read_text(encoding="utf-8").rpartition("\n")
    return [_said(json.loads(line)) for line in written.splitlines()]


def _said(parts: list[Any]) -> Said:
    return Said._make([*parts[:-1], ProcessIdentity(*parts[-1])])


def _say(log: str, what: str, context: Context) -> None:
    call = (context.run, context.line, context.node, context.visit, context.attempt)
    text = json.dumps([what, *call, clock(), ProcessIdentity.current()])
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, f"{text}\n".encode())
    finally:
        os.close(file)
