"""The line machine: a line and what happened to it give the next step. Pure: no clock, no store, no randomness.

:func:`enter` walks from the cursor to the next call, fan-out or end; :func:`complete`, :func:`joined`, :func:`crashed`
and :func:`halted` say what happened there. Each returns a :class:`Turn`; the line itself changes only when the driver
has committed the turn's step and calls :func:`settle`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.errors import ExpressionError
from orderlines.nodes.base import Fail, Finish, Open, Perform
from orderlines.plan import ENDS
from orderlines.states import Halt, LineStatus, RunStatus, TaskStatus
from orderlines.stores.records import AttemptRow, Ending, Opening, Step, TaskRow
from orderlines.strategies.base import Failure, Goto, Retry, Skip
from orderlines.values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orderlines.executors.base import Outcome
    from orderlines.plan import Plan, PlannedBlock, PlannedCall, PlannedNode
    from orderlines.stores.records import ChildRow, LineRow
    from orderlines.strategies.base import Decision

MAX_VISITS = 1_000
"""Visits to one node by one line, after which a loop is taken for endless."""
MAX_CRASHES = 3
SNAPSHOT_EVERY = 100
_PYTHON = {"int": int, "str": str, "float": (int, float), "bool": bool, "dict": dict, "list": list}


class Line:
    """A line in its driver's memory. ``base`` are the variables as they were when the line was opened."""

    __slots__ = (
        "base", "block", "memory", "own", "plan", "row", "run_name", "siblings", "started", "visits",
    )  # fmt: skip

    def __init__(self, row: LineRow, plan: Plan, run_name: str, base: Mapping[str, Any], own: dict[str, Any]) -> None:
        self.row = row
        self.plan = plan
        self.run_name = run_name
        self.block: PlannedBlock = plan.blocks[row.block]
        self.base = base
        self.own = own
        self.memory: dict[str, Any] = {}
        self.visits: dict[str, int] = {}
        self.started = False
        self.siblings: Opening | None = None

    @property
    def here(self) -> PlannedNode:
        """The node at the cursor."""
        return self.block.nodes[self.row.cursor]


class Begin(NamedTuple):
    """A call to submit once its step is committed."""

    call: PlannedCall
    arguments: Mapping[str, Any]
    node: str
    visit: int
    attempt: int
    alone: bool


class Turn(NamedTuple):
    """A step, what to begin once it is committed, and what it changes in memory. No step: a call waits for a slot."""

    step: Step | None
    begin: Begin | None
    assigned: Mapping[str, Any]
    memory: Mapping[str, Any]
    visits: Mapping[str, int]
    wants: str | None = None


class Error(NamedTuple):
    """What failed, as it is kept: ``type`` is the exception's class."""

    node: str
    line: str
    type: str
    message: str

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps(self._asdict(), ensure_ascii=False)


class _Scope:
    """The names that an expression sees."""

    __slots__ = ("extra", "walk")

    def __init__(self, walk: _Walk, extra: Mapping[str, Any]) -> None:
        self.walk = walk
        self.extra = extra

    def __getitem__(self, name: str) -> Any:
        walk = self.walk
        for names in (self.extra, walk.assigned, walk.line.own, walk.line.base):
            if name in names:
                return names[name]
        if name == "nodes":
            return {**walk.line.memory, **walk.memory}
        if name == "run":
            return {"id": walk.line.run_name, "flow": walk.line.plan.flow.name}
        raise KeyError(name)


