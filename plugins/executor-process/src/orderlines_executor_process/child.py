"""The child: takes a call, runs it, answers."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from orderlines.capture import Recorded
from orderlines.capture.inband import PipedRecords
from orderlines.executors.calls import pack_done, read_call, run_request
from orderlines.executors.childside import Channel
from orderlines.processes.frames import pack
from orderlines_executor_process.memory import limit_memory, named
from orderlines_executor_process.streams import StandardStreams

if TYPE_CHECKING:
    from orderlines.components.context import CallContext


def main(descriptor: int) -> None:
    """Serve calls on the socket ``descriptor`` until the driver closes it."""
    limit = limit_memory()
    streams = StandardStreams()
    records = PipedRecords(streams.kept)
    channel = Channel(descriptor)
    channel.send(pack(["ready"]))
    for frame in channel.frames():
        request = read_call(frame)
        streams.restore()
        with Recorded(records):
            done = run_request(request, channel.send, _listen)
        streams.flush()
        channel.send(pack_done(request.id, done if limit is None else named(done, limit)))


def _listen(context: CallContext | None) -> None:
    """Have SIGTERM ask the call that takes a context, and end one that does not."""
    if context is None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    else:
        asked = context
        signal.signal(signal.SIGTERM, lambda number, frame: asked.ask())
