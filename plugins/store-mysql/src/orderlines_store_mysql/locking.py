"""What a group of steps has to know of runs, joins and lines, read under their locks.

Locks are taken in one order by everybody: runs, joins by their numbers, lines by theirs. A run's is shared by all who
step on its lines, and belongs to one alone who ends it, starts it, waits for its signals, or writes a wish on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.states import LineStatus
from orderlines_store_mysql.advancing import writes_run
from orderlines_store_mysql.literals import numbers, put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.stores.records import Step
    from orderlines_store_mysql.transaction import Transaction

_RUNS: Final = "SELECT id, wish FROM ol_runs FORCE INDEX (PRIMARY) WHERE id IN"
_JOINS: Final = (
    "SELECT id, line, label, state, total, remaining, unopened, queued, stop_on_failure"
    " FROM ol_joins FORCE INDEX (PRIMARY) WHERE id IN"
)
_LINES: Final = (
    "SELECT id, epoch, seq, halt, finished IS NOT NULL, status, join_id, queue FROM ol_lines"
    " FORCE INDEX (PRIMARY) WHERE id IN"
)


class Line:
    """What stands in the row of a line, as the group goes on."""

    __slots__ = ("ended", "epoch", "halt", "id", "join", "queue", "seq", "status")

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.id, self.epoch, self.seq, self.halt, self.ended, self.status, self.join, self.queue = row


class Join:
    """What stands in the row of a join, as the group goes on.

    :ivar changed: whether it is to be written.
    """

    __slots__ = ("changed", "id", "label", "line", "queued", "remaining", "state", "strict", "total", "unopened")

    def __init__(self, row: tuple[Any, ...]) -> None:
        (
            self.id, self.line, self.label, self.state, self.total, self.remaining, self.unopened, self.queued,
            self.strict,
        ) = row  # fmt: skip
        self.changed = False

    def written(self) -> str:
        """Return what writes it."""
        self.changed = False
        return put(
            "UPDATE ol_joins SET state = %s, remaining = %s, unopened = %s, queued = %s WHERE id = %s",
            self.state, self.remaining, self.unopened, self.queued, self.id,
        )  # fmt: skip


class Locked:
    """The rows that a group of steps has to do with.

    :ivar wishes: what stands on the runs.
    """

    def __init__(self, transaction: Transaction, steps: Sequence[Step]) -> None:
        homes = [step.ending.home for step in steps if step.ending is not None and step.ending.home is not None]
        joins = {home[1] for home in homes} | _closed(transaction, steps)
        lines = {step.line for step in steps} | {home[0] for home in homes}
        mine = any(writes_run(step) or step.waits for step in steps)
        share = "FOR UPDATE" if mine else "LOCK IN SHARE MODE"
        runs, found, rows = transaction.ask(
            f"{_RUNS} {numbers({step.run for step in steps})} ORDER BY id {share}",
            f"{_JOINS} {numbers(joins)} ORDER BY id FOR UPDATE",
            f"{_LINES} {numbers(lines)} ORDER BY id FOR UPDATE",
        )
        self.wishes: dict[int, str | None] = dict(runs.rows)
        self.joins: dict[int, Join] = {row[0]: Join(row) for row in found.rows}
        self.lines: dict[int, Line] = {row[0]: Line(row) for row in rows.rows}

    def join_of(self, line: int, label: str) -> Join:
        """Return the join that a line has opened under a label."""
        return next(join for join in self.joins.values() if (join.line, join.label) == (line, label))

    def halt_children(self, join: int, halt: int) -> None:
        """Note that a wish stands on the open children of a join."""
        for line in self.lines.values():
            if line.join == join and not line.ended:
                line.halt = halt

    def wake(self, line: int) -> bool:
        """Note that a line has seen its last child finish; return whether it waited for that."""
        found = self.lines.get(line)
        if found is None or found.status != LineStatus.JOIN:
            return False
        found.status, found.epoch = LineStatus.JOINED, found.epoch + 1
        return True


def _closed(transaction: Transaction, steps: Sequence[Step]) -> set[int]:
    """Return the numbers of the joins that steps close; a join keeps its number, so nothing is locked yet."""
    asked = [
        put("SELECT id FROM ol_joins WHERE line = %s AND label = %s", step.line, step.closes)
        for step in steps
        if step.closes is not None
    ]
    return {answer.rows[0][0] for answer in transaction.ask(*asked) if answer.rows} if asked else set()
