"""What the driver knows of its child processes and of the calls in them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from orderlines.executors.base import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.capture import Capture
    from orderlines.capture.live import Show
    from orderlines.executors.base import Call
    from orderlines.executors.childoutput import ChildOutput
    from orderlines.processes.supervisor import SupervisedChild


class SlotKind(NamedTuple):
    """What makes one executor of children differ from another.

    :ivar name: the executor's name, for messages and its logger ``orderlines.NAME``.
    :ivar entry: ``package.module:function``, run in the child with the descriptor of its socket.
    :ivar capacity: calls that share a child.
    :ivar slack: seconds beyond a call's grace before its child is killed.
    :ivar ask: asks a call that is in a child to end.
    :ivar show: shows live what children write to standard output and error, where that is captured here.
    """

    name: str
    entry: str
    capacity: int
    slack: float
    ask: Callable[[SupervisedChild, Call, float], None]
    show: Show | None = None


class Flight:
    """A call on its way.

    :ivar asked: ``timeout`` or ``ended`` once it was asked to end, with that reason.
    :ivar sent: moment of the monotonic clock at which its clock began to run; ``started`` by the wall clock.
    :ivar outcome: what it came to, while that waits for the end of its process.
    :ivar capture: takes what it says, where that is captured here and there is some.
    """

    __slots__ = ("asked", "call", "capture", "outcome", "sent", "slot", "started")

    def __init__(self, call: Call, slot: Slot) -> None:
        self.call = call
        self.slot = slot
        self.asked = ""
        self.sent = 0.0
        self.started = 0.0
        self.outcome: Outcome | None = None
        self.capture: Capture | None = None

    def close(self, how: str, message: str, now: float) -> Outcome:
        """Return the outcome of a call that did not give one itself."""
        seconds = now - self.sent if self.sent else 0.0
        return Outcome(self.call.id, how, None, message, (), "", self.started, seconds)

    def reason(self) -> str:
        """Return in words why it was asked to end."""
        if self.asked == "timeout":
            return f"it took longer than its timeout of {self.call.timeout:g} s"
        return "it was asked to end"


class Slot:
    """A child process and the calls in it.

    :ivar output: takes what the child writes to standard output and error, where that is captured here.
    :ivar single_use: whether it is for one call, that shares it with no other one, and goes with it.
    :ivar quarantine: whether it is for suspects, and goes when the last of them has gone.
    :ivar ready: whether the child has said that it takes calls; those that came before wait in ``waiting``.
    :ivar closing: whether it was killed, so that no call may be put into it.
    :ivar cut_off: whether its end of the socket is closed.
    :ivar loaded: the components that the child has imported.
    :ivar stuck: the id of a call that keeps the child's others from running, while it does.
    :ivar note: why it was killed, for those of its calls that were not the reason.
    """

    def __init__(self, number: int, child: SupervisedChild, capacity: int, output: ChildOutput | None) -> None:
        self.number = number
        self.child = child
        self.output = output
        self.capacity = capacity
        self.single_use = False
        self.quarantine = False
        self.flights: dict[int, Flight] = {}
        self.waiting: deque[Flight] = deque()
        self.loaded: set[tuple[str, str, str]] = set()
        self.ready = False
        self.closing = False
        self.cut_off = False
        self.stuck: int | None = None
        self.note = ""

    def takes(self, *, suspects: bool = False) -> bool:
        """Return whether another call may be put into it, or another suspect."""
        if self.closing or self.cut_off or self.single_use or self.quarantine is not suspects:
            return False
        return len(self.flights) < self.capacity

    def passing(self) -> bool:
        """Return whether it goes with the last of its calls."""
        return self.single_use or self.quarantine

    def outlives_one(self) -> bool:
        """Return whether its process goes on where one of its calls had to be ended."""
        return self.capacity > 1 and not (self.passing() and len(self.flights) == 1)

    def resolve(self, now: float) -> list[Outcome]:
        """Return the outcomes of all calls that the child's end has caught."""
        manner = self.note or str(self.child.exit)
        if self.child.exit is not None and self.child.exit.left:
            manner += "; something that it started could not be killed"
        return [self._resolve(flight, manner, now) for flight in self.flights.values()]

    def _resolve(self, flight: Flight, manner: str, now: float) -> Outcome:
        if flight.outcome is not None:
            return flight.outcome
        if flight.asked:
            return flight.close(flight.asked, flight.reason(), now)
        if not self.ready or flight in self.waiting:
            return flight.close("lost", f"its process ended before the call began: {manner}", now)
        if flight.call.id == self.stuck and self.closing:
            return flight.close("died", "it did not yield to its neighbours, and one of them had to end", now)
        if len(self.flights) == 1:
            return flight.close("died", manner, now)
        return flight.close("lost", f"another call brought down the process that it shared: {manner}", now)
