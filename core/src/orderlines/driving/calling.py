"""The calls in flight: which executor runs which line's call, and which may begin."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from orderlines.executors.base import Call
from orderlines.executors.inline import InlineExecutor
from orderlines.plan import ENDS
from orderlines.states import LineStatus
from orderlines.values import copy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from orderlines.executors.base import Executor, Outcome
    from orderlines.line import Begin, Line
    from orderlines.plan import PlannedCall
    from orderlines.plugins import Registry


ALONE_AFTER = 2
"""Deaths of its process after which a call shares its process with no other one; after fewer it is a suspect."""


class Calls:
    """Starts executors when they are first needed, gives them calls, and keeps the lines that wait for a slot.

    Slots for calls that have to be alone may be fewer than those for others: then the lines that wait for one of these
    wait apart, so that none is taken up in vain where another slot is free, and nobody waits behind them.

    A *careful* call (a process has died under it, or it may run at most once) on an executor that shares the driver's
    process (``isolation = "thread"``) has that process to itself: it is admitted when no other call is in it, and no
    other one until it has ended. So a call that brings the process down is found out, and one that may run at most once
    is never recorded as begun before it is. While one waits for the others to end, no other one begins; it is tried
    first once they have.

    :param deliver: takes outcomes, from whatever thread.
    :param observe: takes what calls say: the option ``observe`` of executors.
    :param begun: called with each executor that has been started.
    """

    def __init__(
        self,
        registry: Registry,
        deliver: Callable[[Sequence[Outcome]], None],
        observe: Callable[[int, str, Sequence[Any]], None],
        begun: Callable[[Executor], object],
    ) -> None:
        self._registry = registry
        self._deliver = deliver
        self._options = {"observe": observe}
        self._begun = begun
        self._executors: dict[str, Executor] = {}
        self._polled: list[Executor] = []
        self._flights: dict[int, tuple[Line, Begin]] = {}
        self._numbers: dict[int, int] = {}
        self._waiting: dict[tuple[str, bool], deque[Line]] = {}
        self._freed: set[str] = set()
        self._number = 0
        self._local: set[int] = set()
        self._careful = 0
        self._taken: dict[str, int] = {}
        self._taken_alone: dict[str, int] = {}
        self._taken_local = 0
        self._taken_careful = False
        self._awaited = False

    def executor(self, name: str) -> Executor:
        """Return an executor, started."""
        executor = self._executors.get(name)
        if executor is None:
            executor = self._registry.load_executor(name)(self._deliver, self._options)
            executor.start()
            self._executors[name] = executor
            self._begun(executor)
            if executor.polls:
                self._polled.append(executor)
        return executor

    # Slots

    def new_group(self) -> None:
        """Forget the slots that were taken for the last group of steps: its calls are submitted, or will not be."""
        self._taken.clear()
        self._taken_alone.clear()
        self._taken_local = 0
        self._taken_careful = False

    def admit(self, call: PlannedCall, crashes: int) -> bool:
        """Return whether a call may begin now, under which so many processes have died, and take its slot."""
        name = call.executor
        executor = self._executors.get(name) or self.executor(name)
        taken = self._taken.get(name, 0)
        if executor.free() <= taken:
            return False
        if executor.isolation == "thread":
            careful = crashes > 0 or call.at_most_once
            if self._careful or self._taken_careful or (self._awaited and not careful):
                return False
            if careful and (self._local or self._taken_local):
                self._awaited = True
                return False
            self._awaited = False
            self._taken_careful = careful
            self._taken_local += 1
        elif crashes >= ALONE_AFTER:
            if self._none_alone(name):
                return False
            self._taken_alone[name] = self._taken_alone.get(name, 0) + 1
        self._taken[name] = taken + 1
        return True

    def _none_alone(self, name: str) -> bool:
        """Return whether an executor has no slot for a call that is to be alone."""
        return self._executors[name].free_alone() <= self._taken_alone.get(name, 0)

    def waits(self, line: Line) -> bool:
        """Let a line wait that could only begin a call for which there is no slot; return whether it was so."""
        if line.cursor == ENDS or line.status != LineStatus.READY or line.halt:
            return False
        call = line.here.call
        if call is None or not line.here.performs:
            return False
        name = call.executor
        executor = self._executors.get(name)
        if executor is None:
            return False
        if executor.free() > self._taken.get(name, 0) and (line.crashes < ALONE_AFTER or not self._none_alone(name)):
            return False
        self.wait(line, name)
        return True

    def wait(self, line: Line, name: str) -> None:
        """Let a line wait for a slot of an executor: apart where it needs one of those that are fewer."""
        apart = line.crashes >= ALONE_AFTER and _fewer_alone(self._executors[name])
        self._waiting.setdefault((name, apart), deque()).append(line)

    def forget(self, line: Line) -> bool:
        """Take a line out of those that wait for a slot; return whether it was one."""
        for waiting in self._waiting.values():
            if line in waiting:
                waiting.remove(line)
                return True
        return False

    def set_down(self) -> list[Line]:
        """Take out of those that wait for a slot the lines whose calls would share the driver's process."""
        keys = [key for key in self._waiting if self._executors[key[0]].isolation == "thread"]
        return [line for key in keys for line in self._waiting.pop(key)]

    def serves(self) -> bool:
        """Return whether lines that wait for a slot may find one now."""
        return bool(self._freed)

    def served(self) -> Iterator[Line]:
        """Take those waiting lines that may find a slot now: only the end of a call frees one."""
        if not self._local:
            # Whoever is awaited gets its turn now, or has gone.
            self._awaited = False
        names, self._freed = self._freed, set()
        lines = [line for name in names for line in self._served(name)]
        yield from sorted(lines, key=_may_share)

    def _served(self, name: str) -> list[Line]:
        free = self._executors[name].free()
        apart = self._waiting.get((name, True))
        alone = _first(apart, self._executors[name].free_alone()) if apart else []
        return [*alone, *_first(self._waiting.get((name, False), deque()), free - len(alone))]

    # Calls

    def submit(self, line: Line, begin: Begin) -> None:
        """Begin a call whose step is committed."""
        self._number = number = self._number + 1
        call, info = begin.call, line.info
        self._flights[number] = line, begin
        self._numbers[line.id] = number
        executor = self._executors[call.executor]
        if executor.isolation == "thread":
            self._local.add(number)
            if begin.crashes or call.at_most_once:
                self._careful = number
        executor.submit(
            Call(
                number, call.component, copy(begin.arguments), info.name, info.flow, line.path, begin.node, begin.visit,
                begin.attempt, f"{info.name}{line.path}/{begin.node}/{begin.visit}", call.timeout, call.grace,
                begin.crashes >= ALONE_AFTER, info.round, 0 < begin.crashes < ALONE_AFTER,
            )
        )  # fmt: skip

    def take(self, outcome: Outcome) -> Line | None:
        """Return the line of a call that has ended; ``None`` where nobody waits for it any more."""
        number = outcome.call
        flight = self._flights.pop(number, None)
        if flight is None:
            return None
        line = flight[0]
        if self._numbers.get(line.id) == number:
            del self._numbers[line.id]
        if number in self._local:
            self._leave(number)
        self.retry()
        return line

    def _leave(self, number: int) -> None:
        """Take note that a call is not in the driver's process any more."""
        self._local.discard(number)
        if number == self._careful:
            self._careful = 0

    def flight(self, number: int) -> tuple[Line, Begin] | None:
        """Return a call in flight, from whatever thread."""
        return self._flights.get(number)

    def end(self, line: Line) -> bool:
        """Ask the call of a line to end; return whether there is one."""
        number = self._numbers.get(line.id)
        if number is None:
            return False
        self._executors[line.executor or ""].end(number)
        return True

    def in_flight(self) -> bool:
        """Return whether a call is in flight."""
        return bool(self._flights)

    def called(self) -> list[int]:
        """Return the lines with a call in flight, which are few where many wait for a slot."""
        return list(self._numbers)

    def beside(self) -> bool:
        """Return whether calls are in flight for which nobody has to :meth:`poll`."""
        polled = {executor.name for executor in self._polled}
        return any(begin.call.executor not in polled for _, begin in list(self._flights.values()))

    def away(self) -> int:
        """Return how many calls in flight run outside the driver's process."""
        return len(self._flights) - len(self._local)

    def grace(self) -> float:
        """Return the longest grace of the calls in flight, in seconds."""
        return max((begin.call.grace for _, begin in self._flights.values()), default=0.0)

    def ask(self, line: int) -> bool:
        """Ask the call of a line to end, from whatever thread.

        :returns: whether it can know that it was asked (it takes a context), or does not run in the driver's thread.
        """
        number = self._numbers.get(line)
        flight = None if number is None else self._flights.get(number)
        if number is None or flight is None:
            return True
        call = flight[1].call
        executor = self._executors[call.executor]
        executor.end(number)
        return call.component.takes_context or not executor.runs_here(number)

    def held_up(self, line: int) -> int | None:
        """Return the run of a line whose call waits until the driver's thread comes back from that of another line.

        From whatever thread; ``None`` where it is no such line.
        """
        own = self._numbers.get(line)
        flight = None if own is None else self._flights.get(own)
        others = [number for number in list(self._local) if number != own]
        elsewhere = any(executor.runs_here(number) for executor in self._polled for number in others)
        return flight[0].info.id if flight is not None and elsewhere else None

    def waited(self) -> float:
        """Return for how many seconds that call has waited for the driver's thread that waits longest.

        From whatever thread.
        """
        return max((each.waited() for each in self._polled if isinstance(each, InlineExecutor)), default=0.0)

    def recall(self, line: Line) -> bool:
        """Take back the call of a line that waits for the driver's thread.

        From whatever thread; nobody will hear of the call again.

        :returns: whether it waited.
        """
        number = self._numbers.get(line.id)
        executor = self._executors.get(line.executor or "")
        if number is None or not isinstance(executor, InlineExecutor) or not executor.take_back(number):
            return False
        self._flights.pop(number, None)
        self._leave(number)
        self._numbers.pop(line.id, None)
        return True

    def retry(self) -> None:
        """Let waiting lines try again, whether a call has ended or not: an executor may have grown."""
        if self._waiting:
            self._freed.update(name for (name, _), waiting in self._waiting.items() if waiting)

    def busy(self) -> bool:
        """Return whether calls wait for :meth:`poll`."""
        for executor in self._polled:  # noqa: SIM110 -- asked twice for each call: `any` takes three times as long
            if executor.busy():
                return True
        return False

    def poll(self, seconds: float) -> None:
        """Run calls that need the driver's own thread, for about so long."""
        for executor in self._polled:
            if executor.busy():
                executor.poll(time.monotonic() + seconds)

    def take_back(self) -> None:
        """Take back the calls that were never begun: those that wait for :meth:`poll`."""
        for executor in self._polled:
            executor.close(0.0)

    def close(self, grace: float) -> None:
        """End every call and every executor within ``grace`` seconds."""
        for executor in self._executors.values():
            executor.close(grace)


def _fewer_alone(executor: Executor) -> bool:
    """Return whether fewer calls may begin that are to be alone than others."""
    free = executor.free()  # Asked first: a call that ends in between adds to the other number.
    return executor.free_alone() < free


def _first(waiting: deque[Line], room: int) -> list[Line]:
    """Take the first of those that wait, as many as there is room for."""
    return [waiting.popleft() for _ in range(min(len(waiting), room))]


def _may_share(line: Line) -> bool:
    """Return whether the call that a line waits for may share its process with any: those that may not come first."""
    call = line.here.call
    return not (line.crashes or (call is not None and call.at_most_once))
