"""The one impure loop: takes lines that can go on, asks executors, and commits steps in groups."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from orderlines import line as machine
from orderlines.driving.calling import Calls
from orderlines.driving.halting import Halting
from orderlines.driving.lines import Lines
from orderlines.driving.mailbox import Mailbox
from orderlines.driving.parting import Parting
from orderlines.driving.patience import Patience
from orderlines.driving.plans import Plans
from orderlines.driving.relief import Relief
from orderlines.driving.saying import Sayings
from orderlines.driving.serving import Served
from orderlines.driving.stranded import Stranded
from orderlines.driving.telling import Telling
from orderlines.driving.territory import GivenRuns
from orderlines.driving.turning import Turning
from orderlines.driving.unserved import Unserved
from orderlines.driving.writing import Writing
from orderlines.errors import StepRefused, StoreUnavailable, UnknownRun
from orderlines.leases import Leases
from orderlines.logger import logger
from orderlines.processes.identity import ProcessIdentity
from orderlines.settings import default_lease
from orderlines.states import FINAL, Halt, LineStatus
from orderlines.stores.records import Committed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orderlines.bells import Bell
    from orderlines.driving.territory import Territory
    from orderlines.executors.base import Executor, Outcome
    from orderlines.line import Line, Turn
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow, RunRow, Step


POLL = 0.05
"""Seconds between two looks at whether others have written."""
GROUP = 0.01
"""Seconds for which finished calls may wait for each other's commit."""
PARTING = 2.0
"""Seconds for which a driver that is to end, and whose calls have, still tries to reach the store."""


class _Accepted(NamedTuple):
    """A run that has just been accepted, and its first line, which is the driver's."""

    run: RunRow
    line: LineRow