class _Walk:
    """A step being made."""

    def __init__(self, line: Line, now: float, admit: Callable[[str], bool]) -> None:
        self.line = line
        self.now = now
        self.admit = admit
        self.cursor = line.row.cursor
        self.tasks: list[TaskRow] = []
        self.attempts: list[AttemptRow] = []
        self.assigned: dict[str, Any] = {}
        self.memory: dict[str, Any] = {}
        self.visits: dict[str, int] = {}
        self.crashes = line.row.crashes
        self.result: str | None = None

    def scope(self, extra: Mapping[str, Any]) -> Any:
        return _Scope(self, extra)

    # Steps

    def step(self, status: str, **more: Any) -> Step:
        row = self.line.row
        return Step(
            row.id, row.run, row.epoch, row.seq, status, max(self.cursor, 0), row.halt,
            tasks=tuple(self.tasks), attempts=tuple(self.attempts), **more,
        )  # fmt: skip

    def key(self, node: str) -> str:
        return f"{self.line.run_name}{self.line.row.path}/{node}/{self.visit(node)}"

    def turn(self, step: Step | None, begin: Begin | None = None, wants: str | None = None) -> Turn:
        return Turn(step, begin, self.assigned, self.memory, self.visits, wants)

    def snapshot(self) -> str:
        return encode({**self.line.own, **self.assigned})

    def regular_snapshot(self) -> str | None:
        row = self.line.row
        due = row.tasks + len(self.tasks) - row.vars_at >= SNAPSHOT_EVERY
        return self.snapshot() if due else None

    # Walking

    def visit(self, node: str) -> int:
        return self.visits.get(node, self.line.visits.get(node, 0)) + 1

    def go(self) -> Turn:
        while self.cursor != ENDS:
            turn = self.at(self.line.block.nodes[self.cursor])
            if turn is not None:
                return turn
        return self.end(LineStatus.SUCCESS, None)

    def at(self, planned: PlannedNode) -> Turn | None:  # noqa: PLR0911 -- one for each action
        node = planned.node
        if not node.enabled:
            self.record(planned, TaskStatus.SKIP, 0, self.now, None, "null", None, None)
            self.cursor = planned.next
            return None
        if self.visit(node.id) > MAX_VISITS:
            return self.give_up(planned, self.failure("raised", ("EndlessLoop",), f"visited {MAX_VISITS} times"))
        try:
            action = planned.kind.enter(node.settings, self.scope({}))
        except ExpressionError as error:
            return self.failed(planned, self.failure("raised", ("ExpressionError",), str(error)), 1, self.now, None)
        if isinstance(action, Fail):
            return self.failed(planned, self.failure("raised", ("SwitchError",), action.message), 1, self.now, None)
        if isinstance(action, Open):
            return self.open(planned, action)
        if isinstance(action, Perform) and planned.call is not None:
            return self.begin(planned, planned.call, 1)
        target = action.target if isinstance(action, Finish) else None
        return self.finished(planned, 0, self.now, None, "null", target)

    def begin(self, planned: PlannedNode, call: PlannedCall, attempt: int) -> Turn | None:
        if not self.admit(call.executor):
            if not self.tasks and not self.attempts and self.line.row.status == LineStatus.READY:
                return self.turn(None, wants=call.executor)
            return self.turn(
                self.step(LineStatus.READY, crashes=self.crashes, attempt=attempt - 1), wants=call.executor
            )
        node = planned.node
        try:
            arguments = call.arguments.render(self.scope({})) if call.arguments is not None else {}
        except ExpressionError as error:
            failure = self.failure("raised", ("ExpressionError",), str(error))
            return self.failed(planned, failure, attempt, self.now, call.executor)
        step = self.step(
            LineStatus.CALL, attempt=attempt, began=self.now, executor=call.executor, crashes=self.crashes,
            starts=not self.line.started, timeout=self.line.plan.flow.timeout, vars=self.regular_snapshot(),
        )  # fmt: skip
        return self.turn(step, Begin(call, arguments, node.id, self.visit(node.id), attempt, self.crashes > 0))

    def open(self, planned: PlannedNode, action: Open) -> Turn:
        node = planned.node
        visit = self.visit(node.id)
        opening = siblings(self.line.row.path, planned, visit, action)
        due = None if node.timeout is None else self.now + node.timeout
        step = self.step(
            LineStatus.JOIN, keep=False, began=self.now, attempt=1, due=due, vars=self.snapshot(), opening=opening
        )
        return self.turn(step)

    def finished(
        self,
        planned: PlannedNode,
        attempt: int,
        started: float,
        executor: str | None,
        result: str,
        target: str | None = None,
    ) -> Turn | None:
        assigned: dict[str, Any] = {}
        if planned.sets:
            try:
                assigned = self.assign(planned, decode(result))
            except (ExpressionError, TypeError) as error:
                failure = self.failure("raised", (type(error).__name__,), str(error))
                return self.failed(planned, failure, max(attempt, 1), started, executor)
        self.succeed(planned, attempt, started, executor, result, assigned)
        self.cursor = planned.next if target is None else self.line.block.place(target)
        return None

    def assign(self, planned: PlannedNode, result: Any) -> dict[str, Any]:
        scope = self.scope({"result": result})
        assigned = {}
        for name, template, kind in planned.sets:
            value = template.render(scope)
            wanted = kind or self.line.plan.flow.types.get(name)
            if wanted is not None and not _is_a(value, wanted):
                raise TypeError(f"variable {name!r} is declared {wanted}, but the value is {type(value).__name__}")
            assigned[name] = value
        return assigned

    def succeed(
        self,
        planned: PlannedNode,
        attempt: int,
        started: float,
        executor: str | None,
        result: str,
        assigned: dict[str, Any],
    ) -> None:
        self.assigned.update(assigned)
        text = encode(assigned) if assigned else None
        self.record(planned, TaskStatus.SUCCESS, attempt, started, executor, result, None, text)
        self.result = result
        self.crashes = 0

    def record(  # noqa: PLR0913, PLR0917 -- the columns of a task
        self, planned: PlannedNode, status: str, attempt: int, started: float, executor: str | None,
        result: str | None, error: Error | None, assigned: str | None,
    ) -> None:  # fmt: skip
        node = planned.node.id
        visit = self.visit(node)
        self.visits[node] = visit
        text = None if error is None else error.text()
        self.tasks.append(TaskRow(node, visit, status, attempt, executor, started, self.now, result, text, assigned))
        if node in self.line.plan.kept:
            value = None if result is None else decode(result)
            message = None if error is None else {"type": error.type, "message": error.message}
            self.memory[node] = {"status": status, "result": value, "error": message}

    # Failing

    def failure(self, how: str, kinds: tuple[str, ...], message: str) -> Failure:
        return Failure(how, kinds, message, 1, "")

    def failed(
        self, planned: PlannedNode, failure: Failure, attempt: int, started: float, executor: str | None
    ) -> Turn | None:
        node = planned.node.id
        failure = failure._replace(attempt=attempt, key=self.key(node))
        error = Error(node, self.line.row.path, failure.kinds[0] if failure.kinds else failure.how, failure.message)
        decision = _decide(planned, failure)
        if isinstance(decision, Retry) and planned.call is not None:
            self.attempts.append(AttemptRow(node, self.visit(node), attempt, started, self.now, error.text()))
            if decision.delay <= 0:
                return self.begin(planned, planned.call, attempt + 1)
            due = self.now + decision.delay
            snapshot = self.snapshot()
            step = self.step(
                LineStatus.RETRY, keep=False, attempt=attempt, began=started, due=due, vars=snapshot,
                crashes=self.crashes,
                state=error.text(),
            )  # fmt: skip
            return self.turn(step)
        if isinstance(decision, Skip):
            self.record(planned, TaskStatus.SKIP, attempt, started, executor, encode(decision.value), error, None)
            self.cursor = planned.next
            return None
        self.record(planned, TaskStatus.FAILURE, attempt, started, executor, None, error, None)
        if isinstance(decision, Goto):
            self.cursor = self.line.block.place(decision.node)
            return None
        return self.end(LineStatus.FAILURE, error, planned.handler)

    def give_up(self, planned: PlannedNode, failure: Failure) -> Turn:
        error = Error(planned.node.id, self.line.row.path, failure.kinds[0], failure.message)
        self.record(planned, TaskStatus.FAILURE, 1, self.now, None, None, error, None)
        return self.end(LineStatus.FAILURE, error, planned.handler)

    # Ending

    def end(self, status: str, error: Error | None, handler: PlannedCall | None = None, *, lift: bool = False) -> Turn:
        line = self.line
        if status == LineStatus.FAILURE and error is not None:
            call = handler or (line.plan.handler if line.row.parent is None else None)
            if call is not None and self.admit(call.executor):
                return self.handle(call, error, lift=lift)
        return self.close(status, error)

    def handle(self, call: PlannedCall, error: Error, *, lift: bool) -> Turn:
        known = {
            "run": self.line.run_name, "flow": self.line.plan.flow.name, "node": error.node, "task_id": error.node,
            "status": TaskStatus.FAILURE, "message": error.message, "error": error._asdict(),
        }  # fmt: skip
        try:
            if call.arguments is None:
                wanted = {parameter.name for parameter in call.component.parameters}
                arguments = {name: value for name, value in known.items() if name in wanted}
            else:
                arguments = call.arguments.render(self.scope({"error": error._asdict()}))
        except ExpressionError:
            return self.close(LineStatus.FAILURE, error)
        step = self.step(
            LineStatus.HANDLER, attempt=1, began=self.now, executor=call.executor, state=error.text(), lift=lift,
            vars=self.snapshot(),
        )  # fmt: skip
        return self.turn(step, Begin(call, arguments, f"{error.node}:on_failure", 1, 1, alone=False))

    def close(self, status: str, error: Error | None) -> Turn:
        line = self.line
        text = None if error is None else error.text()
        if line.row.parent is None:
            variables = encode({**line.base, **line.own, **self.assigned})
            ending = Ending(status, text, self.result, variables, None)
        else:
            ending = Ending(status, text, self.result, encode({**line.own, **self.assigned}), line.siblings)
        return self.turn(self.step(status, keep=False, ending=ending))


