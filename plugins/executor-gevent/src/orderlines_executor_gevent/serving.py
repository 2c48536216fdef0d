"""The child's work: a greenlet for each call."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import gevent

from orderlines.executors.calls import run_request
from orderlines.executors.sharing import Said, SharedServer
from orderlines.processes.frames import Decoder, pack
from orderlines_executor_gevent.forking import isolate_forks
from orderlines_executor_gevent.outbox import HubOutbox, natives
from orderlines_executor_gevent.watchdog import HubWatchdog

if TYPE_CHECKING:
    from orderlines.components.context import CallContext
    from orderlines.executors.calls import Request
    from orderlines.executors.sharing import Running


class CallEnded(gevent.GreenletExit):  # type: ignore[misc]  # gevent says no types
    """Raised in a call that was asked to end; no ``except Exception`` catches it.

    A greenlet that ends of it, as one that has not begun does, has not failed: gevent says nothing of it.
    """


class Server(SharedServer[gevent.Greenlet]):
    """Takes calls and orders from the driver.

    :param descriptor: the stream socket.
    """

    ended = CallEnded

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        native = natives()
        self._socket = socket.socket(fileno=descriptor)
        self.outbox: HubOutbox = HubOutbox(descriptor, native)
        self.watchdog = HubWatchdog(self.calls, self._run.__func__.__code__, self.outbox.push, native)  # type: ignore[attr-defined]

    def run(self) -> None:
        """Serve until the driver closes its end."""
        # A greenlet that a component has started may raise what it likes: it is printed, and nobody else ends of it.
        gevent.get_hub().SYSTEM_ERROR = ()
        isolate_forks(self.outbox.disarm)
        self.outbox.start()
        self.watchdog.start()
        self.outbox.push(pack(["ready"]))
        decoder = Decoder()
        while data := self._receive():
            for frame in decoder.feed(data):
                self.take(frame)

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(262_144)
        except ConnectionResetError:
            return b""

    def spawn(self, request: Request, running: Running[gevent.Greenlet]) -> gevent.Greenlet:
        """Start a greenlet."""
        return gevent.spawn(self._run, request, running)

    def throw(self, task: gevent.Greenlet) -> None:
        """Raise the exception in it at its next turn."""
        task.kill(CallEnded, block=False)

    def throw_later(self, seconds: float, task: gevent.Greenlet) -> None:
        """Raise it after a while."""
        gevent.spawn_later(seconds, self.throw, task)

    def _run(self, request: Request, running: Running[gevent.Greenlet]) -> None:
        """Run a call; the watchdog knows this frame, and reads ``request`` from it."""
        running.begun = True

        def prepare(context: CallContext | None) -> None:
            running.context = context

        said = Said(request, self.outbox.push_now)
        done = run_request(request, self.outbox.push_now, prepare)
        try:
            said.end()
        finally:
            self.done(request.id, done)
