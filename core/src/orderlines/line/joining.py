"""What a join comes to when the last of its child lines has ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orderlines.errors import ExpressionError, ValueNotStorable
from orderlines.flow.ordering import merging_order
from orderlines.line.assigning import assign
from orderlines.line.ending import too_large
from orderlines.line.walk import Walk
from orderlines.states import OVERDUE, LineStatus, TaskStatus
from orderlines.stores.limits import exceeds
from orderlines.strategies.base import Failure
from orderlines.values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orderlines.line.state import Line, Turn
    from orderlines.line.walk import Admit
    from orderlines.plan import PlannedNode
    from orderlines.stores.records import ChildRow


def joined(line: Line, children: Sequence[ChildRow], memory: Mapping[str, Any], now: float, admit: Admit) -> Turn:
    """Every child of the join at the cursor has ended.

    :param memory: the outcomes of the children's tasks that expressions may ask for.
    """
    walk = Walk(line, now, admit)
    walk.memory.update(memory)
    planned = line.here
    started = now if line.began is None else line.began
    bad = next((child for child in children if child.status != LineStatus.SUCCESS), None)
    failed = next((child for child in children if child.status == LineStatus.FAILURE), bad)
    attempt = max(line.attempt, 1)
    if line.state == OVERDUE:
        message = f"its lines took longer than {_limit(line):g} s"
        turn = walk.failed(planned, Failure("timeout", ("Timeout",), message, attempt, ""), attempt, started, None)
    elif failed is not None:
        turn = _branch_failed(walk, planned, failed, started, attempt)
    else:
        turn = _content(walk, planned, children, started, attempt)
    return turn if turn is not None else walk.go()


def _limit(line: Line) -> float:
    """Return how long the lines of the join may take, in seconds: a sub-flow has a timeout of its own as well."""
    entered = (line.plan.flows[name].flow.timeout for name in line.here.kind.flows(line.here.node.settings))
    return min((limit for limit in (line.here.node.timeout, *entered) if limit is not None), default=0.0)


def _content(
    walk: Walk, planned: PlannedNode, children: Sequence[ChildRow], started: float, attempt: int
) -> Turn | None:
    """Finish a join whose lines have all succeeded; ``set`` sees their assignments, and what it assigns wins."""
    merged: dict[str, Any] = {}
    entered = planned.kind.flows(planned.node.settings)
    for place in () if entered else merging_order(planned.after, len(children)):
        own = children[place].variables
        if own is not None:
            merged.update(decode(own))
    walk.assigned.update(merged)
    try:
        result = _result(planned, children)
        if exceeds(result, walk.line.info.largest):
            walk.assigned.clear()
            return too_large(walk, result, started)
        if planned.sets:
            merged.update(assign(planned, walk.scope({"result": decode(result)}), walk.line.plan.flow.types))
        text = encode(merged) if merged else None
    except (ExpressionError, TypeError, ValueNotStorable) as error:
        walk.assigned.clear()
        return walk.raised(planned, error, attempt, None, started)
    walk.assigned.update(merged)
    walk.record(planned, TaskStatus.SUCCESS, attempt, started, None, result, None, text)
    walk.cursor = planned.next
    return None


def _result(planned: PlannedNode, children: Sequence[ChildRow]) -> str:
    """Return what the node's lines came to: how its type says it, as JSON text.

    :raises ValueNotStorable: all together it is too large or too deep.
    """
    how = planned.kind.gathers
    if how == "variables":
        return children[0].variables or "{}"
    if how == "last":
        return children[0].result or "null"
    if how == "list":
        return encode([None if child.result is None else decode(child.result) for child in children])
    return "null"


def _branch_failed(walk: Walk, planned: PlannedNode, child: ChildRow, started: float, attempt: int) -> Turn | None:
    inner = json.loads(child.error) if child.error else {"type": "Stopped", "message": "it was stopped", "node": ""}
    where = f" at {inner['node']}" if inner["node"] else ""
    failure = Failure("raised", (inner["type"],), f"line {child.path} failed{where}: {inner['message']}", attempt, "")
    return walk.failed(planned, failure, attempt, started, None)
