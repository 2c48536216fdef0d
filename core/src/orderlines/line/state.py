"""A line in its driver's memory, and what one turn of it comes to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.states import Halt
from orderlines.values import MAX_SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.errors import ValueLost
    from orderlines.nodes.base import Each
    from orderlines.plan import Plan, PlannedBlock, PlannedCall, PlannedNode
    from orderlines.stores.records import LineRow, Opening, Step


_NOTHING: Mapping[str, Any] = {}


class RunInfo:
    """What all lines of a run share.

    :ivar started: the moment of its first call, by the store's clock.
    :ivar largest: bytes of a result as text, at most.
    :ivar round: which round of the run it is, from 1.
    """

    __slots__ = ("flow", "id", "largest", "name", "round", "started")

    def __init__(
        self, id_: int, name: str, started: float | None, flow: str, largest: int = MAX_SIZE, round_: int = 1
    ) -> None:
        self.round = round_
        self.largest = largest
        self.id = id_
        self.name = name
        self.started = started
        self.flow = flow


class Line:
    """A line; the fields that it has in common with :class:`orderlines.stores.records.LineRow` mean the same.

    :ivar base: the variables around the line as they were when it was opened; *never* changed.
    :ivar given: what it was opened with besides: an item, or what the lines before it in a graph have assigned.
    :ivar own: what the line itself has assigned.
    :ivar before: the outcomes that expressions may ask for, of nodes that ended before the line was opened.
    :ivar memory: those of nodes that ended on the line, or in lines that it has joined.
    :ivar visits: how often each node has been visited to its end.
    :ivar first: when its first attempt began, where observers are told of it and that was here.
    :ivar siblings: the join that opened the line, for opening its next child.
    :ivar unread: why something that was kept for the line cannot be read back, where that is so.
    """

    __slots__ = (
        "attempt", "base", "before", "began", "block", "crashes", "cursor", "due", "epoch", "executor", "first", "flow",
        "given", "halt", "id", "index", "info", "join", "memory", "own", "parent", "path", "place", "plan", "queue",
        "seq", "siblings", "state", "status", "tasks", "unread", "vars_at", "visits",
    )  # fmt: skip

    def __init__(self, row: LineRow, info: RunInfo, plan: Plan, base: Mapping[str, Any], own: dict[str, Any]) -> None:
        self.id = row.id
        self.path = row.path
        self.parent = row.parent
        self.join = row.join
        self.place = row.place
        self.index = row.block
        self.flow = row.flow
        self.info = info
        self.plan = plan
        self.block: PlannedBlock = plan.blocks[row.block]
        self.given: Mapping[str, Any] = _NOTHING
        self.base = base
        self.own = own
        self.before: Mapping[str, Any] = {}
        self.memory: dict[str, Any] = {}
        self.visits: dict[str, int] = {}
        self.siblings: Opening | None = None
        self.unread: ValueLost | None = None
        self.take(row)

    def take(self, row: LineRow) -> None:
        """Take how the store says that the line stands now."""
        self.status = row.status
        self.cursor = row.cursor
        self.seq = row.seq
        self.epoch = row.epoch
        self.halt = row.halt
        self.due = row.due
        self.attempt = row.attempt
        self.began = row.began
        self.executor = row.executor
        self.crashes = row.crashes
        self.state = row.state
        self.tasks = row.tasks
        self.vars_at = row.vars_at
        self.queue = row.queue
        self.first: float | None = None

    @property
    def here(self) -> PlannedNode:
        """The node at the cursor."""
        return self.block.nodes[self.cursor]

    def variables(self) -> dict[str, Any]:
        """Return all variables as the line sees them."""
        return {**self.base, **self.given, **self.own}

    @property
    def top(self) -> bool:
        """Whether it is the first line of its flow: the run's root line, or the one line of a sub-flow."""
        return self.index == 0


class Begin(NamedTuple):
    """A call to submit once its step is committed.

    :ivar crashes: processes that have died under it so far.
    """

    call: PlannedCall
    arguments: Mapping[str, Any]
    node: str
    visit: int
    attempt: int
    crashes: int


class Turn(NamedTuple):
    """A step, what to begin once it is committed, and what it changes in memory. No step: a call waits for a slot."""

    step: Step | None
    begin: Begin | None
    assigned: Mapping[str, Any]
    memory: Mapping[str, Any]
    visits: Mapping[str, int]
    wants: str | None = None
    each: Each | None = None


class Error(NamedTuple):
    """What failed, as it is kept: ``type`` is the exception's class."""

    node: str
    line: str
    type: str
    message: str

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps(self._asdict(), ensure_ascii=False)


def settle(line: Line, turn: Turn) -> None:
    """Let a line remember a committed turn."""
    step = turn.step
    if step is None:
        return
    if turn.assigned:
        line.own.update(turn.assigned)
    if turn.memory:
        line.memory.update(turn.memory)
    line.visits.update(turn.visits)
    line.seq += 1
    line.tasks += len(step.tasks)
    line.status = step.status
    line.cursor = step.cursor
    line.attempt = step.attempt
    line.began = step.began
    line.executor = step.executor
    line.crashes = step.crashes
    line.state = step.state
    line.due = step.due
    if step.starts is not None and line.info.started is None:
        line.info.started = step.starts
    if step.vars is not None:
        line.vars_at = line.tasks
    if step.lift:
        line.halt = Halt.NONE