def siblings(path: str, planned: PlannedNode, visit: int, action: Open) -> Opening:
    """Return the join that a node opens."""
    names = tuple(name for name, _ in planned.children)
    blocks = tuple(block for _, block in planned.children)
    prefix = f"{path}/{planned.node.id}#{visit}/"
    limit = action.limit or max(len(names), 1)
    return Opening(planned.node.id, visit, prefix, names, blocks, limit, action.stop_on_failure)


def enter(line: Line, now: float, admit: Callable[[str], bool]) -> Turn:
    """Walk on from the cursor; a retry whose time has come begins its next attempt."""
    walk = _Walk(line, now, admit)
    if line.row.attempt and line.here.call is not None:
        turn = walk.begin(line.here, line.here.call, line.row.attempt + 1)
        return turn if turn is not None else walk.go()
    return walk.go()


def complete(line: Line, outcome: Outcome, now: float, admit: Callable[[str], bool]) -> Turn:
    """Take how the call at the cursor ended, and walk on."""
    walk = _Walk(line, now, admit)
    row = line.row
    started = row.began or now
    if row.status == LineStatus.HANDLER:
        return _handled(walk, outcome, started)
    if outcome.how == "returned" and outcome.result is not None:
        turn = walk.finished(line.here, row.attempt, started, row.executor, outcome.result)
    elif outcome.how == "lost":
        return crashed(line, now, admit)
    else:
        kinds = outcome.kinds or {"timeout": ("Timeout",), "died": ("ProcessDied",)}.get(outcome.how, (outcome.how,))
        failure = Failure(outcome.how, kinds, outcome.message, row.attempt, "")
        turn = walk.failed(line.here, failure, row.attempt, started, row.executor)
    return turn if turn is not None else walk.go()


