"""What is told reaches the sinks, from a thread that no driver waits for."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from orderlines.testing.bench import until
from orderlines_otel.pipeline import QUEUE, LineEnded, Pipeline

if TYPE_CHECKING:
    import pytest

    from orderlines_otel.pipeline import Event, Sink

EVENT = LineEnded("r1", "f", "/p#1/a", "SUCCESS", 1.0, 2.0, None, 1)


class Recorder:
    """A sink that takes nothing before it is let go, unless it ``holds`` only what is to be sent."""

    def __init__(self) -> None:
        self.taken: list[Event] = []
        self.dropped = 0
        self.go = threading.Event()
        self.fails = False
        self.holds = True

    def take(self, event: Event) -> None:
        if self.holds:
            self.go.wait()
        if self.fails:
            raise ValueError("no")
        self.taken.append(event)

    def flush(self) -> None:
        self.go.wait()

    def lost(self, count: int) -> None:
        self.dropped += count


def begun(*sinks: Sink) -> Pipeline:
    return Pipeline(lambda: list(sinks))


def test_what_is_put_is_taken_in_its_order() -> None:
    sink = Recorder()
    sink.go.set()
    pipeline = begun(sink)
    events = [EVENT._replace(line=f"/p#1/{number}") for number in range(10)]
    for event in events:
        pipeline.put(event)
    pipeline.flush()
    assert sink.taken == events


def test_what_is_too_much_is_dropped_and_counted() -> None:
    sink = Recorder()
    pipeline = begun(sink)
    for _ in range(QUEUE + 50):
        pipeline.put(EVENT)
    sink.go.set()
    until(lambda: len(sink.taken) + sink.dropped == QUEUE + 50, "all are taken or counted")
    assert 49 <= sink.dropped <= 50


def test_a_flush_that_takes_too_long_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    sink = Recorder()
    pipeline = begun(sink)
    with caplog.at_level(logging.WARNING):
        pipeline.flush(0.01)
    assert "may be lost" in caplog.text
    sink.go.set()


def test_a_flush_does_not_hold_up_what_comes_after_it(caplog: pytest.LogCaptureFixture) -> None:
    hanging, other = Recorder(), Recorder()
    other.go.set()
    hanging.holds = False
    pipeline = begun(hanging, other)
    pipeline.flush(0.01)
    pipeline.put(EVENT)
    until(lambda: other.taken == [EVENT], "the other sink has taken the event")
    hanging.go.set()


def test_a_sink_that_raises_is_told_once_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    bad, good = Recorder(), Recorder()
    for sink in (bad, good):
        sink.go.set()
    bad.fails = True
    pipeline = begun(bad, good)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            pipeline.put(EVENT)
        pipeline.flush()
    assert good.taken == [EVENT] * 3
    assert caplog.text.count("an event is left out") == 1
