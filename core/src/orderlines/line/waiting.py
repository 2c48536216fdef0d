"""What a line waits for that is no call: a time, or a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.line.walk import Walk
from orderlines.states import LineStatus
from orderlines.strategies.base import Failure

if TYPE_CHECKING:
    from orderlines.line.state import Line, Turn
    from orderlines.line.walk import Admit


def waited(line: Line, now: float, admit: Admit) -> Turn:
    """Take that the time has come that the node at the cursor waits for."""
    walk = Walk(line, now, admit)
    turn = walk.finished(line.here, line.attempt, now if line.began is None else line.began, None, "null")
    return turn if turn is not None else walk.go()


def signalled(line: Line, now: float, admit: Admit) -> Turn:
    """Take that a signal has come, with its data as the line's state; or its time is over without one."""
    walk = Walk(line, now, admit)
    began = now if line.began is None else line.began
    if line.status == LineStatus.SIGNALLED:
        turn = walk.finished(line.here, line.attempt, began, None, line.state or "null")
    else:
        message = f"no signal came within {line.here.node.timeout or 0:g} s"
        failure = Failure("timeout", ("Timeout",), message, line.attempt, "")
        turn = walk.failed(line.here, failure, line.attempt, began, None)
    return turn if turn is not None else walk.go()
