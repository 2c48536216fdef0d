"""The one impure loop: takes lines that can go on, asks executors, and commits steps in groups."""

from __future__ import annotations

import json
import time
from collections import deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from orderlines import line as machine
from orderlines.errors import StoreUnavailable
from orderlines.executors.base import Call
from orderlines.flow.load import from_canonical
from orderlines.leases import Leases
from orderlines.nodes.base import Open
from orderlines.plan import compile_plan
from orderlines.processes.identity import ProcessIdentity
from orderlines.states import FINAL, Halt, LineStatus
from orderlines.values import copy, decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.executors.base import Executor, Outcome
    from orderlines.line import Begin, Line, Turn
    from orderlines.plan import Plan
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import Committed, LineRow, Opening, RunRow

POLL = 0.05
"""Seconds between two looks at what others wrote."""
GROUP = 0.01
"""Seconds for which finished calls may wait for each other's commit."""
CLAIMS = 256
PLANS = 64
"""Compiled flows that a driver keeps."""


class _Run:
    """A run that this driver serves."""

    __slots__ = ("frozen", "plan", "row")

    def __init__(self, row: RunRow, plan: Plan) -> None:
        self.row = row
        self.plan = plan
        self.frozen: dict[int, dict[str, Any]] = {}


class Driver:
    """Drives runs of one store. Not thread-safe but for :meth:`add`; :meth:`drive` is its one thread."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self.store = store
        self.registry = registry
        self.id = store.enroll(ProcessIdentity.current())
        self._leases = Leases(store)
        self._inbox: SimpleQueue[Sequence[Outcome] | int | None] = SimpleQueue()
        self._runs: dict[int, _Run] = {}
        self._plans: dict[tuple[str, str | None], Plan] = {}
        self._executors: dict[str, Executor] = {}
        self._lines: dict[int, Line] = {}
        self._calls: dict[int, Line] = {}
        self._flying: dict[int, int] = {}
        self._outcomes: deque[Outcome] = deque()
        self._ready: deque[Line] = deque()
        self._short: dict[str, deque[Line]] = {}
        self._taken: dict[str, int] = {}
        self._number = 0
        self._looked = 0.0
        self._closing = False
        self.failure: BaseException | None = None
        """What ended :meth:`drive`, where it was not :meth:`close`; everything written until then is kept."""

    # From other threads

    def add(self, run: int) -> None:
        """Serve a run from now on."""
        self._inbox.put(run)

    def close(self) -> None:
        """Ask :meth:`drive` to end: what is in flight is ended and released, not failed."""
        self._inbox.put(None)

    # The loop

    def drive(self) -> None:
        """Serve runs until :meth:`close`."""
        try:
            while not self._closing:
                self._take_messages()
                if time.monotonic() - self._looked >= POLL:
                    self._look()
                self._advance()
                self._poll_executors()
        except BaseException as error:  # noqa: BLE001 -- told to whoever waits, who would else wait for ever
            self.failure = error
        finally:
            self._let_go()

    def _take_messages(self) -> None:
        busy = self._ready or self._outcomes or any(e.polls and e.busy() for e in self._executors.values())
        wait = 0.0 if busy else max(0.0, POLL - (time.monotonic() - self._looked))
        try:
            while wait or not self._inbox.empty():
                message = self._inbox.get(block=wait > 0, timeout=wait or None)
                wait = 0.0
                if message is None:
                    self._closing = True
                elif isinstance(message, int):
                    self._begin_run(message)
                else:
                    self._outcomes.extend(message)
        except Empty:
            return

    def _look(self) -> None:
        """See what others wrote and what has come due."""
        self._looked = time.monotonic()
        if not self._runs:
            return
        self.store.expire(self._runs)
        self._leases.bury(self.id)
        for number, halt in self.store.halted(self.id):
            self._halt(number, halt)
        for row in self.store.claim(self.id, self._runs, CLAIMS):
            self._take(row)
        for number in [number for number, run in self._runs.items() if self._final(run)]:
            del self._runs[number]

    def _final(self, run: _Run) -> bool:
        row = self.store.run(run.row.id)
        return row is None or row.status in FINAL

    def _poll_executors(self) -> None:
        for executor in self._executors.values():
            if executor.polls:
                executor.poll(time.monotonic() + GROUP)

    # Runs and lines

    def _begin_run(self, number: int) -> None:
        row = self.store.run(number)
        if row is None or row.status in FINAL or number in self._runs:
            return
        plan = self._plan(row)
        for name in plan.executors:
            self._executor(name)
        self._runs[number] = _Run(row, plan)
        self._looked = 0.0

    def _plan(self, row: RunRow) -> Plan:
        """Return the plan of a run's flow, compiled once for all its runs."""
        plan = self._plans.get((row.digest, row.executor))
        if plan is None:
            if len(self._plans) >= PLANS:
                self._plans.clear()
            flow = from_canonical(json.loads(self.store.flow(row.digest)), self.registry)
            plan = self._plans[row.digest, row.executor] = compile_plan(flow, self.registry, row.executor)
        return plan

    def _executor(self, name: str) -> Executor:
        executor = self._executors.get(name)
        if executor is None:
            executor = self.registry.load_executor(name)(self._inbox.put, {})
            executor.start()
            self._executors[name] = executor
        return executor

    def _take(self, row: LineRow) -> None:
        """Take a line claimed from the store."""
        run = self._runs[row.run]
        base = {} if row.parent is None else self._frozen(run, row.parent)
        line = machine.Line(row, run.plan, run.row.name, base, self._own(row))
        line.visits = self.store.visits(row.id)
        line.started = run.row.started is not None
        if row.parent is not None:
            line.siblings = self._siblings(run, row)
        self._adopt(run, line)

    def _adopt(self, run: _Run, line: Line) -> None:
        if run.plan.kept:
            line.memory = self._memory(run)
        self._lines[line.row.id] = line
        self._ready.append(line)

    def _own(self, row: LineRow) -> dict[str, Any]:
        own: dict[str, Any] = {} if row.vars is None else decode(row.vars)
        for text in self.store.assigned(row.id, row.vars_at):
            own.update(decode(text))
        return own

    def _frozen(self, run: _Run, number: int) -> dict[str, Any]:
        """Return the variables that the children of a line see: as they were when it opened its join."""
        frozen = run.frozen.get(number)
        if frozen is None:
            row = self.store.line(number)
            base = {} if row.parent is None else self._frozen(run, row.parent)
            frozen = run.frozen[number] = {**base, **self._own(row)}
        return frozen

    def _siblings(self, run: _Run, row: LineRow) -> Opening | None:
        parent = self.store.line(row.parent or 0)
        planned = run.plan.blocks[parent.block].nodes[parent.cursor]
        action = planned.kind.enter(planned.node.settings, {})
        visit = int(row.path.rpartition("/")[0].rpartition("#")[2])
        return machine.siblings(parent.path, planned, visit, action) if isinstance(action, Open) else None

    def _memory(self, run: _Run) -> dict[str, Any]:
        memory = {}
        for kept in self.store.outcomes(run.row.id, run.plan.kept):
            task = kept.task
            value = None if task.result is None else decode(task.result)
            error = None if task.error is None else json.loads(task.error)
            memory[task.node] = {"status": task.status, "result": value, "error": error}
        return memory

    # Steps

    def _advance(self) -> None:
        """Make a step of everything that can go on, and commit them as one group."""
        self._taken.clear()
        turns: list[tuple[Line, Turn, Outcome | None]] = []
        while self._outcomes:
            outcome = self._outcomes.popleft()
            line = self._calls.pop(outcome.call, None)
            if line is not None:
                self._flying.pop(line.row.id, None)
                turns.append((line, self._after(line, outcome), outcome))
        for name, waiting in self._short.items():
            for _ in range(min(len(waiting), self._executors[name].free() - self._taken.get(name, 0))):
                self._ready.append(waiting.popleft())
        while self._ready:
            line = self._ready.popleft()
            turns.append((line, self._turn(line), None))
        self._commit(turns)

    def _now(self) -> float:
        return self.store.now()

    def _admit(self, name: str) -> bool:
        taken = self._taken.get(name, 0)
        if self._executor(name).free() <= taken:
            return False
        self._taken[name] = taken + 1
        return True

    def _after(self, line: Line, outcome: Outcome) -> Turn:
        if line.row.halt == Halt.STOP:
            return machine.halted(line, self._now(), self._wish(line), outcome, self._admit)
        return machine.complete(line, outcome, self._now(), self._admit)

    def _turn(self, line: Line) -> Turn:
        row, now = line.row, self._now()
        if row.halt == Halt.STOP:
            return machine.halted(line, now, self._wish(line), None, self._admit)
        if row.status in {LineStatus.CALL, LineStatus.HANDLER}:
            return machine.crashed(line, now, self._admit)
        if row.status == LineStatus.JOINED:
            node = line.here.node.id
            children = self.store.children(row.id, node, line.visits.get(node, 0) + 1)
            self._runs[row.run].frozen.pop(row.id, None)
            return machine.joined(line, children, now, self._admit)
        if row.status == LineStatus.JOIN:
            return machine.overdue(line, now)
        return machine.enter(line, now, self._admit)

    def _wish(self, line: Line) -> str | None:
        row = self.store.run(line.row.run)
        return None if row is None else row.wish

    def _commit(self, turns: list[tuple[Line, Turn, Outcome | None]]) -> None:
        steps = [turn.step for _, turn, _ in turns if turn.step is not None]
        results = iter(self._write(steps))
        for line, turn, outcome in turns:
            self._settle(line, turn, outcome, next(results) if turn.step is not None else None)

    def _write(self, steps: Sequence[Any]) -> list[Committed]:
        while steps:
            try:
                return self.store.commit(self.id, steps)
            except StoreUnavailable:
                time.sleep(0.5)
        return []

    def _settle(self, line: Line, turn: Turn, outcome: Outcome | None, done: Committed | None) -> None:
        if done is not None and done.refused is not None:
            self._refused(line, outcome, done)
            return
        machine.settle(line, turn)
        if turn.wants is not None:
            self._short.setdefault(turn.wants, deque()).append(line)
        elif turn.begin is not None:
            self._submit(line, turn.begin)
        if done is None or turn.step is None:
            return
        if not turn.step.keep:
            self._lines.pop(line.row.id, None)
        run = self._runs.get(line.row.run)
        if run is not None:
            self._follow(run, line, turn, done)

    def _follow(self, run: _Run, line: Line, turn: Turn, done: Committed) -> None:
        """Go on with the lines that a step opened or woke."""
        step = turn.step
        if done.opened and step is not None:
            opening = step.opening or line.siblings
            parent = done.opened[0].parent or 0
            if step.opening is not None:
                run.frozen[parent] = {**line.base, **line.own}
            for row in done.opened:
                child = machine.Line(row, run.plan, run.row.name, self._frozen(run, parent), {})
                child.siblings = opening
                child.started = line.started
                self._adopt(run, child)
        if done.woken is not None:
            self._take(done.woken)
        if step is not None and (step.ending is not None and line.row.parent is None):
            self._runs.pop(line.row.run, None)
        if step is not None and step.closes is not None:
            self._looked = 0.0
        if step is not None and step.ending is not None and step.status == LineStatus.FAILURE:
            self._looked = 0.0

    def _refused(self, line: Line, outcome: Outcome | None, done: Committed) -> None:
        if done.refused == "fenced":
            self._lines.pop(line.row.id, None)
            return
        line.row = line.row._replace(halt=done.halt)
        turn = machine.halted(line, self._now(), self._wish(line), outcome, self._admit)
        self._commit([(line, turn, outcome)])

    def _submit(self, line: Line, begin: Begin) -> None:
        self._number += 1
        self._calls[self._number] = line
        self._flying[line.row.id] = self._number
        key = f"{line.run_name}{line.row.path}/{begin.node}/{begin.visit}"
        call = begin.call
        self._executor(call.executor).submit(
            Call(
                self._number,
                call.component,
                copy(begin.arguments),
                line.run_name,
                line.plan.flow.name,
                line.row.path,
                begin.node,
                begin.visit,
                begin.attempt,
                key,
                call.timeout,
                call.grace,
                begin.alone,
            )
        )

    # Stopping

    def _halt(self, number: int, halt: int) -> None:
        """Obey a wish on a line of ours: end its call, or end it where it waits for a slot."""
        line = self._lines.get(number)
        if line is None or line.row.halt == halt:
            return
        line.row = line.row._replace(halt=halt)
        call = self._flying.get(number)
        if call is not None:
            self._executors[line.row.executor or ""].end(call)
            return
        for waiting in self._short.values():
            if line in waiting:
                waiting.remove(line)
                self._ready.append(line)

    def _let_go(self) -> None:
        """End what is in flight and give every line back."""
        for executor in self._executors.values():
            executor.close(1.0)
        self.store.dismiss([self.id])
