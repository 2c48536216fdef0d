"""A call on its way to another process, being run there, and its outcome on the way back.

Heads of frames, driver to child: ``call`` and ``end``; child to driver: ``ready``, ``begun``, ``done``, ``report``, and
where calls share a child ``stuck`` and ``yields``.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from orderlines.components.context import CallContext, CallIdentity
from orderlines.components.invoke import invoke, invoke_async, raised
from orderlines.components.library import load_component
from orderlines.executors.base import Outcome
from orderlines.processes.forks import PROCESS
from orderlines.processes.frames import pack
from orderlines.values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.components.base import Component
    from orderlines.components.invoke import Finished
    from orderlines.executors.base import Call
    from orderlines.processes.frames import Frame


class Request(NamedTuple):
    """A call as a child sees it.

    :ivar tell: whether the driver wants to know when the component is loaded and the call begins.
    """

    id: int
    library: str
    name: str
    target: str
    tell: bool
    identity: CallIdentity
    arguments: str


class Done(NamedTuple):
    """A finished call, with the wall clock's time of its start and its duration in seconds."""

    finished: Finished
    started: float
    seconds: float


def identity_of(call: Call) -> CallIdentity:
    """Return what a component may know of its call."""
    return CallIdentity(
        call.run, call.flow, call.line, call.node, call.visit, call.attempt, call.key, call.grace, call.round
    )  # fmt: skip


def pack_call(call: Call, *, tell: bool) -> bytes:
    """Return the frame of a call.

    :raises ValueNotStorable: an argument cannot travel without a change.
    """
    component = call.component
    head = ["call", call.id, component.library, component.name, component.target, tell, *identity_of(call)]
    return pack(head, _to_bytes(encode(dict(call.arguments))))


def read_call(frame: Frame) -> Request:
    """Return the call of a frame of the kind ``call``."""
    _, number, library, name, target, tell, *identity = frame.head
    return Request(number, library, name, target, tell, CallIdentity(*identity), _to_text(frame.body))


def run_request(request: Request, send: Callable[[bytes], None], prepare: Callable[[CallContext | None], None]) -> Done:
    """Run a call in a child.

    :param send: takes frames to the driver.
    :param prepare: called just before the component, with its context if it takes one.
    """
    call = _Serving(request, send)
    try:
        component = call.begin(prepare)
        finished = invoke(component, decode(request.arguments), call.context)
    except BaseException as error:  # noqa: BLE001 -- importing runs foreign code, and an end may be asked for at any point
        finished = raised(error)
    return call.end(finished)


async def run_request_async(
    request: Request, send: Callable[[bytes], None], prepare: Callable[[CallContext | None], None]
) -> Done:
    """Do the same in the running event loop, for a coroutine function."""
    call = _Serving(request, send)
    try:
        component = call.begin(prepare)
        finished = await invoke_async(component, decode(request.arguments), call.context)
    except BaseException as error:  # noqa: BLE001 -- as above
        finished = raised(error)
    return call.end(finished)


class _Serving:
    """A call in a child, from its request to its end."""

    def __init__(self, request: Request, send: Callable[[bytes], None]) -> None:
        self.context: CallContext | None = None
        self._request = request
        self._send = send
        self._begun = time.monotonic()
        self._started = time.time()

    def begin(self, prepare: Callable[[CallContext | None], None]) -> Component:
        """Load the component, and start the call's clock again if that was told to the driver."""
        request = self._request
        component = load_component(request.library, request.name, request.target)
        if request.tell:
            # Before the driver starts its own clock: what it times out has lasted as long here.
            self._begun = time.monotonic()
            self._started = time.time()
            self._send(pack(["begun", request.id]))
        self.context = _context(request, component, self._send)
        prepare(self.context)
        return component

    def end(self, finished: Finished) -> Done:
        """Let nothing more be reported, and stop the clock."""
        if self.context is not None:
            self.context.finish()
        return Done(finished, self._started, time.monotonic() - self._begun)


def pack_done(call: int, done: Done) -> bytes:
    """Return the frame of a finished call."""
    how, result, message, kinds, details = done.finished
    head = ["done", call, how, result is not None, message, kinds, details, done.started, done.seconds]
    return pack(head, b"" if result is None else _to_bytes(result))


def read_done(frame: Frame) -> Outcome:
    """Return the outcome of a frame of the kind ``done``."""
    _, call, how, has_result, message, kinds, details, started, seconds = frame.head
    result = _to_text(frame.body) if has_result else None
    return Outcome(call, how, result, message, tuple(kinds), details, started, seconds)


def run_here(call: Call, context: CallContext | None) -> Outcome:
    """Run a call in this thread, on its own live arguments. A fork that leaves the component ends: it is no driver."""
    process = PROCESS.pid
    started = time.time()
    begun = time.monotonic()
    finished = invoke(call.component, call.arguments, context)
    if os.getpid() != process:  # Asked of the kernel: a component may fork in ways of which Python does not know.
        os._exit(0)
    if context is not None:
        context.finish()
    return Outcome(call.id, *finished, started, time.monotonic() - begun)


def closed(call: Call, how: str, message: str) -> Outcome:
    """Return the outcome of a call that gives none itself, in the driver's own process."""
    return Outcome(call.id, how, None, message, (), "", 0.0, 0.0)


def _context(request: Request, component: Component, send: Callable[[bytes], None]) -> CallContext | None:
    if not component.takes_context:
        return None

    def report(kind: str, values: list[object]) -> None:
        send(pack(["report", request.id, kind, *values]))

    return CallContext(request.identity, f"{request.library}.{request.name}", report)


def _to_bytes(text: str) -> bytes:
    return text.encode()


def _to_text(data: bytes) -> str:
    return data.decode()
