"""Leaving out the node that a line stands at, because somebody wishes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.line.ending import close_join
from orderlines.line.walk import Walk
from orderlines.plan import ENDS
from orderlines.states import LineStatus, TaskStatus

if TYPE_CHECKING:
    from orderlines.line.state import Line, Turn
    from orderlines.line.walk import Admit


def skipped(line: Line, now: float, admit: Admit) -> Turn:
    """Record the node at the cursor as left out, with the result null; a join is closed first.

    The line is then anybody's: whether it may go on, or is paused, says the store.
    """
    walk = Walk(line, now, admit)
    if line.status == LineStatus.JOIN:
        return close_join(walk)
    planned = line.here
    began = now if line.began is None else line.began
    walk.record(planned, TaskStatus.SKIP, line.attempt, began, line.executor, "null", None, None)
    walk.cursor = planned.next
    if walk.cursor == ENDS:
        return walk.close(LineStatus.SUCCESS, None)
    return walk.turn(walk.step(LineStatus.READY, keep=False, lift=True, vars=walk.snapshot()))
