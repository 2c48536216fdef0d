"""The child: makes a drain, and lets it work when a bell comes.

It is told ``begin CLASS SETTINGS``, ``drain BELL SECONDS``, ``leave``, ``part`` and ``order WORDS``; it answers
``ready``, ``drained LEFT REST``, ``parted`` and ``failed MESSAGE``, ``unavailable MESSAGE`` or ``refused MESSAGE``, and
in between ``said WORDS``.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module
from io import TextIOWrapper
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from orderlines.capture.structured import begin
from orderlines.errors import OrderlinesError, StoreUnavailable
from orderlines.executors.childside import Channel
from orderlines.logger import logger
from orderlines.processes.frames import pack
from orderlines_executor_rq.message import Bell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.processes.frames import Frame
    from orderlines_executor_rq.draining import Drain

    _Bells = SimpleQueue[tuple[list[int] | None, float | None] | None]


def main(connection: int) -> None:
    """Serve the worker on the socket ``connection`` until it closes it."""
    channel = Channel(connection)
    frames = channel.frames()
    first = next(frames, None)
    if first is None:
        return
    for stream in (sys.stdout, sys.stderr):  # The process may end by a signal, which writes no buffers.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    _, target, settings = first.head
    begin(worker=settings.get("worker"))
    try:
        drain: Drain = load(target)(settings, lambda words: channel.send(pack(["said", words])))
        drain.begin()
    except StoreUnavailable as error:
        channel.send(pack(["unavailable", f"{error}"]))
        return
    except OrderlinesError as error:
        channel.send(pack(["refused", f"{error}"]))
        return
    bells: _Bells = SimpleQueue()
    Thread(target=_obey, args=(frames, drain, bells), daemon=True, name="orderlines-orders").start()
    channel.send(pack(["ready"]))
    while (order := bells.get()) is not None:
        bell, seconds = order
        if seconds is None:
            drain.part()
            channel.send(pack(["parted"]))
            continue
        channel.send(pack(_answer(drain, None if bell is None else Bell(*bell), time.monotonic() + seconds)))


def load(target: str) -> Any:
    """Return what ``package.module:name`` names."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def _answer(drain: Drain, bell: Bell | None, until: float) -> list[Any]:
    try:
        return ["drained", drain.drain(bell, until).value, drain.rest()]
    except StoreUnavailable as error:
        return ["unavailable", f"{error}"]
    except OrderlinesError as error:
        return ["failed", f"{error}"]
    except Exception as error:  # noqa: BLE001 -- it may raise whatever it likes; the next bell is another one
        logger().exception("what a bell announced cannot be done")
        return ["failed", f"{type(error).__name__}: {error}"]


def _obey(frames: Iterator[Frame], drain: Drain, bells: _Bells) -> None:
    """Take orders in a thread of its own: the main thread may be in a drain."""
    for frame in frames:
        word, *values = frame.head
        if word == "drain":
            bells.put((values[0], values[1]))
        elif word == "part":
            bells.put((None, None))
        elif word == "leave":
            drain.leave()
        else:
            drain.obey(values[0])
    bells.put(None)
