"""What becomes of a line when something ends from outside: a process, a time, a wish to stop."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import StepRefused
from orderlines.line.opening import label
from orderlines.line.state import Error
from orderlines.line.walk import Walk
from orderlines.states import OVERDUE, RELEASED, LineStatus, RunStatus, TaskStatus
from orderlines.stores.records import AttemptRow, TaskRow
from orderlines.stores.references import MARK, Verbatim, lost
from orderlines.strategies.base import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.errors import ValueLost
    from orderlines.executors.base import Outcome
    from orderlines.line.state import Line, Turn
    from orderlines.line.walk import Admit
    from orderlines.plan import PlannedCall

MAX_CRASHES = 3
"""Processes that one task may bring down before it fails."""
_ENDED: Final[Mapping[str, tuple[str, ...]]] = {
    "timeout": ("Timeout",), "died": ("ProcessDied",), "ended": ("Stopped",),
}  # fmt: skip


def kinds(outcome: Outcome) -> tuple[str, ...]:
    """Return the names of what a call failed of, for strategies and as the error's type.

    How a call was ended is the driver's to say: with what it answered to that differs from executor to executor.
    """
    return _ENDED.get(outcome.how) or outcome.kinds or (outcome.how,)


def handled(walk: Walk, outcome: Outcome, started: float) -> Turn:
    """Take how the ``on_failure`` call ended, well or not: the line fails as it was to."""
    if outcome.how == "returned":
        return _close_handler(walk, started, outcome.result, None, TaskStatus.SUCCESS)
    status = TaskStatus.STOP if outcome.how == "ended" else TaskStatus.FAILURE
    return _close_handler(walk, started, None, (kinds(outcome)[0], outcome.message), status)


def _close_handler(
    walk: Walk, started: float, result: str | None, problem: tuple[str, str] | None, status: str
) -> Turn:
    line = walk.line
    error = _kept_error(line)
    node = f"{error.node}:on_failure"
    text = None if problem is None else Error(node, line.path, *problem).text()
    row = TaskRow(node, 1, status, max(line.attempt, 1), line.executor, started, walk.now, result, text)
    walk.tasks.append(row)
    return walk.close(LineStatus.FAILURE, error)


def crashed(line: Line, now: float, admit: Admit, told: str = "") -> Turn:
    """Take that the process of the call in flight died, with its driver or through a neighbour, or was given back.

    A call that was given back (:data:`orderlines.states.RELEASED`) had been asked to end with its driver, or was never
    begun: it counts as no crash, and its attempt as none.

    :param told: how it died, where the line does not know.
    """
    walk = Walk(line, now, admit)
    if line.status == LineStatus.HANDLER:
        return _handle_again(walk)
    planned = line.here
    call, released = planned.call, line.state == RELEASED
    began = now if line.began is None else line.began
    if not released:
        walk.crashes = line.crashes + 1
    if call is None or call.at_most_once or walk.crashes >= MAX_CRASHES:
        manner = _manner(line, told)
        message = "it was ended with its engine" if released else f"{manner}{_often(walk.crashes)}"
        failure = Failure("died", ("ProcessDied",), message, line.attempt, "")
        turn = walk.failed(planned, failure, line.attempt, began, line.executor)
    elif released:
        turn = walk.begin(planned, call, line.attempt)
    else:
        error = Error(planned.node.id, line.path, "ProcessDied", _manner(line, told))
        visit = walk.visit(planned.node.id)
        walk.attempts.append(AttemptRow(planned.node.id, visit, line.attempt, began, now, error.text()))
        turn = walk.begin(planned, call, line.attempt + 1)
    return turn if turn is not None else walk.go()


def unbegun(line: Line, message: str, now: float, admit: Admit) -> Turn:
    """Begin a call again that was lost before its executor began it: that is no attempt, whatever ``on_crash`` says.

    It is given up where that comes again and again: an executor whose processes never get ready begins nothing.
    """
    walk = Walk(line, now, admit)
    planned = line.here
    if line.status == LineStatus.HANDLER:
        error = _kept_error(line)
        handler = _handler(line, error)
        if handler is None:
            return walk.close(LineStatus.FAILURE, error)
        return walk.handle(handler, error, lift=False, crashes=line.crashes)
    walk.crashes = line.crashes + 1
    if planned.call is None or walk.crashes >= MAX_CRASHES:
        failure = Failure("died", ("ProcessDied",), f"{message}{_often(walk.crashes)}", line.attempt, "")
        turn = walk.failed(planned, failure, line.attempt, now if line.began is None else line.began, line.executor)
    else:
        turn = walk.begin(planned, planned.call, line.attempt)
    return turn if turn is not None else walk.go()


def _manner(line: Line, told: str) -> str:
    reason = told or line.state
    return f"its process died: {reason}" if reason else "its process died"


def _often(crashes: int) -> str:
    """Say how many processes died under a task, where it was more than the one that is told of."""
    return {0: "", 1: "", 2: "; that was the second time"}.get(crashes, f"; that was time number {crashes}")


def _handle_again(walk: Walk) -> Turn:
    """Call ``on_failure`` once more, or at last: it runs at least once, unless it brings down whatever it runs in.

    An attempt of 0 means that it waits for a slot, or was given back.
    """
    line = walk.line
    error = _kept_error(line)
    handler = _handler(line, error)
    crashes = line.crashes + 1 if line.attempt else line.crashes
    if handler is None:
        return walk.close(LineStatus.FAILURE, error)
    if crashes >= MAX_CRASHES:
        began = walk.now if line.began is None else line.began
        problem = ("ProcessDied", f"its process died{_often(crashes)}")
        return _close_handler(walk, began, None, problem, TaskStatus.FAILURE)
    return walk.handle(handler, error, lift=False, crashes=crashes)


def _handler(line: Line, error: Error) -> PlannedCall | None:
    """Return the ``on_failure`` call that was begun: the node's own, or the flow's."""
    place = line.block.places.get(error.node)
    own = None if place is None else line.block.nodes[place].handler
    return own if _kept(line)["own"] else line.plan.handler


def _kept(line: Line) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(line.state or "{}")
    return kept


def _kept_error(line: Line) -> Error:
    kept = _kept(line)
    return Error(*(kept[name] for name in Error._fields))


def too_large(walk: Walk, result: str, started: float) -> Turn:
    """Fail an attempt whose result is larger than what is kept."""
    line = walk.line
    message = (
        f"the result of node {line.here.node.id!r} is {len(result.encode()):,} bytes as text; at most"
        f" {line.info.largest:,} are kept (value_limit)"
    )
    attempt = max(line.attempt, 1)
    failure = Failure("raised", ("ValueTooLarge",), message, attempt, "")
    turn = walk.failed(line.here, failure, attempt, started, line.executor)
    return turn if turn is not None else walk.go()


def overdue(line: Line, now: float, admit: Admit) -> Turn:
    """Close a join whose time is over."""
    return close_join(Walk(line, now, admit), OVERDUE)


def halted(line: Line, now: float, wish: str | None, outcome: Outcome | None, admit: Admit) -> Turn:
    """Obey a stop: record what was going on as stopped, and end the line; a join is closed first.

    :param wish: the run's: ``stop``, ``timeout``, or ``None`` where only this line's join is closing.
    """
    walk = Walk(line, now, admit)
    if line.status == LineStatus.HANDLER:
        if outcome is not None:
            return handled(walk, outcome, line.began or now)
        if line.attempt:
            return _close_handler(walk, line.began or now, None, ("Stopped", "it was stopped"), TaskStatus.STOP)
        return walk.close(LineStatus.FAILURE, _kept_error(line))
    if line.status == LineStatus.JOIN:
        return close_join(walk)
    if line.status != LineStatus.READY or line.attempt:
        error = Error(line.here.node.id, line.path, "Stopped", "it was stopped")
        result = outcome.result if outcome is not None else None
        began = now if line.began is None else line.began
        walk.record(line.here, TaskStatus.STOP, line.attempt, began, line.executor, result, error, None)
        if line.status == LineStatus.SIGNALLED:
            # A later round goes on with it. It may be a reference whose value is away: that stays one.
            came = line.state or "null"
            walk.tasks[-1] = walk.tasks[-1]._replace(result=Verbatim(came) if came[:1] == MARK else came)
    if line.parent is None and wish == "timeout":
        limit = line.plan.flow.timeout or 0
        error = Error(line.here.node.id, line.path, "Timeout", f"the run took longer than its timeout of {limit:g} s")
        return walk.fail(error, lift=True)
    return walk.close(RunStatus.STOP, None)


def undone(line: Line, now: float, *, waits: bool = False) -> Turn:
    """Take back a call that is recorded as begun and never was.

    :param waits: the line stays with its driver, and waits for a slot; else it is anybody's, for the driver ends or the
        line is paused.
    """
    walk = Walk(line, now, _never)
    if line.status == LineStatus.HANDLER:
        step = walk.step(LineStatus.HANDLER, keep=waits, attempt=0, state=line.state, crashes=line.crashes)
    else:
        step = walk.step(LineStatus.READY, keep=waits, attempt=line.attempt - 1, crashes=line.crashes)
    return walk.turn(step, wants=line.executor if waits else None)


def disown(line: Line) -> None:
    """Let a line know that its call was never begun: should it go on before that is written, it was given back."""
    if line.status == LineStatus.HANDLER:
        line.attempt = 0
    else:
        line.state = RELEASED


def close_join(walk: Walk, state: str | None = None) -> Turn:
    """Close the join that the line waits for: it opens no more, and what is open is to stop.

    :param state: why, where the line has to know.
    """
    line = walk.line
    closes = label(line.here.node.id, walk.visit(line.here.node.id), line.attempt)
    step = walk.step(LineStatus.JOIN, keep=False, attempt=line.attempt, began=line.began, state=state, closes=closes)
    return walk.turn(step)


def late(line: Line, outcome: Outcome, now: float) -> AttemptRow:
    """Return what is kept of an answer that came when the line had another owner."""
    node = line.here.node.id
    told = {"type": "Late", "message": "it returned after another attempt was begun", "result": outcome.result}
    began = now if line.began is None else line.began
    error = json.dumps(told, ensure_ascii=False)
    return AttemptRow(node, line.visits.get(node, 0) + 1, line.attempt, began, now, error)


def broken(line: Line, now: float, reason: BaseException) -> Turn:
    """Fail the line: its step is refused; or a plugin, or the engine itself, raised what it never may."""
    walk = Walk(line, now, _never)
    if isinstance(reason, StepRefused):
        kind, message = "StepRefused", str(reason)
    else:
        kind, message = "InternalError", f"{type(reason).__name__}: {reason} (a defect of a plugin or of the engine)"
    error = Error(line.here.node.id, line.path, kind, message)
    began = now if line.began is None else line.began
    walk.record(line.here, TaskStatus.FAILURE, line.attempt, began, line.executor, None, error, None)
    return walk.close(LineStatus.FAILURE, error)


def unread(line: Line, now: float, reason: ValueLost) -> Turn:
    """Fail the line: a large value that it needs is lost.

    What it would go on with stays lost: its variables are not to be taken for what is left of them in a later round.
    """
    walk = Walk(line, now, _never)
    error = Error(line.here.node.id, line.path, "ValueLost", str(reason))
    began = now if line.began is None else line.began
    walk.record(line.here, TaskStatus.FAILURE, line.attempt, began, line.executor, None, error, None)
    turn = walk.close(LineStatus.FAILURE, error)
    if turn.step is None or turn.step.ending is None or line.unread is None:
        return turn
    return turn._replace(step=turn.step._replace(ending=turn.step.ending._replace(variables=lost(str(reason)))))


def _never(call: PlannedCall, crashes: int) -> bool:
    return False
