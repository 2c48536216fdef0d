"""The child: takes a call, runs it, answers."""

from __future__ import annotations

import signal
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING

from orderlines.executors.calls import pack_done, read_call, run_request
from orderlines.executors.childside import Channel
from orderlines.processes.frames import pack

if TYPE_CHECKING:
    from orderlines.components.context import CallContext


def main(descriptor: int) -> None:
    """Serve calls on the socket ``descriptor`` until the driver closes it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # The process ends by a signal, which writes no buffers.
            stream.reconfigure(line_buffering=True)
    channel = Channel(descriptor)
    channel.send(pack(["ready"]))
    for frame in channel.frames():
        request = read_call(frame)
        done = run_request(request, channel.send, _listen)
        channel.send(pack_done(request.id, done))


def _listen(context: CallContext | None) -> None:
    """Have SIGTERM ask the call that takes a context, and end one that does not."""
    if context is None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    else:
        asked = context
        signal.signal(signal.SIGTERM, lambda number, frame: asked.ask())
