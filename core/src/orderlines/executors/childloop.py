"""The thread that tends child processes: sends calls, keeps their time, ends them, tells how they ended."""

from __future__ import annotations

import math
import os
import selectors
import signal
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING

from orderlines.components.invoke import kinds_of
from orderlines.errors import ValueNotStorable
from orderlines.executors.calls import closed, pack_call, read_done
from orderlines.executors.childoutput import ChildOutput
from orderlines.executors.deadlines import Deadlines
from orderlines.executors.slots import Flight, Slot
from orderlines.processes.supervisor import Disconnected, Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orderlines.executors.base import Call, Outcome
    from orderlines.executors.slots import SlotKind
    from orderlines.processes.frames import Frame
    from orderlines.processes.supervisor import Supervisor

LOADING = 60.0
"""Seconds that importing a component may take, beyond its timeout."""
CUT_OFF = 0.2
"""Seconds that a child whose socket is closed has to end by itself."""
PATIENCE = 2.0
"""Seconds after which a killed child is given up: its keeper is stopped, or the kernel does not let go of it."""
QUARANTINES = 16
"""Children at once that take suspects, where calls share a child."""
STARTS = 3
"""First children that may be killed, one after the other, before one is ready."""
_CLOSED = "the executor was closed before it began"
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class ChildLoop:
    """Owns the slots. Everything but :meth:`post` and :meth:`run` belongs to the loop's own thread.

    :param deliver: takes outcomes, as :class:`orderlines.executors.base.Executor` has it.
    :param observe: takes the id of a call, ``progress``, ``heartbeat`` or ``output``, and the values reported.
    """

    def __init__(
        self,
        kind: SlotKind,
        supervisor: Supervisor,
        deliver: Callable[[Sequence[Outcome]], None],
        observe: Callable[[int, str, list[object]], None],
    ) -> None:
        self.first = threading.Event()
        """Set when the first slot is ready, or has ended instead: then ``failure`` says how."""
        self.failure = ""
        self._kind = kind
        self._supervisor = supervisor
        self._deliver = deliver
        self._observe = observe
        self._numbers = count(1)
        self._starts = 0
        self._slots: dict[int, Slot] = {}
        self._flights: dict[int, Flight] = {}
        self._deadlines = Deadlines()
        self._outcomes: list[Outcome] = []
        self._unsent: dict[int, Slot] = {}
        self._close_by = math.inf
        self._commands: deque[Callable[[], None]] = deque()
        self._rung = False
        self._over = False
        self._lock = threading.Lock()
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)  # noqa: FBT003 -- the standard library's signature
        self._ringer.setblocking(False)  # noqa: FBT003 -- likewise
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._bell, READ, self._hear)

    # From any thread.

    def post(self, command: Callable[[], None]) -> bool:
        """Have ``command`` called in the loop's thread; never blocks. Return whether the loop still runs."""
        with self._lock:
            if self._over:
                return False
            self._commands.append(command)
            if not self._rung:
                self._rung = True
                self._ringer.send(b"\0")
        return True

    def run(self) -> None:
        """Run until :meth:`close` was posted and every child has gone."""
        try:
            while self._close_by == math.inf or (self._slots and time.monotonic() < self._close_by):
                self._turn()
        finally:
            self._abandon()

    # Commands.

    def warm(self) -> None:
        """Start a first child before there is a call for it."""
        if self._close_by == math.inf:
            self._open_first()

    def begin(self, call: Call) -> None:
        """Put a call into a slot, a new one where none has room."""
        if self._close_by != math.inf:
            self._outcomes.append(closed(call, "lost", _CLOSED))
            return
        try:
            slot = self._slot_for(call)
        except OSError as error:
            # No descriptors or no processes left: it is this call that has none.
            told = f"no process can be started for it: {error}"
            self._outcomes.append(closed(call, "raised", told)._replace(kinds=kinds_of(error)))
            return
        flight = Flight(call, slot)
        self._flights[call.id] = slot.flights[call.id] = flight
        if slot.ready:
            self._send(flight)
        else:
            slot.waiting.append(flight)

    def end(self, call: int) -> None:
        """Ask a call to end, on somebody's request."""
        flight = self._flights.get(call)
        if flight is not None and not flight.asked:
            self._ask(flight, "ended", flight.call.grace)

    def close(self, grace: float) -> None:
        """Ask every call to end and take no more."""
        self._close_by = time.monotonic() + grace + 2 * PATIENCE
        for slot in list(self._slots.values()):
            for flight in slot.waiting:
                self._land(flight, closed(flight.call, "lost", _CLOSED))
            slot.waiting.clear()
            for flight in slot.flights.values():
                if not flight.asked:
                    self._ask(flight, "ended", min(grace, flight.call.grace))
            self._release(slot)

    # Turns of the loop.

    def _turn(self) -> None:
        for key, mask in self._selector.select(self._patience()):
            key.data(mask)
        while self._commands:
            self._commands.popleft()()
        for number in self._deadlines.due(time.monotonic()):
            self._expire(number)
        self._flush()
        if self._outcomes:
            outcomes, self._outcomes = self._outcomes, []
            self._deliver(outcomes)

    def _patience(self) -> float | None:
        when = self._deadlines.next()
        earliest = min(self._close_by, math.inf if when is None else when)
        return None if earliest == math.inf else max(0.0, earliest - time.monotonic())

    def _flush(self) -> None:
        for slot in self._unsent.values():
            if not (slot.cut_off or slot.child.flush()):
                self._selector.modify(slot.child.data, READ | WRITE, self._selector.get_key(slot.child.data).data)
        self._unsent.clear()

    def _hear(self, mask: int) -> None:
        with self._lock:
            self._bell.recv(4096)
            self._rung = False

    def _hear_keeper(self, slot: Slot) -> None:
        if slot.number not in self._slots:
            return  # Both of its sockets were ready, and the other one was its end.
        slot.child.read_control()
        if slot.child.exit is not None:
            for frame in slot.child.receive_rest():
                self._take(slot, frame)
            self._gone(slot)

    def _hear_child(self, slot: Slot, mask: int) -> None:
        if slot.number not in self._slots:
            return
        if mask & WRITE and slot.child.flush():
            self._selector.modify(slot.child.data, READ, self._selector.get_key(slot.child.data).data)
        if not mask & READ:
            return
        try:
            for frame in slot.child.receive():
                self._take(slot, frame)
        except Disconnected:
            # Most often it has ended, and the keeper is about to say how.
            self._selector.unregister(slot.child.data)
            slot.cut_off = True
            if not slot.closing:
                self._deadlines.set(-slot.number, time.monotonic() + CUT_OFF)

    def _hear_output(self, slot: Slot, output: ChildOutput) -> None:
        if slot.number in self._slots and output.read(slot.flights) < 0:
            self._selector.unregister(output.reading)

    # Messages.

    def _take(self, slot: Slot, frame: Frame) -> None:
        kind = frame.head[0]
        if kind == "ready":
            self._ready(slot)
        elif kind == "stuck":
            self._stuck(slot, *frame.head[1:])
        elif kind == "yields":
            slot.stuck = None
        elif (flight := slot.flights.get(frame.head[1])) is not None:
            self._take_of(flight, kind, frame)

    def _take_of(self, flight: Flight, kind: str, frame: Frame) -> None:
        if kind == "done":
            self._done(flight, read_done(frame))
        elif kind == "begun":
            flight.slot.loaded.add(_component_of(flight.call))
            self._start_clock(flight, 0.0)
        elif kind == "report":
            self._observe(flight.call.id, frame.head[2], frame.head[3:])

    def _ready(self, slot: Slot) -> None:
        slot.ready = True
        self.first.set()
        while slot.waiting and not slot.closing:
            self._send(slot.waiting.popleft())

    def _stuck(self, slot: Slot, call: int | None, seconds: float, where: str) -> None:
        slot.stuck = call
        flight = slot.flights.get(call) if call is not None else None
        name = "something that a call has started"
        if flight is not None:
            name = _name(flight.call)
        self._warn(f"{name} has not yielded for {seconds:.1f} s: {where}")
        if flight is not None and flight.asked and not flight.call.component.takes_context:
            self._kill_for(flight)

    def _warn(self, text: str) -> None:
        from logging import getLogger  # noqa: PLC0415 -- off the start-up path

        getLogger(f"orderlines.{self._kind.name}").warning(text)

    def _done(self, flight: Flight, outcome: Outcome) -> None:
        if flight.slot.output is not None:
            flight.slot.output.drain(flight.slot.flights)
        if not flight.asked:
            self._land(flight, outcome)
            self._release(flight.slot)
            return
        outcome = outcome._replace(how=flight.asked, message=flight.reason(), kinds=())
        if flight.slot.outlives_one():
            self._land(flight, outcome)
            self._release(flight.slot)
        else:
            # The process goes with the call; the outcome waits until nothing that it started is left.
            flight.outcome = outcome
            self._kill(flight.slot)

    # Calls.

    def _slot_for(self, call: Call) -> Slot:
        if call.alone or call.suspect:
            return self._slot_apart(call)
        open_slots = [slot for slot in self._slots.values() if slot.takes()]
        for slot in open_slots:
            if slot.ready:
                return slot
        return open_slots[0] if open_slots else self._open()

    def _slot_apart(self, call: Call) -> Slot:
        """Return a slot for a call under which a process has died; where each has its own, a suspect is alone, too."""
        if call.alone or self._kind.capacity == 1:
            slot = self._open()
            slot.single_use = True
            return slot
        quarantines = [slot for slot in self._slots.values() if slot.takes(suspects=True)]
        if len(quarantines) >= QUARANTINES:
            return min(quarantines, key=lambda slot: len(slot.flights))
        try:
            slot = self._open()
        except OSError:
            if not quarantines:
                raise
            return min(quarantines, key=lambda slot: len(slot.flights))
        slot.quarantine = True
        return slot

    def _send(self, flight: Flight) -> None:
        slot = flight.slot
        tell = _component_of(flight.call) not in slot.loaded
        try:
            slot.child.send(pack_call(flight.call, tell=tell))
        except ValueNotStorable as error:
            outcome = flight.close("raised", f"an argument cannot be sent: {error}", 0.0)
            self._land(flight, outcome._replace(kinds=kinds_of(error)))
            self._release(slot)
            return
        self._unsent[slot.number] = slot
        self._start_clock(flight, LOADING if tell else 0.0)

    def _start_clock(self, flight: Flight, allowance: float) -> None:
        flight.sent = time.monotonic()
        flight.started = time.time()
        if flight.call.timeout is not None and not flight.asked:
            self._deadlines.set(flight.call.id, flight.sent + flight.call.timeout + allowance)

    def _ask(self, flight: Flight, why: str, grace: float) -> None:
        flight.asked = why
        slot = flight.slot
        if flight in slot.waiting:
            slot.waiting.remove(flight)
            self._land(flight, flight.close(why, flight.reason(), 0.0))
            self._release(slot)
            return
        if slot.stuck == flight.call.id and not flight.call.component.takes_context:
            self._kill_for(flight)
            return
        self._kind.ask(slot.child, flight.call, grace)
        self._unsent[slot.number] = slot
        self._deadlines.set(flight.call.id, time.monotonic() + grace + self._kind.slack)

    def _expire(self, key: int) -> None:
        if key < 0:
            self._overdue(self._slots[-key])
            return
        flight = self._flights[key]
        if not flight.asked:
            self._ask(flight, "timeout", flight.call.grace)
            return
        if len(flight.slot.flights) > 1:
            others = len(flight.slot.flights) - 1
            self._warn(f"{_name(flight.call)} did not end within its grace; {others} others are lost with its process")
        self._kill_for(flight)

    def _land(self, flight: Flight, outcome: Outcome) -> None:
        number = flight.call.id
        if flight.slot.output is not None:
            flight.slot.output.finish(flight)
        flight.slot.flights.pop(number, None)
        del self._flights[number]
        self._deadlines.drop(number)
        self._outcomes.append(outcome)

    # Children.

    def _open(self) -> Slot:
        """Start a child.

        :raises OSError: there are no descriptors or no processes left.
        """
        number = next(self._numbers)
        show = self._kind.show
        output = None if show is None else ChildOutput(self._observe, show)
        try:
            child = self._supervisor.spawn(self._kind.entry, None if output is None else output.writing)
        except OSError:
            if output is not None:
                output.handed_over()
                output.close()
            raise
        slot = self._slots[number] = Slot(number, child, self._kind.capacity, output)
        if output is not None:
            output.handed_over()
            self._selector.register(output.reading, READ, lambda _: self._hear_output(slot, output))
        self._selector.register(child.control, READ, lambda _: self._hear_keeper(slot))
        self._selector.register(child.data, READ, lambda mask: self._hear_child(slot, mask))
        return slot

    def _release(self, slot: Slot) -> None:
        """Kill a child without calls if it will get no more."""
        if not slot.flights and (slot.passing() or self._close_by != math.inf):
            self._kill(slot)

    def _kill_for(self, flight: Flight) -> None:
        """Kill a child because one of its calls does not end in another way."""
        flight.slot.note = f"{_name(flight.call)} did not end by itself when {flight.reason()}"
        self._kill(flight.slot)

    def _kill(self, slot: Slot) -> None:
        if not slot.closing:
            slot.closing = True
            self._deadlines.set(-slot.number, time.monotonic() + PATIENCE)
        slot.child.end(0.0)

    def _overdue(self, slot: Slot) -> None:
        """End a child that cannot answer any more; let go of one that was killed and is still not gone."""
        if not slot.closing:
            slot.note = "it closed its connection to the engine"
            self._kill(slot)
            return
        if slot.child.pid is not None:
            with suppress(ProcessLookupError):  # Its keeper may have seen its end, and not be able to say so.
                os.kill(slot.child.pid, signal.SIGKILL)
        slot.child.exit = Exit(None, left=True)
        self._gone(slot)

    def _gone(self, slot: Slot) -> None:
        """Settle the calls of a child that has ended, and all that it started with it."""
        del self._slots[slot.number]
        self._unsent.pop(slot.number, None)
        self._deadlines.drop(-slot.number)
        if slot.output is not None:
            slot.output.drain(slot.flights)
        for outcome in slot.resolve(time.monotonic()):
            self._land(slot.flights[outcome.call], outcome)
        for end in (slot.child.control, slot.child.data):
            if end in self._selector.get_map():
                self._selector.unregister(end)
        if slot.output is not None:
            if slot.output.reading in self._selector.get_map():
                self._selector.unregister(slot.output.reading)
            slot.output.close()
        slot.child.close()
        if not slot.ready and not self.first.is_set():
            self._first_ended(slot)

    def _first_ended(self, slot: Slot) -> None:
        """Try again where the first child was killed; one that ended by itself would end again."""
        self._starts += 1
        if self._starts < STARTS and self._close_by == math.inf and slot.child.exit and slot.child.exit.killed():
            self._open_first()
            return
        self.failure = slot.note or str(slot.child.exit)
        self.first.set()

    def _open_first(self) -> None:
        try:
            self._open()
        except OSError as error:
            self.failure = f"{error}"
            self.first.set()

    def _abandon(self) -> None:
        """Let go of everything; there are only children left where one could not be ended, or this loop failed."""
        self._close_by = -math.inf
        for slot in list(self._slots.values()):
            slot.child.exit = slot.child.exit or Exit(None, left=True)
            self._gone(slot)
        with self._lock:
            self._over = True
            self._selector.close()
            self._bell.close()
            self._ringer.close()
        while self._commands:
            self._commands.popleft()()
        if self._outcomes:
            self._deliver(self._outcomes)


def _component_of(call: Call) -> tuple[str, str, str]:
    return (call.component.target, call.component.library, call.component.name)


def _name(call: Call) -> str:
    return f"{call.component.library}.{call.component.name} (task {call.key})"