def _handled(walk: _Walk, outcome: Outcome, started: float) -> Turn:
    """Take how the ``on_failure`` call ended, well or not: the line fails as it was to."""
    row = walk.line.row
    error = Error(**json.loads(row.state or "{}"))
    good = outcome.how == "returned"
    kind = outcome.kinds[0] if outcome.kinds else outcome.how
    text = None if good else Error(f"{error.node}:on_failure", row.path, kind, outcome.message).text()
    status = TaskStatus.SUCCESS if good else TaskStatus.FAILURE
    walk.tasks.append(
        TaskRow(f"{error.node}:on_failure", 1, status, 1, row.executor, started, walk.now, outcome.result, text)
    )
    return walk.close(LineStatus.FAILURE, error)


def crashed(line: Line, now: float, admit: Callable[[str], bool]) -> Turn:
    """Take that the process of the call in flight died, with its driver or through a neighbour."""
    walk = _Walk(line, now, admit)
    row = line.row
    if row.status == LineStatus.HANDLER:
        error = Error(**json.loads(row.state or "{}"))
        handler = line.here.handler or line.plan.handler
        return walk.handle(handler, error, lift=False) if handler is not None else walk.close(LineStatus.FAILURE, error)
    planned = line.here
    walk.crashes = row.crashes + 1
    if planned.node.on_crash == "fail" or walk.crashes >= MAX_CRASHES:
        failure = Failure("died", ("ProcessDied",), f"its process died ({walk.crashes} times)", row.attempt, "")
        turn = walk.failed(planned, failure, row.attempt, row.began or now, row.executor)
    else:
        error = Error(planned.node.id, row.path, "ProcessDied", "its process died")
        visit = walk.visit(planned.node.id)
        walk.attempts.append(AttemptRow(planned.node.id, visit, row.attempt, row.began or now, now, error.text()))
        turn = walk.begin(planned, planned.call, row.attempt + 1) if planned.call is not None else None
    return turn if turn is not None else walk.go()


