from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.executors.inline import QUEUED, InlineExecutor
from orderlines.testing.executors import ExecutorTests

if TYPE_CHECKING:
    from orderlines.testing.bench import Bench


class TestInlineExecutor(ExecutorTests):
    kind = InlineExecutor

    def test_calls_run_when_it_is_polled(self, bench: Bench) -> None:
        call = bench.submit("noop")
        assert bench.delivered == []
        bench.poll(10)
        assert [outcome.call for outcome in bench.delivered] == [call]

    def test_a_poll_whose_time_is_over_begins_nothing(self, bench: Bench) -> None:
        bench.submit("noop")
        bench.poll(0)
        assert bench.delivered == []

    def test_a_waiting_call_is_taken_back(self, bench: Bench) -> None:
        call = bench.submit("noop")
        bench.executor.end(call)
        assert bench.wait(call).how == "ended"

    def test_what_waits_at_the_close_is_lost(self, bench: Bench) -> None:
        call = bench.submit("noop")
        bench.executor.close(0.0)
        assert bench.wait(call).how == "lost"

    def test_after_a_long_call_it_takes_one_and_more_while_they_go_quickly(self, bench: Bench) -> None:
        """What waits behind a call counts as begun: behind another long one there is to be nothing."""
        assert bench.executor.free() == QUEUED
        bench.submit("nap", seconds=0.02)
        bench.submit("noop")
        bench.poll(0.01)
        assert bench.executor.free() == 0
        for room in (2, 4, 8):
            while bench.executor.free():
                bench.submit("noop")
            bench.poll(10)
            assert bench.executor.free() == room
