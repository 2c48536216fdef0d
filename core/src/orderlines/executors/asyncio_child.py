"""The child's work: a task for each call, in one event loop."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING

from orderlines.capture import structured
from orderlines.executors.calls import run_request_async
from orderlines.executors.natives import Natives
from orderlines.executors.outbox import Outbox
from orderlines.executors.sharing import Said, SharedServer
from orderlines.executors.watchdog import PERIOD, Watchdog
from orderlines.processes.frames import Decoder, pack

if TYPE_CHECKING:
    from collections.abc import Callable, Sized
    from types import CodeType

    from orderlines.components.context import CallContext
    from orderlines.executors.calls import Request
    from orderlines.executors.sharing import Running


def main(descriptor: int) -> None:
    """Serve calls on the socket ``descriptor`` until the driver closes it."""
    structured.begin()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    Server(descriptor, loop).run()


class LoopOutbox(Outbox):
    """Writes when the loop comes round."""

    def __init__(self, descriptor: int, natives: Natives, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(descriptor, natives)
        self._loop = loop
        self._woken = False

    def wake(self) -> None:
        """Have all written at the end of this turn of the loop."""
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self._write)

    def flush(self) -> bool:
        """Write what the socket takes now, and have the loop write the rest; return whether all has gone."""
        gone = super().flush()
        if not gone:
            self._loop.call_soon_threadsafe(self._loop.add_writer, self.descriptor, self._write)
        return gone

    def _write(self) -> None:
        self._woken = False
        if self.flush():
            self._loop.remove_writer(self.descriptor)


class LoopWatchdog(Watchdog):
    """Watches an event loop."""

    def __init__(
        self,
        calls: Sized,
        runner: CodeType,
        push: Callable[[bytes], None],
        natives: Natives,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(calls, runner, push, natives)
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def begin_beats(self) -> None:
        """Beat by a timer of the loop."""
        self._timer = self._loop.call_later(PERIOD, self._on_timer)

    def end_beats(self) -> None:
        """Drop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self.begin_beats()
        self.beat()


class Server(SharedServer[asyncio.Task[None]]):
    """Takes calls and orders from the driver.

    :param descriptor: the stream socket.
    """

    ended = asyncio.CancelledError

    def __init__(self, descriptor: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        natives = Natives()
        self._loop = loop
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(False)  # noqa: FBT003 -- the standard library's signature
        self._decoder = Decoder()
        self._open = True
        self.outbox = LoopOutbox(descriptor, natives, loop)
        runner = self._run.__func__.__code__  # type: ignore[attr-defined]
        self.watchdog = LoopWatchdog(self.calls, runner, self.outbox.push, natives, loop)

    def run(self) -> None:
        """Serve until the driver closes its end."""
        os.register_at_fork(after_in_child=self._leave_fork)
        self._loop.add_reader(self._socket, self._receive)
        self.watchdog.start()
        self.outbox.push(pack(["ready"]))
        while self._open:
            self._run_loop()

    def _run_loop(self) -> None:
        """Run the loop; a component may stop it, and a task that it has started may leave it by raising SystemExit."""
        try:
            self._loop.run_forever()
        except BaseException as error:  # noqa: BLE001 -- it is told, and nobody else ends of it
            self._loop.call_exception_handler({"message": "raised in the event loop", "exception": error})

    def _leave_fork(self) -> None:
        """See to it that in a fork only the code runs that forked, until it comes back to the loop.

        A fork inherits the loop's selector, which it shares with this process, and every other call.
        """
        self.outbox.disarm()
        self._loop._ready.clear()  # type: ignore[attr-defined]  # noqa: SLF001 -- nothing public forgets what is ready
        self._loop.call_soon(os._exit, 0)

    def _receive(self) -> None:
        try:
            data = self._socket.recv(262_144)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        if not data:
            self._open = False
            self._loop.stop()
        for frame in self._decoder.feed(data):
            self.take(frame)

    def spawn(self, request: Request, running: Running[asyncio.Task[None]]) -> asyncio.Task[None]:
        """Start a task."""
        return self._loop.create_task(self._run(request, running), name=f"orderlines-{request.identity.key}")

    def throw(self, task: asyncio.Task[None]) -> None:
        """Cancel it."""
        task.cancel()

    def throw_later(self, seconds: float, task: asyncio.Task[None]) -> None:
        """Cancel it after a while."""
        self._loop.call_later(seconds, task.cancel)

    async def _run(self, request: Request, running: Running[asyncio.Task[None]]) -> None:
        """Run a call; the watchdog knows this frame, and reads ``request`` from it."""
        running.begun = True

        def prepare(context: CallContext | None) -> None:
            running.context = context

        said = Said(request, self.outbox.push_now)
        done = await run_request_async(request, self.outbox.push_now, prepare)
        try:
            said.end()
        finally:
            self.done(request.id, done)
