"""The work of a child whose calls share one thread."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from orderlines.capture import STANDING, Capture, begin, end
from orderlines.components.invoke import raised
from orderlines.executors.calls import Done, pack_done, read_call
from orderlines.processes.frames import pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.components.context import CallContext
    from orderlines.executors.calls import Request
    from orderlines.executors.outbox import Outbox
    from orderlines.executors.watchdog import Watchdog
    from orderlines.processes.frames import Frame

_Task = TypeVar("_Task")


class Running(Generic[_Task]):
    """A call and what runs it.

    :ivar begun: whether its first step was made: what has not begun cannot answer for itself.
    :ivar context: once it has begun, if it takes one.
    """

    __slots__ = ("begun", "context", "task")

    def __init__(self) -> None:
        self.begun = False
        self.context: CallContext | None = None
        self.task: _Task | None = None


class Said:
    """What the code prints and logs that runs from now on, told to the driver.

    :param send: takes frames to the driver.
    """

    def __init__(self, request: Request, send: Callable[[bytes], None]) -> None:
        call = request.id
        self._capture = Capture(lambda *said: send(pack(["report", call, "output", *said])), request.identity)
        # gevent closes a descriptor when its loop comes round: later than the call that asked for that has ended.
        STANDING.mend()
        self._token = begin(self._capture)

    def end(self) -> None:
        """Tell the rest."""
        end(self._capture, self._token)
        self._capture.finish()


class SharedServer(ABC, Generic[_Task]):
    """Takes calls and orders from the driver, in the child.

    :cvar ended: what is raised in a call that was asked to end; no ``except Exception`` catches it.
    """

    ended: ClassVar[type[BaseException]]
    outbox: Outbox
    watchdog: Watchdog

    def __init__(self) -> None:
        self.calls: dict[int, Running[_Task]] = {}

    @abstractmethod
    def spawn(self, request: Request, running: Running[_Task]) -> _Task:
        """Start what runs a call, and gives what it comes to to :meth:`done`."""

    @abstractmethod
    def throw(self, task: _Task) -> None:
        """Have :attr:`ended` raised in a call."""

    @abstractmethod
    def throw_later(self, seconds: float, task: _Task) -> None:
        """Do it after a while."""

    def take(self, frame: Frame) -> None:
        """Take a message of the driver."""
        if frame.head[0] == "call":
            request = read_call(frame)
            running = self.calls[request.id] = Running()
            self.watchdog.wake()
            running.task = self.spawn(request, running)
        else:
            self._end(*frame.head[1:])

    def done(self, number: int, done: Done) -> None:
        """Send what a call has come to, once."""
        if self.calls.pop(number, None) is not None:
            self.outbox.push(pack_done(number, done))

    def _end(self, number: int, grace: float) -> None:
        running = self.calls.get(number)
        if running is None or running.task is None:
            return
        if not running.begun:
            self.done(number, Done(raised(self.ended()), 0.0, 0.0))
            self.throw(running.task)
        elif running.context is not None:
            running.context.ask()
            self.throw_later(grace, running.task)
        else:
            self.throw(running.task)
