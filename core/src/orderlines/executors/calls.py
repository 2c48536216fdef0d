"""A call on its way to another process, being run there, and its outcome on the way back.

Heads of frames, driver to child: ``call`` and ``end``; child to driver: ``ready``, ``begun``, ``done``, ``report``, and
where calls share a child ``stuck`` and ``yields``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from orderlines.components.context import CallContext, CallIdentity
from orderlines.components.invoke import invoke, raised
from orderlines.components.library import load_component
from orderlines.executors.base import Outcome
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
        call.run, call.flow, call.line, call.node, call.visit, call.attempt, call.key, call.grace
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
    begun = time.monotonic()
    started = time.time()
    context: CallContext | None = None
    try:
        component = load_component(request.library, request.name, request.target)
        if request.tell:
            send(pack(["begun", request.id]))
            begun = time.monotonic()
            started = time.time()
        context = _context(request, component, send)
        prepare(context)
        finished = invoke(component, decode(request.arguments), context)
    except BaseException as error:  # noqa: BLE001 -- importing runs foreign code, and an end may be asked for at any point
        finished = raised(error)
    if context is not None:
        context.finish()
    return Done(finished, started, time.monotonic() - begun)


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
    """Run a call in this thread, on its own live arguments."""
    started = time.time()
    begun = time.monotonic()
    finished = invoke(call.component, call.arguments, context)
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