def joined(line: Line, children: Sequence[ChildRow], now: float, admit: Callable[[str], bool]) -> Turn:
    """Every child of the join at the cursor has ended."""
    walk = _Walk(line, now, admit)
    planned, row = line.here, line.row
    started = row.began or now
    bad = next((child for child in children if child.status != LineStatus.SUCCESS), None)
    failed = next((child for child in children if child.status == LineStatus.FAILURE), bad)
    if row.state == "timeout":
        failure = Failure("timeout", ("Timeout",), f"its lines took longer than {planned.node.timeout:g} s", 1, "")
        turn = walk.failed(planned, failure, 1, started, None)
    elif failed is not None:
        turn = _branch_failed(walk, planned, failed, started)
    else:
        merged: dict[str, Any] = {}
        for child in children:
            if child.variables is not None:
                merged.update(decode(child.variables))
        turn = _content(walk, planned, merged, (children[0].result if len(children) == 1 else None) or "null")
    return turn if turn is not None else walk.go()


def _content(walk: _Walk, planned: PlannedNode, merged: dict[str, Any], result: str) -> Turn | None:
    """Finish a join whose lines have all succeeded; ``set`` sees their assignments, and what it assigns wins."""
    started = walk.line.row.began or walk.now
    walk.assigned.update(merged)
    try:
        assigned = {**merged, **walk.assign(planned, decode(result))}
    except (ExpressionError, TypeError) as error:
        walk.assigned.clear()
        failure = walk.failure("raised", (type(error).__name__,), str(error))
        return walk.failed(planned, failure, 1, started, None)
    walk.succeed(planned, 1, started, None, result, assigned)
    walk.cursor = planned.next
    return None


def _branch_failed(walk: _Walk, planned: PlannedNode, child: ChildRow, started: float) -> Turn | None:
    inner = json.loads(child.error) if child.error else {"type": "Stopped", "message": "it was stopped", "node": ""}
    where = f" at {inner['node']}" if inner["node"] else ""
    failure = Failure("raised", (inner["type"],), f"line {child.path} failed{where}: {inner['message']}", 1, "")
    return walk.failed(planned, failure, 1, started, None)


def overdue(line: Line, now: float) -> Turn:
    """Close a join whose time is over."""
    walk = _Walk(line, now, lambda _: False)
    planned = line.here
    closes = (planned.node.id, walk.visit(planned.node.id))
    step = walk.step(LineStatus.JOIN, keep=False, attempt=1, began=line.row.began, state="timeout", closes=closes)
    return walk.turn(step)


def halted(line: Line, now: float, wish: str | None, outcome: Outcome | None, admit: Callable[[str], bool]) -> Turn:
    """Obey a stop: record what was going on as stopped, and end the line; a join is closed first.

    :param wish: the run's: ``stop``, ``timeout``, or ``None`` where only this line's join is closing.
    """
    walk = _Walk(line, now, admit)
    row = line.row
    if row.status == LineStatus.HANDLER and outcome is not None:
        return _handled(walk, outcome, row.began or now)
    if row.status == LineStatus.JOIN:
        closes = (line.here.node.id, walk.visit(line.here.node.id))
        return walk.turn(walk.step(LineStatus.JOIN, keep=False, attempt=1, began=row.began, closes=closes))
    if row.status != LineStatus.READY or row.attempt:
        error = Error(line.here.node.id, row.path, "Stopped", "it was stopped")
        result = outcome.result if outcome is not None else None
        walk.record(line.here, TaskStatus.STOP, row.attempt, row.began or now, row.executor, result, error, None)
    if row.parent is None and wish == "timeout":
        limit = line.plan.flow.timeout or 0
        error = Error(line.here.node.id, row.path, "Timeout", f"the run took longer than its timeout of {limit:g} s")
        return walk.end(RunStatus.FAILURE, error, lift=True)
    return walk.close(LineStatus.STOP, None)


def settle(line: Line, turn: Turn) -> None:
    """Let a line that goes on remember a committed turn."""
    step = turn.step
    if step is None:
        return
    row = line.row
    line.own.update(turn.assigned)
    line.memory.update(turn.memory)
    line.visits.update(turn.visits)
    line.started = line.started or step.starts
    tasks = row.tasks + len(step.tasks)
    line.row = row._replace(
        status=step.status, cursor=step.cursor, seq=row.seq + 1, attempt=step.attempt, began=step.began,
        executor=step.executor, crashes=step.crashes, state=step.state, due=step.due, tasks=tasks,
        vars_at=row.vars_at if step.vars is None else tasks, halt=Halt.NONE if step.lift else row.halt,
    )  # fmt: skip


def _decide(planned: PlannedNode, failure: Failure) -> Decision | None:
    for strategy, settings in planned.strategies:
        decision = strategy.decide(failure, settings)
        if decision is not None:
            return decision
    return None


def _is_a(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind != "bool":
        return False
    return isinstance(value, _PYTHON[kind])  # type: ignore[arg-type]
