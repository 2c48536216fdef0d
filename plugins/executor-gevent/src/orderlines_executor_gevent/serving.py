"""The child's work: a greenlet for each call."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import gevent

from orderlines.components.invoke import raised
from orderlines.executors.calls import Done, pack_done, read_call, run_request
from orderlines.processes.frames import Decoder, pack
from orderlines_executor_gevent.forking import isolate_forks
from orderlines_executor_gevent.outbox import Outbox
from orderlines_executor_gevent.watchdog import Watchdog

if TYPE_CHECKING:
    from orderlines.components.context import CallContext
    from orderlines.executors.calls import Request
    from orderlines.processes.frames import Frame


class CallEnded(BaseException):
    """Raised in a call that was asked to end; no ``except Exception`` catches it."""


class Running:
    """A call and its greenlet.

    :ivar context: once it has begun, if it takes one.
    """

    __slots__ = ("begun", "context", "greenlet")

    def __init__(self) -> None:
        self.begun = False
        self.context: CallContext | None = None
        self.greenlet: gevent.Greenlet | None = None


class Server:
    """Takes calls and orders from the driver.

    :param descriptor: the stream socket.
    """

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._outbox = Outbox(descriptor)
        self._calls: dict[int, Running] = {}
        self._watchdog = Watchdog(self._calls, self._run.__func__.__code__, self._outbox.push)  # type: ignore[attr-defined]

    def run(self) -> None:
        """Serve until the driver closes its end."""
        # A greenlet that a component has started may raise what it likes: it is printed, and nobody else ends of it.
        gevent.get_hub().SYSTEM_ERROR = ()
        isolate_forks(self._outbox.disarm)
        self._outbox.start()
        self._watchdog.start()
        self._outbox.push(pack(["ready"]))
        decoder = Decoder()
        while data := self._receive():
            for frame in decoder.feed(data):
                self._take(frame)

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(262_144)
        except ConnectionResetError:
            return b""

    def _take(self, frame: Frame) -> None:
        if frame.head[0] == "call":
            request = read_call(frame)
            running = self._calls[request.id] = Running()
            self._watchdog.wake()
            running.greenlet = gevent.spawn(self._run, request, running)
        else:
            self._end(*frame.head[1:])

    def _run(self, request: Request, running: Running) -> None:
        """Run a call; the watchdog knows this frame, and reads ``request`` from it."""
        running.begun = True

        def prepare(context: CallContext | None) -> None:
            running.context = context

        self._done(request.id, run_request(request, self._outbox.push_now, prepare))

    def _done(self, number: int, done: Done) -> None:
        if self._calls.pop(number, None) is not None:
            self._outbox.push(pack_done(number, done))

    def _end(self, number: int, grace: float) -> None:
        running = self._calls.get(number)
        if running is None:
            return
        if not running.begun:
            self._done(number, Done(raised(CallEnded()), 0.0, 0.0))
            self._throw(running)
        elif running.context is not None:
            running.context.ask()
            gevent.spawn_later(grace, self._throw, running)
        else:
            self._throw(running)

    def _throw(self, running: Running) -> None:
        if running.greenlet is not None:
            running.greenlet.kill(CallEnded, block=False)
