"""The two things that happen to a line most: it is entered, and the call at its cursor ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.line.ending import crashed, handled, kinds, overdue, too_large, unbegun
from orderlines.line.waiting import signalled, waited
from orderlines.line.walk import Walk
from orderlines.plan import ENDS
from orderlines.states import LineStatus
from orderlines.stores.limits import exceeds
from orderlines.strategies.base import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines.executors.base import Outcome
    from orderlines.line.state import Line, Turn
    from orderlines.line.walk import Admit


def enter(line: Line, now: float, admit: Admit) -> Turn:
    """Walk on from the cursor; a retry whose time has come begins its next attempt."""
    walk = Walk(line, now, admit)
    if line.attempt and line.cursor != ENDS:
        turn = walk.again(line.here, line.attempt + 1)
        return turn if turn is not None else walk.go()
    return walk.go()


def complete(line: Line, outcome: Outcome, now: float, admit: Admit) -> Turn:
    """Take how the call at the cursor ended, and walk on."""
    if outcome.how == "lost":
        return (
            crashed(line, now, admit, outcome.message)
            if outcome.started
            else unbegun(line, outcome.message, now, admit)
        )
    walk = Walk(line, now, admit)
    began = now if line.began is None else line.began
    # It was recorded as begun once its executor had it, which may have let it wait for the call before it. Where it
    # ran there may be another clock: what that says counts only between the two moments that the store's has seen.
    started = max(began, min(outcome.started, now - outcome.seconds)) if outcome.seconds > 0.0 else began
    if line.status == LineStatus.HANDLER:
        return handled(walk, outcome, started)
    if outcome.how == "returned" and outcome.result is not None:
        if len(outcome.result) > line.info.largest // 4 and exceeds(outcome.result, line.info.largest):
            return too_large(walk, outcome.result, started)
        turn = walk.finished(line.here, line.attempt, started, line.executor, outcome.result)
    else:
        failure = Failure(outcome.how, kinds(outcome), outcome.message, line.attempt, "")
        turn = walk.failed(line.here, failure, line.attempt, started, line.executor)
    return turn if turn is not None else walk.go()


_AT: Final[Mapping[str, Callable[[Line, float, Admit], Turn]]] = {
    LineStatus.READY: enter,
    LineStatus.RETRY: enter,
    LineStatus.CALL: crashed,
    LineStatus.HANDLER: crashed,
    LineStatus.JOIN: overdue,
    LineStatus.TIME: waited,
    LineStatus.SIGNAL: signalled,
    LineStatus.SIGNALLED: signalled,
}


def resume(line: Line, now: float, admit: Admit) -> Turn:
    """Go on with a line that nobody drove, as its status says; where its children have ended, see ``joined``."""
    return _AT[line.status](line, now, admit)
