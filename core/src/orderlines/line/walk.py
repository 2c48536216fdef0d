"""Walking: from a node to the next call, fan-out or end, while a step is being made of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orderlines.errors import ExpressionError, ValueNotStorable
from orderlines.line.assigning import assign, entered_with
from orderlines.line.opening import entering, label, opening_of
from orderlines.line.scope import Scope
from orderlines.line.state import Begin, Error, Turn
from orderlines.nodes.base import Each, Enter, Fail, Finish, Open, Perform, Wait
from orderlines.plan import ENDS
from orderlines.states import Halt, LineStatus, TaskStatus
from orderlines.stores.records import AttemptRow, Ending, Step, TaskRow
from orderlines.strategies.base import Failure, Goto, Retry, Skip
from orderlines.values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines.line.state import Line
    from orderlines.nodes.base import Action
    from orderlines.plan import PlannedCall, PlannedNode
    from orderlines.strategies.base import Decision

    Admit = Callable[[PlannedCall, int], bool]

MAX_VISITS = 1_000
"""Visits to one node that fails and sends its line elsewhere, after which a loop is taken for endless."""
SNAPSHOT_EVERY = 100
"""Tasks of a line between two snapshots of its variables; what is assigned in between is kept with the tasks."""
_NOTHING: Mapping[str, Any] = {}
_GOOD = frozenset({TaskStatus.SUCCESS, TaskStatus.SKIP})


class Walk:
    """A step being made. Nothing of the line is changed.

    :param now: the moment, by the store's clock.
    :param admit: ``admit(call, crashes)`` returns whether the call's executor has a slot, and takes it. ``crashes``:
        processes that have died under the call so far.
    :ivar upcoming: the number of the attempt that comes next at the cursor, where one has just failed; else 0.
    """

    __slots__ = (
        "admit", "assigned", "attempts", "crashes", "cursor", "line", "memory", "now", "result", "tasks", "upcoming",
        "visits",
    )  # fmt: skip

    def __init__(self, line: Line, now: float, admit: Admit) -> None:
        self.line = line
        self.now = now
        self.admit = admit
        self.upcoming = 0
        self.cursor = line.cursor
        self.crashes = line.crashes
        self.tasks: list[TaskRow] = []
        self.attempts: list[AttemptRow] = []
        self.assigned: dict[str, Any] = {}
        self.memory: dict[str, Any] = {}
        self.visits: dict[str, int] = {}
        self.result: str | None = None

    def scope(self, extra: Mapping[str, Any] = _NOTHING) -> Any:
        """Return what expressions see now."""
        return Scope(self.line, self.assigned, self.memory, extra, self.now)

    def visit(self, node: str) -> int:
        """Return the number of the visit to a node that is being made."""
        visits = self.visits
        return (visits[node] if node in visits else self.line.visits.get(node, 0)) + 1

    # What the step comes to

    def step(self, status: str, **more: Any) -> Step:
        """Return the step that leaves the line with a status."""
        line = self.line
        return Step(
            line.id, line.info.id, line.epoch, line.seq, status, self.cursor, line.halt, line.tasks,
            tuple(self.tasks), attempts=tuple(self.attempts), **more,
        )  # fmt: skip

    def turn(self, step: Step | None, begin: Begin | None = None, wants: str | None = None) -> Turn:
        """Return the turn that a step makes."""
        return Turn(step, begin, self.assigned, self.memory, self.visits, wants)

    def snapshot(self) -> str | None:
        """Return the line's own variables as they are kept; ``None`` where only each of them can be, not all together.

        Then the last snapshot, and what the tasks since then have assigned, is what is kept.
        """
        try:
            return encode({**self.line.own, **self.assigned})
        except ValueNotStorable:
            return None

    # Walking

    def go(self) -> Turn:
        """Walk on until something has to be waited for, or the line ends."""
        nodes = self.line.block.nodes
        while self.cursor != ENDS:
            planned, attempt = nodes[self.cursor], self.upcoming
            self.upcoming = 0
            turn = self.again(planned, attempt) if attempt else self.at(planned)
            if turn is not None:
                return turn
        return self.close(LineStatus.SUCCESS, None)

    def at(self, planned: PlannedNode) -> Turn | None:
        """Enter a node; ``None`` when it is done and the cursor has moved."""
        node = planned.node
        if self.line.halt == Halt.PAUSE:
            return self.park(0)
        if planned.visits is not None and self.visit(node.id) > planned.visits:
            return self.give_up(planned, _endless(planned.visits))
        if not node.enabled:
            self.record(planned, TaskStatus.SKIP, 0, self.now, None, "null", None, None)
            self.cursor = planned.next
            return None
        if planned.performs and planned.call is not None:
            return self.begin(planned, planned.call, 1)
        try:
            action = planned.kind.enter(node.settings, self.scope())
        except ExpressionError as error:
            return self.raised(planned, error)
        return self.act(planned, action)

    def leads_back(self, action: Action) -> bool:
        """Return whether what a node does makes the line go on at a node that it has been at, or at this one."""
        return (
            isinstance(action, Finish)
            and action.target is not None
            and 0 <= self.line.block.place(action.target) <= self.cursor
        )

    def park(self, attempt: int) -> Turn:
        """Begin nothing while the run is paused; ``attempt`` counts those that the node has had."""
        return self.turn(self.step(LineStatus.READY, keep=False, crashes=self.crashes, attempt=attempt))

    def move(self, queue: str, attempt: int) -> Turn:
        """Leave the line to the workers of another queue; ``attempt`` counts those that the node has had."""
        step = self.step(
            LineStatus.READY, keep=False, crashes=self.crashes, attempt=attempt, vars=self.snapshot(), moves=True,
            queue=queue, starts=self.now if self.line.info.started is None else None,
            timeout=self.line.plan.flow.timeout,
        )  # fmt: skip
        return self.turn(step)

    def again(self, planned: PlannedNode, attempt: int) -> Turn | None:
        """Begin another attempt of a node."""
        if self.line.halt == Halt.PAUSE:
            return self.park(attempt - 1)
        if planned.call is not None and planned.performs:
            return self.begin(planned, planned.call, attempt)
        try:
            action = planned.kind.enter(planned.node.settings, self.scope())
        except ExpressionError as error:
            return self.raised(planned, error, attempt)
        if planned.visits is not None and self.visit(planned.node.id) > planned.visits and self.leads_back(action):
            return self.give_up(planned, _endless(planned.visits), attempt)
        return self.act(planned, action, attempt)

    def act(self, planned: PlannedNode, action: Action, attempt: int = 1) -> Turn | None:
        """Do what a node type says."""
        if isinstance(action, (Open, Each, Enter)):
            try:
                return self.open(planned, action, attempt)
            except (ExpressionError, TypeError, ValueNotStorable) as error:
                return self.raised(planned, error, attempt)
        if isinstance(action, Wait):
            return self.wait(planned, action, attempt)
        if isinstance(action, Fail):
            failure = Failure("raised", (action.type,), action.message, 1, "")
            return self.failed(planned, failure, attempt, self.now, None)
        if isinstance(action, Perform) and planned.call is not None:
            return self.begin(planned, planned.call, attempt)
        target = action.target if isinstance(action, Finish) else None
        return self.finished(planned, 0, self.now, None, "null", target)

    def begin(self, planned: PlannedNode, call: PlannedCall, attempt: int) -> Turn | None:
        """Begin an attempt if its executor has a slot; otherwise keep what was done and wait for one."""
        line = self.line
        if line.halt == Halt.PAUSE:
            return self.park(attempt - 1)
        if planned.queue != line.queue and planned.queue is not None:
            return self.move(planned.queue, attempt - 1)
        if not self.admit(call, self.crashes):
            if not self.tasks and not self.attempts and line.status == LineStatus.READY:
                return self.turn(None, wants=call.executor)
            return self.turn(
                self.step(LineStatus.READY, crashes=self.crashes, attempt=attempt - 1), wants=call.executor
            )
        try:
            arguments = call.arguments.render(self.scope()) if call.arguments is not None else {}
        except ExpressionError as error:
            return self.raised(planned, error, attempt, call.executor)
        node = planned.node.id
        tasks = line.tasks + len(self.tasks)
        # By place: this is every step of a chain, and names cost a third more.
        step = Step(
            line.id, line.info.id, line.epoch, line.seq, LineStatus.CALL, self.cursor, line.halt, line.tasks,
            tuple(self.tasks), attempt, self.now, call.executor, self.crashes, None, None,
            self.snapshot() if tasks - line.vars_at >= SNAPSHOT_EVERY else None,
            self.now if line.info.started is None else None, line.plan.flow.timeout,
            True,  # noqa: FBT003 -- as above
            tuple(self.attempts),
        )  # fmt: skip
        return self.turn(step, Begin(call, arguments, node, self.visit(node), attempt, self.crashes))

    def open(self, planned: PlannedNode, action: Open | Each | Enter, attempt: int) -> Turn | None:
        """Open child lines, and wait for them; where there are none, go on."""
        line, timeout = self.line, planned.node.timeout
        name = label(planned.node.id, self.visit(planned.node.id), attempt)
        if isinstance(action, Enter):
            sub = line.plan.flows[action.flow].flow
            given = planned.arguments.render(self.scope()) if planned.arguments is not None else {}
            opening = entering(line, name, action, encode(entered_with(sub, given)))
            timeout = min((limit for limit in (timeout, sub.timeout) if limit is not None), default=None)
        else:
            opening = opening_of(line, planned, name, action)
            if not opening.names:
                return self.finished(planned, attempt, self.now, None, "[]")
        step = self.step(
            LineStatus.JOIN, keep=False, began=self.now, attempt=attempt, crashes=self.crashes,
            due=None if timeout is None else self.now + timeout, vars=self.snapshot(), opening=opening,
            starts=self.now if line.info.started is None else None, timeout=line.plan.flow.timeout,
        )  # fmt: skip
        return self.turn(step)._replace(each=action if isinstance(action, Each) else None)

    def wait(self, planned: PlannedNode, action: Wait, attempt: int) -> Turn | None:
        """Wait for a time or a signal, without anybody's thread."""
        line, signal = self.line, action.signal
        started = self.now if line.info.started is None else None
        if signal is not None:
            names = self.addresses(planned, signal)
            timeout = planned.node.timeout
            step = self.step(
                LineStatus.SIGNAL, keep=False, began=self.now, attempt=attempt, vars=self.snapshot(), waits=names,
                due=None if timeout is None else self.now + timeout, state=json.dumps(names, ensure_ascii=False),
                starts=started, timeout=line.plan.flow.timeout,
            )  # fmt: skip
            return self.turn(step)
        until = self.now + (action.delay or 0.0) if action.until is None else action.until
        if until <= self.now:
            return self.finished(planned, attempt, self.now, None, "null")
        step = self.step(
            LineStatus.TIME, keep=False, began=self.now, attempt=attempt, vars=self.snapshot(), due=until,
            starts=started, timeout=line.plan.flow.timeout,
        )  # fmt: skip
        return self.turn(step)

    def addresses(self, planned: PlannedNode, signal: str) -> tuple[str, ...]:
        """Return under what names a signal may be sent: the node, the node with its line, what it waits for."""
        node = planned.node.id
        return tuple(dict.fromkeys((node, f"{self.line.path}/{node}".lstrip("/"), signal)))

    # The end of a node

    def finished(
        self,
        planned: PlannedNode,
        attempt: int,
        started: float,
        executor: str | None,
        result: str,
        target: str | None = None,
    ) -> Turn | None:
        """Take a node's result, assign what it sets, and move the cursor."""
        text = None
        if planned.sets:
            try:
                assigned = assign(planned, self.scope({"result": decode(result)}), self.line.plan.flow.types)
                text = encode(assigned)
            except (ExpressionError, TypeError, ValueNotStorable) as error:
                return self.raised(planned, error, max(attempt, 1), executor, started)
            self.assigned.update(assigned)
        self.record(planned, TaskStatus.SUCCESS, attempt, started, executor, result, None, text)
        self.cursor = planned.next if target is None else self.line.block.place(target)
        return None

    def record(  # noqa: PLR0913, PLR0917 -- the columns of a task
        self, planned: PlannedNode, status: str, attempt: int, started: float, executor: str | None,
        result: str | None, error: Error | None, assigned: str | None,
    ) -> None:  # fmt: skip
        """Write down a finished visit to a node."""
        node = planned.node.id
        visit = self.visit(node)
        self.visits[node] = visit
        text = None if error is None else error.text()
        self.tasks.append(TaskRow(node, visit, status, attempt, executor, started, self.now, result, text, assigned))
        self.crashes = 0
        # The last task's, whatever it came to: which steps a line is made of is a matter of free slots.
        self.result = result if status in _GOOD else None
        if planned.kept:
            value = None if result is None else decode(result)
            message = None if error is None else {"type": error.type, "message": error.message}
            self.memory[node] = {"status": status, "result": value, "error": message}

    # Failing

    def raised(
        self,
        planned: PlannedNode,
        error: Exception,
        attempt: int = 1,
        executor: str | None = None,
        started: float | None = None,
    ) -> Turn | None:
        """Take that something of the node's definition could not be worked out."""
        failure = Failure("raised", (type(error).__name__,), str(error), attempt, "")
        return self.failed(planned, failure, attempt, self.now if started is None else started, executor)

    def failed(
        self, planned: PlannedNode, failure: Failure, attempt: int, started: float, executor: str | None
    ) -> Turn | None:
        """Ask the node's strategies what becomes of a failed attempt, and do it."""
        node = planned.node.id
        key = f"{self.line.info.name}{self.line.path}/{node}/{self.visit(node)}"
        failure = failure._replace(attempt=attempt, key=key)
        error = Error(node, self.line.path, failure.kinds[0] if failure.kinds else failure.how, failure.message)
        try:
            decision = self.decide(planned, failure, error)
            value = encode(decision.value) if isinstance(decision, Skip) else None
        except (ExpressionError, ValueNotStorable) as problem:
            decision = value = None
            error = error._replace(message=f"{error.message}; and then its `on_error` failed: {problem}")
        if isinstance(decision, Goto) and self.visit(node) > MAX_VISITS:
            decision = None
            error = error._replace(message=f"{error.message}; {_led_away()}")
        if isinstance(decision, Retry):
            return self.retry(planned, decision.delay, error, attempt, started)
        if isinstance(decision, Skip):
            self.record(planned, TaskStatus.SKIP, attempt, started, executor, value, error, None)
            self.cursor = planned.next
            return None
        self.record(planned, TaskStatus.FAILURE, attempt, started, executor, None, error, None)
        if isinstance(decision, Goto):
            self.cursor = self.line.block.place(decision.node)
            return None
        return self.fail(error, planned.handler)

    def decide(self, planned: PlannedNode, failure: Failure, error: Error) -> Decision | None:
        """Return what the first of the node's strategies says that has an answer.

        :raises ExpressionError: its settings cannot be worked out.
        """
        for strategy, settings, template in planned.strategies:
            said = settings if template is None else template.render(self.scope({"error": error._asdict()}))
            decision = strategy.decide(failure, said)
            if decision is not None:
                return decision
        return None

    def retry(self, planned: PlannedNode, delay: float, error: Error, attempt: int, started: float) -> Turn | None:
        """Write down a failed attempt, and begin another one, at once or when its time has come."""
        node = planned.node.id
        self.attempts.append(AttemptRow(node, self.visit(node), attempt, started, self.now, error.text()))
        if delay <= 0:
            self.upcoming = attempt + 1
            return None
        step = self.step(
            LineStatus.RETRY, keep=False, attempt=attempt, began=started, due=self.now + delay, vars=self.snapshot(),
            crashes=self.crashes, state=error.text(),
        )  # fmt: skip
        return self.turn(step)

    def give_up(self, planned: PlannedNode, endless: str, attempt: int = 1) -> Turn:
        """Fail the line without asking the node's strategies: it has come there too often."""
        error = Error(planned.node.id, self.line.path, "EndlessLoop", endless)
        self.record(planned, TaskStatus.FAILURE, attempt, self.now, None, None, error, None)
        return self.fail(error, planned.handler)

    # The end of the line

    def fail(self, error: Error, handler: PlannedCall | None = None, *, lift: bool = False) -> Turn:
        """End the line as failed, after its ``on_failure`` call if there is one."""
        line = self.line
        call = handler or (line.plan.handler if line.top else None)
        if call is not None:
            return self.handle(call, error, lift=lift)
        return self.close(LineStatus.FAILURE, error)

    def handle(self, call: PlannedCall, error: Error, *, lift: bool, crashes: int = 0) -> Turn:
        """Begin an ``on_failure`` call.

        :param crashes: processes that have died under it so far.
        """
        known = {
            "run": self.line.info.name, "flow": self.line.plan.flow.name, "node": error.node, "task_id": error.node,
            "status": TaskStatus.FAILURE, "message": error.message, "error": error._asdict(),
        }  # fmt: skip
        try:
            if call.arguments is None:
                wanted = {parameter.name for parameter in call.component.parameters}
                arguments = {name: value for name, value in known.items() if name in wanted}
            else:
                arguments = call.arguments.render(self.scope({"error": error._asdict()}))
        except ExpressionError as problem:
            return self.untold(error, problem)
        paused = self.line.halt == Halt.PAUSE
        state = json.dumps({**error._asdict(), "own": call is not self.line.plan.handler}, ensure_ascii=False)
        kept: dict[str, Any] = {"state": state, "lift": lift, "vars": self.snapshot(), "crashes": crashes}
        if paused or not self.admit(call, crashes):
            step = self.step(LineStatus.HANDLER, keep=not paused, attempt=0, **kept)
            return self.turn(step, wants=None if paused else call.executor)
        attempt = crashes + 1
        step = self.step(LineStatus.HANDLER, attempt=attempt, began=self.now, executor=call.executor, **kept)
        return self.turn(step, Begin(call, arguments, f"{error.node}:on_failure", 1, attempt, crashes))

    def untold(self, error: Error, problem: ExpressionError) -> Turn:
        """Write down that the arguments of an ``on_failure`` call cannot be worked out, and end the line."""
        node = f"{error.node}:on_failure"
        told = Error(node, self.line.path, type(problem).__name__, str(problem)).text()
        self.tasks.append(TaskRow(node, 1, TaskStatus.FAILURE, 1, None, self.now, self.now, None, told))
        return self.close(LineStatus.FAILURE, error)

    def close(self, status: str, error: Error | None) -> Turn:
        """End the line."""
        line = self.line
        own = {**line.own, **self.assigned}
        try:
            if line.parent is None:
                variables: str | None = encode({**line.base, **own})
            else:
                variables = encode(own) if own else None
        except ValueNotStorable as problem:
            # Each of them can be kept, and is, but not all together.
            variables = None
            if status == LineStatus.SUCCESS:
                status = LineStatus.FAILURE
                error = Error("", line.path, "ValueNotStorable", f"the variables cannot be kept: {problem}")
        text = None if error is None else error.text()
        home = None if line.parent is None else (line.parent, line.join or 0, line.place)
        siblings = None if line.parent is None else line.siblings
        ending = Ending(status, text, self.result, variables, siblings, home, line.queue)
        return self.turn(self.step(status, keep=False, ending=ending))


def _led_away() -> str:
    return f"its `on_error` has led the line on {MAX_VISITS:,} times, which is taken for a loop without an end"


def _endless(visits: int) -> str:
    return f"the line has come here {visits} times, as often as `max_visits` lets it"
