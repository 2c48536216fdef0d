from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines.errors import UsageError
from orderlines.executors.thread import ThreadExecutor
from orderlines.testing.bench import until
from orderlines.testing.executors import ExecutorTests

if TYPE_CHECKING:
    from pathlib import Path

    from orderlines.testing.bench import Bench


class TestThreadExecutor(ExecutorTests):
    kind = ThreadExecutor

    def test_an_ended_call_is_abandoned_at_once(self, bench: Bench, tmp_path: Path) -> None:
        started, finished = tmp_path / "started", tmp_path / "finished"
        call = bench.submit("patient", started=str(started), finished=str(finished))
        until(started.exists, "it starts")
        bench.executor.end(call)
        outcome = bench.wait(call)
        assert outcome.how == "ended"
        assert "may still run" in outcome.message
        until(finished.exists, "its context tells it")
        assert bench.run("noop").how == "returned"
        assert len(bench.delivered) == 2

    def test_an_abandoned_call_takes_no_place(self, bench: Bench, tmp_path: Path) -> None:
        room = bench.executor.free()
        call = bench.submit("wait_for", path=str(tmp_path / "go"))
        assert bench.executor.free() == room - 1
        bench.executor.end(call)
        assert bench.executor.free() == room
        (tmp_path / "go").touch()

    def test_the_close_waits_for_calls_within_the_grace(self, bench: Bench, tmp_path: Path) -> None:
        call = bench.submit("patient", started=str(tmp_path / "started"), finished=str(tmp_path / "finished"))
        bench.executor.close(10.0)
        outcome = bench.wait(call)
        assert (outcome.how, outcome.result) == ("returned", '"stopped in good order"')

    def test_the_close_abandons_what_outlasts_the_grace(self, bench: Bench, tmp_path: Path) -> None:
        call = bench.submit("wait_for", path=str(tmp_path / "go"))
        bench.executor.close(0.05)
        assert bench.wait(call).how == "ended"
        (tmp_path / "go").touch()


@pytest.mark.parametrize("value", [0, -1, "many", 1.5, True])
def test_a_wrong_concurrency_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="concurrency"):
        ThreadExecutor(lambda outcomes: None, {"concurrency": value})