class Driver:
    """Drives runs of one store.

    :meth:`drive` belongs to one thread; while a call keeps that, another one goes on in its place (:mod:`.relief`).
    :meth:`add`, :meth:`ask` and :meth:`close` may be called from any.

    :param tell: called, in the driver's thread, with the number of a run that has ended or cannot be served here.
    :param bell: told of lines that are left to workers; ``None``: they find them by looking.
    :param territory: which lines it takes: those of the runs that it is given, unless something else is said.
    :param begun: called with each executor that has been started; ``id`` does nothing.
    :ivar lease: seconds without a renewal after which others take it for dead.
    :ivar failures: why a run cannot be served here, by its number: a plugin is missing, what was kept cannot be read.
    :ivar failure: what ended :meth:`drive`, where it was not :meth:`close`.
    """

    def __init__(
        self, store: Store, registry: Registry, tell: Callable[[int], None], bell: Bell | None = None,
        territory: Territory | None = None, begun: Callable[[Executor], object] = id,
    ) -> None:  # fmt: skip
        self.store = store
        self.registry = registry
        self.lease = default_lease()
        self.id = store.enroll(ProcessIdentity.current(), self.lease)
        self.failure: BaseException | None = None
        self._tell = tell
        self._bell = bell
        self._territory = GivenRuns() if territory is None else territory
        self._mailbox: Mailbox[Sequence[Outcome] | int | _Accepted | None] = Mailbox(self._take_message)
        self._closing = threading.Event()
        self._lost = threading.Event()
        self._patiently = Patience(self._closing, self._shake)
        self._leases = Leases(store)
        self._calls = Calls(registry, self._mailbox.put, lambda *said: self._sayings.observe(*said), begun)  # noqa: PLW0108 -- each needs the other
        self._sayings = Sayings(store, self._calls.flight)
        self._runs: dict[int, Served] = {}
        self._plans = Plans(store, registry)
        observers = registry.observers()
        self._telling = Telling(observers, self._now, self._row) if observers else None
        self._outcomes: deque[Outcome] = deque()
        self._version = -1
        self._stirred = True
        self._due: float | None = None
        self._next_poll = 0.0
        self._shaken = False
        self._turning = Turning(store, self._runs, self._patiently, self._calls.admit)
        self._unserved = Unserved(store, registry, self.id, self._patiently, self._leases, self._territory.queues, tell)
        self.failures = self._unserved.failures
        self._lines = Lines(store, self.id, self._patiently, self._runs, self._find, self._unserved.note)
        self._ready = self._lines.ready
        self._joins = self._lines.joins
        self._halting = Halting(self._lines, self._calls, self._undo)
        self._stranded = Stranded(store, self.id, self._patiently)
        self._writing = Writing(store, self.id, self._patiently)
        self._relief = Relief(self._stand_in, partial(self._mailbox.put, None))

    # From other threads

    def add(self, run: int) -> None:
        """Serve a run from now on."""
        self._mailbox.put(run)

    def join(self, run: int) -> None:
        """Serve a run from now on that another driver may have begun, and may serve as well."""
        self._territory.joined.add(run)
        self._mailbox.put(run)

    def add_accepted(self, run: RunRow, line: LineRow | None) -> None:
        """Serve a run that was accepted for this driver, whose first line it may have."""
        self._mailbox.put(run.id if line is None else _Accepted(run, line))

    def doubt(self) -> None:
        """Look for lines that are this driver's and that it does not know: whoever asked the store got no answer."""
        self._shake()

    def close(self) -> None:
        """Ask :meth:`drive` to end: calls get their grace, and what still runs then is given back, not failed."""
        self._closing.set()
        self._mailbox.put(None)

    def abandon(self) -> None:
        """As :meth:`close`, without any grace: the lease is lost, and another driver may begin the calls again."""
        self._lost.set()
        self.close()

    def ask(self, line: int) -> bool:
        """Ask the call of a line to end; return whether it can know, or is over."""
        return self._calls.ask(line)

    def held_up(self, line: int) -> bool:
        """Return whether a line may wait for the call of another one, which the driver's thread is in.

        Not where its whole run is to end: then that call has to give way.
        """
        run = self._calls.held_up(line)
        row = None
        with suppress(StoreUnavailable):
            row = None if run is None else self.store.run(run)
        return row is not None and row.wish in {None, "pause"}

    # The loop

    def drive(self) -> None:
        """Serve runs until :meth:`close`."""
        try:
            while not self._closing.is_set():
                try:
                    self._round()
                except StoreUnavailable as error:
                    self._patiently.bear(error)
        except BaseException as error:  # noqa: BLE001 -- logged, and told to whoever asks
            logger().exception("the driver cannot go on; its runs are kept")
            self.failure = error
        finally:
            self._let_go()

    def _round(self) -> None:
        calls = self._calls
        if self._idle() and not calls.busy():
            self._mailbox.take_one(self._next_poll - time.monotonic())
        self._go_on()
        if calls.busy():
            self._call()

    def _call(self) -> None:
        """Make calls that need the driver's own thread."""
        with self._relief:
            self._calls.poll(GROUP)

    def _stand_in(self, enough: Callable[[], bool]) -> None:
        """Go on while a call keeps the driver's own thread: in another thread, which makes no calls itself.

        The calls that wait behind it have not begun, and are no longer recorded so: should the process die, they have
        spent no attempt.
        """
        with suppress(StoreUnavailable):  # They wait all the same.
            self._halting.hold_back(self._calls.called(), waits=True)
        self._stirred = True  # What a store says of the writing of others, it says for each thread.
        self._territory.away = True
        while not (enough() or self._closing.is_set()):
            try:
                if self._idle():
                    self._mailbox.take_one(self._next_poll - time.monotonic())
                self._go_on()
            except StoreUnavailable as error:
                self._patiently.bear(error)
        self._territory.away = False
        self._stirred = True

    def _go_on(self) -> None:
        self._mailbox.take_all()
        now = time.monotonic()
        if now >= self._next_poll:
            self._look(now)
        self._advance()

    def _idle(self) -> bool:
        return self._mailbox.empty() and not (self._ready or self._joins or self._outcomes)

    def _take_message(self, message: Sequence[Outcome] | int | _Accepted | None) -> None:
        if isinstance(message, int):
            self._add(message)
        elif isinstance(message, _Accepted):
            self._serve(message.run)
            self._take(message.line)
        elif message is not None:
            self._outcomes.extend(message)

    # What others wrote, and what has come due

    def _look(self, now: float) -> None:
        self._next_poll = now + POLL
        if self._shaken:
            self._reconcile()
        self._unserved.look(now)
        for row in self._stranded.look(now):
            self._take(row)
        territory = self._territory
        if territory.settled(self._runs):
            return
        self._calls.retry()
        version = self.store.version()
        died = self._leases.watch(self.id)
        due = self._due is not None and self.store.now() >= self._due
        if not (self._stirred or died or due or version != self._version):
            return
        self._stirred = False
        territory.expire(self.store, self._runs)
        self._halting.obey(dict(self.store.halted(self.id)))
        claimed = territory.claim(self.store, self.id, self._runs, self.failures)
        self._renew({row.run for row in claimed})
        for row in claimed:
            self._take(row)
        self._stirred = len(claimed) == territory.batch or territory.withheld
        self._due = territory.next_due(self.store, self._runs)
        self._version = version
        for number in self.store.ended(self._runs):
            self._end_run(number)

    def _reconcile(self) -> None:
        """Take the lines that the store says are ours and that we do not know: the answer was lost."""
        self._shaken = False  # First: what is lost from now on, whoever asked, may not be among those it says.
        for number in self.store.owned(self.id):
            if number not in self._lines.known:
                with suppress(UnknownRun):  # Another driver has ended it meanwhile, and somebody voided it.
                    self._take(self._patiently(partial(self.store.line, number)))
        self._stirred = True

    def _shake(self) -> None:
        self._shaken = True

    def _now(self) -> float:
        return self._patiently(self.store.now)

    def _row(self, line: int) -> LineRow:
        return self._patiently(lambda: self.store.line(line))

    # Runs and lines

    def _add(self, number: int) -> None:
        self._stirred = True
        row = self._patiently(lambda: self.store.run(number))
        if number in self._runs and (row is None or row.round == self._runs[number].info.round):
            return
        if row is None or row.status in FINAL:
            self._tell(number)
        elif self._serve(row):
            # Its first line is taken at once; whatever else there is about it, the next look finds.
            for line in self._patiently(lambda: self._territory.claim(self.store, self.id, [number], self.failures)):
                self._take(line)

    def _renew(self, numbers: set[int]) -> None:
        """Serve runs anew that others have ended since, and begun again: what was so in an earlier round is no more."""
        for number in numbers & self._runs.keys():
            row = self._patiently(partial(self.store.run, number))
            if row is not None and row.round != self._runs[number].info.round:
                del self._runs[number]
                self._serve(row)

    def _serve(self, row: RunRow) -> bool:
        """Make ready to drive the lines of a run; return whether that can be done here."""
        number = row.id
        try:
            plan = self._patiently(lambda: self._plans.of(row.digest, row.executor))
            for name in plan.executors:
                self._calls.executor(name)
        except Exception as error:  # noqa: BLE001 -- a plugin may raise whatever it likes; other runs go on
            self.failures[number] = error
            self._unserved.end(row)
            self._tell(number)
            return False
        self.failures.pop(number, None)
        if row.wish == "stop":
            self._stranded.note(number)
        self._runs[number] = Served(self.store, row, plan, lambda digest: self._plans.of(digest, row.executor))
        return True

    def _end_run(self, number: int) -> None:
        self._runs.pop(number, None)
        self._tell(number)

    def _take(self, row: LineRow) -> None:
        """Take a line that the store gave us."""
        self._lines.take(row)

    def _find(self, number: int) -> None:
        """Serve the run of a line, where the territory lets that be one that is not served yet."""
        row = self._patiently(lambda: self.store.run(number)) if self._territory.admits() else None
        if row is not None:
            self._serve(row)

    # Steps

    def _advance(self) -> None:
        """Make a step of everything that can go on, and commit them as one group.

        Joins are closed first: what comes to an end below one whose time is over comes late, and nothing more begins.
        """
        calls, ready, joins, outcomes = self._calls, self._ready, self._joins, self._outcomes
        if not (joins or outcomes or ready or calls.serves()):
            return
        turns: list[tuple[Line, Turn, Outcome | None]] = []
        calls.new_group()
        now = self._now()
        while joins:
            join = joins.popleft()
            turns.append((join, self._turning.turn(join, None, now), None))
        while outcomes:
            outcome = outcomes.popleft()
            said = self._sayings.end(outcome) if outcome.details or self._sayings.stirred else ()
            line = calls.take(outcome)
            if line is not None:
                turn = self._turning.turn(line, outcome, now)
                turns.append((line, self._sayings.put(turn, said) if said else turn, outcome))
        if calls.serves():
            ready.extendleft(reversed(list(calls.served())))
        while ready:
            line = ready.popleft()
            if not calls.waits(line):
                turns.append((line, self._turning.turn(line, None, now), None))
        if turns:
            self._commit(turns)

    def _commit(self, turns: list[tuple[Line, Turn, Outcome | None]]) -> None:
        steps = [turn.step for _, turn, _ in turns if turn.step is not None]
        written = self._writing.write(steps) if steps else ()
        results = iter(written)
        for line, turn, outcome in turns:
            if turn.step is None:
                self._calls.wait(line, turn.wants or "")
            else:
                self._settle(line, turn, outcome, next(results))
        left = [row for done in written for row in done.left]
        if left:
            self._look_soon()
            if not self._territory.admits():
                for run in {row.run for row in left}:
                    self._stranded.note(run)
            if self._bell is not None:
                self._bell.ring(left)

    def _settle(self, line: Line, turn: Turn, outcome: Outcome | None, done: Committed) -> None:
        step = turn.step
        if done.refused == "fenced" and self._shaken and self._writing.was_written(line, step):
            done = Committed()
        if done.refused is not None:
            if step is not None and step.logs:
                self._sayings.keep(step.logs)
            self._refused(line, outcome, done)
            return
        self._settled(line, turn)
        if turn.begin is not None:
            self._calls.submit(line, turn.begin)
        elif turn.wants is not None:
            self._calls.wait(line, turn.wants)
        elif step is not None:
            self._lines.drop(line)
            self._follow(line, turn, done)

    def _settled(self, line: Line, turn: Turn) -> None:
        """Let a line remember what is written, and observers know of it."""
        machine.settle(line, turn)
        step = turn.step
        if step is not None and (step.due is not None or step.starts is not None):
            self._note_due(step)
        if self._telling is not None:
            self._telling.settled(line, turn)

    def _follow(self, line: Line, turn: Turn, done: Committed) -> None:
        """Go on with the lines that a step opened or woke."""
        step, run = turn.step, self._runs.get(line.info.id)
        if step is None or run is None:
            self._shaken = True  # What was opened or woken is ours, and has to be given back.
            return
        if step.ending is not None:
            run.ended(line)
        if step.opening is not None or done.opened:
            opens = (
                partial(run.followed, line)
                if step.opening is None
                else partial(run.opened, line, step.opening, turn.each)
            )
            self._lines.adopt(run.id, [row.id for row in done.opened], partial(opens, done.opened))
        if done.woken is not None:
            self._take(done.woken)
        if step.closes is not None and line.halt == Halt.STOP:
            self._stranded.note(line.info.id)
        if step.ending is not None and line.parent is None:
            self._end_run(line.info.id)
        elif (
            step.closes is not None
            or step.lift
            or done.freed
            or (step.ending is not None and step.status == LineStatus.FAILURE)
        ):
            self._look_soon()

    def _note_due(self, step: Step) -> None:
        """Look when a step's time comes, or that of the run which it has started: one's own writing is no news."""
        deadline = None if step.starts is None or step.timeout is None else step.starts + step.timeout
        for due in (step.due, deadline):
            if due is not None and (self._due is None or due < self._due):
                self._due = due

    def _look_soon(self) -> None:
        """Look at once for what can go on."""
        self._stirred = True
        self._next_poll = 0.0

    def _refused(self, line: Line, outcome: Outcome | None, done: Committed) -> None:
        if done.refused == "halted":
            line.halt = done.halt
            self._commit([(line, self._turning.turn(line, outcome, self._now()), outcome)])
            return
        if done.refused != "fenced":
            self._break(line, StepRefused(f"the step cannot be written: {done.refused}"))
            return
        self._lines.drop(line)
        self._stirred = self._shaken = True
        if outcome is not None and outcome.how == "returned":
            self._writing.keep_late(line, machine.late(line, outcome, self._now()))

    def _break(self, line: Line, reason: StepRefused) -> None:
        """Fail a line whose step cannot be written; where not even that can be, its run is not served here."""
        turn = machine.broken(line, self._now(), reason)
        done = Committed() if turn.step is None else self._writing.write([turn.step])[0]
        if done.refused in {None, "fenced", "halted"}:
            self._settle(line, turn, None, done)
            return
        self._lines.drop(line)
        self._lines.give_up(line.info.id, [line.id], reason)

    def _undo(self, lines: Sequence[Line], waits: bool) -> None:  # noqa: FBT001 -- see Halting
        """Write that calls which are recorded as begun never were; the lines wait for a slot, or are anybody's."""
        now = self._now()
        turns: list[tuple[Line, Turn, Outcome | None]] = []
        for line in lines:
            turns.append((line, machine.undone(line, now, waits=waits), None))
            machine.disown(line)  # A wish may have been made just now: then that is written in its place.
        self._commit(turns)

    # The end

    def _let_go(self) -> None:
        """Give calls their grace, keep what they return, and give back the rest."""
        self._relief.close()
        with suppress(StoreUnavailable):  # The lease runs out, and others take what it covers.
            self._finish_calls()
            self._sayings.close()
            self._give_back()
        if self._telling is not None:  # Still on the books: who keeps its lease would take it for lost, and kill it.
            self._telling.over()
        with suppress(StoreUnavailable):
            self._give_back()  # If that could not be done: who is struck off with a call in flight counts as crashed.
            self._patiently(lambda: self.store.dismiss([self.id]))

    def _give_back(self) -> None:
        self._patiently(lambda: self.store.release(self.id, self.store.owned(self.id)))

    def _finish_calls(self) -> None:
        parting = Parting(self._calls, self._turning, self._writing, self._sayings, self._now, self._settled)
        parting.begin()
        patient = self.failure is None and not self._lost.is_set()
        limit = time.monotonic() + (self._calls.grace() if patient else 0.0)
        self._patiently.until = limit + PARTING
        try:
            while self._calls.in_flight() and (left := limit - time.monotonic()) > 0:
                self._mailbox.take_one(left)
                parting.keep(self._outcomes)
        finally:
            self._calls.close(1.0)
        self._mailbox.take_all()
        parting.keep(self._outcomes)
