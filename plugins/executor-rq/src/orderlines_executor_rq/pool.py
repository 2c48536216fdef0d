"""Several workers under one supervisor, which begins another where one has died."""

from __future__ import annotations

import select
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from orderlines.capture.structured import begin
from orderlines.errors import OrderlinesError, UsageError
from orderlines.logger import logger
from orderlines.processes.frames import Decoder, pack
from orderlines.processes.supervisor import Supervisor
from orderlines_executor_rq.connection import connect
from orderlines_executor_rq.fitting import check
from orderlines_executor_rq.keys import signing_key
from orderlines_executor_rq.options import WorkerOptions
from orderlines_executor_rq.serving import serve
from orderlines_executor_rq.stopping import Stopping

if TYPE_CHECKING:
    from orderlines.processes.supervisor import SupervisedChild

ENTRY: Final = "orderlines_executor_rq.pool:main"
LOOK: Final = 0.1
SLACK: Final = 5.0
"""Seconds beyond the drain's grace that a worker gets to let go of everything."""
BRIEF: Final = 10.0
"""Seconds within which the life of a worker is brief, and the next one has to wait."""
LONGEST: Final = 30.0
"""Seconds that it waits at most."""


def serve_many(options: WorkerOptions, count: int) -> None:
    """As :func:`orderlines_executor_rq.serving.serve`, with several workers, each in a process of its own.

    :raises UsageError: there is nothing to serve with, or a worker says so.
    """
    if count < 1:
        raise UsageError(f"{count} workers cannot serve: name a number from 1")
    if count == 1:
        serve(options)
        return
    connection = connect(options.queue)
    check(options, signing_key(), connection)
    connection.close()
    stopping = Stopping()
    with stopping.caught():
        Pool(options, count, stopping).run()


class Pool:
    """Keeps a number of workers alive."""

    def __init__(self, options: WorkerOptions, count: int, stopping: Stopping) -> None:
        self._options = options
        self._stopping = stopping
        self._supervisor = Supervisor(preload=("orderlines_executor_rq.loop", "orderlines_executor_rq.worker"))
        self._places = [_Place() for _ in range(count)]

    def run(self) -> None:
        """Return when all have ended, on order or, in a burst, because there was nothing left.

        :raises OrderlinesError: a worker has said that none can serve.
        """
        asked = False
        try:
            while not self._over():
                self._fill()
                if self._stopping.asked and (not asked or self._stopping.hard):
                    asked = True
                    self._end()
                self._attend()
        finally:
            self._supervisor.close()

    def _over(self) -> bool:
        return all(place.child is None and (place.done or self._stopping.asked) for place in self._places)

    def _fill(self) -> None:
        now = time.monotonic()
        for place in self._places:
            if place.child is None and not place.done and not self._stopping.asked and now >= place.start_at:
                place.started = now
                try:
                    place.child = self._supervisor.spawn(ENTRY)
                except OSError as error:  # No descriptors or no processes left: that passes.
                    self._wait(place, f"cannot be begun ({error})")
                    continue
                place.child.send(pack(["serve", self._options._asdict()]))
                place.child.flush()

    def _end(self) -> None:
        # The second signal ends a worker's drain at once; what that had in hand is given back by the worker.
        grace = SLACK if self._stopping.hard else self._options.grace + SLACK
        for place in self._places:
            if place.child is not None:
                place.child.end(grace)

    def _attend(self) -> None:
        living = [place for place in self._places if place.child is not None]
        controls = [place.child.control for place in living if place.child is not None]
        select.select(controls, [], [], LOOK)
        for place in living:
            child = place.child
            if child is None:
                continue
            child.flush()
            child.read_control()
            if child.exit is not None:
                self._bury(place, child)

    def _bury(self, place: _Place, child: SupervisedChild) -> None:
        """Take note of a worker's end.

        :raises OrderlinesError: it has said that none can serve.
        """
        done = False
        for frame in child.receive_rest():
            if frame.head[0] == "refused":
                raise UsageError(frame.head[1])
            done = done or frame.head[0] == "done"
        place.done = done and self._options.burst
        child.close()
        place.child = None
        if place.done or self._stopping.asked:
            return
        self._wait(place, "has ended, as it was told to" if done else f"has ended ({child.exit})")

    def _wait(self, place: _Place, why: str) -> None:
        """Let a place stay empty for a while; for longer where its workers do not live."""
        now = time.monotonic()
        place.wait = min(LONGEST, place.wait * 2) if now - place.started < BRIEF else LOOK
        place.start_at = now + place.wait
        logger().warning("a worker %s; another one is begun in %.1f s", why, place.wait)


class _Place:
    """One worker's place: its process, and when the next one may begin."""

    def __init__(self) -> None:
        self.child: SupervisedChild | None = None
        self.started = self.start_at = 0.0
        self.wait = LOOK
        self.done = False


def main(connection: int) -> None:
    """Be one of the workers; the supervisor sends the options, and hears how it ended."""
    with socket.socket(fileno=connection) as supervisor:
        options = _options(supervisor)
        if options is None:
            return
        begin()
        try:
            # The supervisor has looked; who takes a dead worker's place serves whoever has rung meanwhile.
            serve(options, fits=True)
            said: list[Any] = ["done"]
        except UsageError as error:
            said = ["refused", f"{error}"]
        except OrderlinesError as error:
            sys.stderr.write(f"Error: {error}\n")
            said = ["failed"]
        supervisor.sendall(pack(said))


def _options(supervisor: socket.socket) -> WorkerOptions | None:
    decoder = Decoder()
    while data := supervisor.recv(65_536):
        for frame in decoder.feed(data):
            given = frame.head[1]
            return WorkerOptions(**{**given, "queues": tuple(given["queues"])})
    return None
