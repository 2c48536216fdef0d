"""What observers were told, on its way to a thread that makes spans and counts of it.

A driver only puts it into a queue. Importing the libraries, making spans and sending them happens in other threads;
where these do not get on, what is told is dropped and counted.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from orderlines.logger import logger
from orderlines_otel.plugin import METRICS, wants_traces

if TYPE_CHECKING:
    from collections.abc import Callable

QUEUE: Final = 20_000
"""Events that may wait."""
PAUSE: Final = 0.1
"""Seconds for which events may gather before they are looked at."""
PATIENCE: Final = 2.0
"""Seconds that a driver waits at its end for what is not sent yet."""


class RunChanged(NamedTuple):
    """A run has begun or ended; the fields are those of the hook ``orderlines_run_changed``."""

    run: str
    flow: str
    status: str
    error: str | None
    round: int
    started: float | None
    finished: float | None


class LineEnded(NamedTuple):
    """A line has ended; the fields are those of the hook ``orderlines_line_ended``."""

    run: str
    flow: str
    line: str
    status: str
    started: float | None
    finished: float
    error: str | None
    round: int


class AttemptEnded(NamedTuple):
    """An attempt has ended; the fields are those of the hook ``orderlines_task_changed``."""

    run: str
    flow: str
    line: str
    node: str
    visit: int
    status: str
    attempt: int
    executor: str | None
    started: float
    finished: float
    error: str | None
    round: int
    type: str | None
    component: str | None


Event = RunChanged | LineEnded | AttemptEnded


class Sink(Protocol):
    """Makes something of events. Belongs to one thread, but for :meth:`flush`."""

    def take(self, event: Event) -> None:
        """Take note of what has happened."""

    def flush(self) -> None:
        """Send what is not sent yet; may take as long as it likes."""

    def lost(self, count: int) -> None:
        """Take note that so many events were dropped since the last time."""


class Pipeline:
    """Takes events from any thread, and gives them to sinks in a thread of its own.

    :param make: makes the sinks, in that thread.
    """

    def __init__(self, make: Callable[[], list[Sink]]) -> None:
        self._make = make
        self._queue: deque[Event | threading.Event] = deque()
        self._stirred = threading.Event()
        self._hurried = threading.Event()
        self._lost = 0
        self._failed = False
        threading.Thread(target=self._run, daemon=True, name="orderlines-otel").start()

    def put(self, event: Event) -> None:
        """Take an event; never waits."""
        if len(self._queue) >= QUEUE:
            self._lost += 1
            return
        self._queue.append(event)
        if not self._stirred.is_set():
            self._stirred.set()

    def flush(self, seconds: float = PATIENCE) -> None:
        """Wait until all that was put is sent, or for so long."""
        done = threading.Event()
        self._queue.append(done)
        self._hurried.set()
        self._stirred.set()
        if not done.wait(seconds):
            logger().warning("traces that are not sent after %g s may be lost: does the collector answer?", seconds)

    def _run(self) -> None:
        sinks = self._make()
        while self._stirred.wait():
            # To be woken for each event would hold up the thread that puts it.
            self._hurried.wait(PAUSE)
            self._hurried.clear()
            self._stirred.clear()
            while self._queue:
                self._pass(self._queue.popleft(), sinks)
                time.sleep(
                    0
                )  # Lets a driver have the interpreter that waits for it, after one event and not after 5 ms.

    def _pass(self, event: Event | threading.Event, sinks: list[Sink]) -> None:
        if isinstance(event, threading.Event):
            # In another thread: metrics go on while a collector hangs.
            threading.Thread(target=_flush, args=(sinks, event), daemon=True, name="orderlines-otel-flush").start()
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            self._each(sinks, partial(_lose, lost))
        self._each(sinks, partial(_take, event))

    def _each(self, sinks: list[Sink], act: Callable[[Sink], None]) -> None:
        for sink in sinks:
            try:
                act(sink)
            except Exception:  # noqa: BLE001 -- logged; what is told of a run must not end with one event
                if not self._failed:
                    self._failed = True
                    logger().exception("an event is left out of traces or metrics; further ones are left out silently")


def _take(event: Event, sink: Sink) -> None:
    sink.take(event)


def _lose(count: int, sink: Sink) -> None:
    sink.lost(count)


def _flush(sinks: list[Sink], done: threading.Event) -> None:
    try:
        for sink in sinks:
            sink.flush()
    finally:
        done.set()


def _sinks() -> list[Sink]:
    """Return what the environment asks for; what cannot be had is told, and no run fails of it."""
    makers: list[Callable[[], Sink]] = []
    if os.environ.get(METRICS):
        makers.append(_metrics)
    if wants_traces():
        makers.append(_traces)
    sinks: list[Sink] = []
    for make in makers:
        try:
            sinks.append(make())
        except Exception as error:  # noqa: BLE001 -- whatever is wrong with what was configured, or installed
            told = f"{type(error).__name__}: {error}"
            logger().warning("there will be no %s: %s; mend it, or unset the variables", make.__name__[1:], told)
    return sinks


def _metrics() -> Sink:
    from orderlines_otel.metrics import Metrics  # noqa: PLC0415 -- imports prometheus_client

    return Metrics.served(os.environ)


def _traces() -> Sink:
    from orderlines_otel.traces import Traces  # noqa: PLC0415 -- imports opentelemetry

    return Traces.configured()


_LOCK: Final = threading.Lock()
_PIPELINES: Final[dict[int, Pipeline]] = {}
"""One for a process, by its id: a fork has no thread of its parent's."""


def pipeline() -> Pipeline:
    """Return the process's pipeline, begun when it is first asked for."""
    found = _PIPELINES.get(os.getpid())
    if found is None:
        with _LOCK:
            found = _PIPELINES.get(os.getpid())
            if found is None:
                found = _PIPELINES[os.getpid()] = Pipeline(_sinks)
    return found
