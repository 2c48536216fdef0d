"""Runs that are to stop, with lines for workers who do not come."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.acceptance import new_run
from orderlines.draining import Drainer
from orderlines.driving.patience import Patience
from orderlines.driving.stranded import LOOK, PATIENCE, RUNS, Stranded
from orderlines.engine import Engine
from orderlines.flow.load import load_text
from orderlines.processes.identity import ProcessIdentity
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from orderlines.stores.sqlite import SQLiteStore

FAN = """\
flow: fan
line:
  - id: fan
    parallel:
      lines:
        x:
          - id: each
            foreach: [1, 2]
            line: [{id: a, call: acts.note, with: {text: a}, queue: nobody}]
        y: [{id: b, call: acts.note, with: {text: b}, queue: none}]
"""
LATER = """\
flow: later
line:
  - {id: a, call: acts.note, with: {text: a}}
  - {id: b, call: acts.note, with: {text: b}, queue: nobody}
"""


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let drivers wait for workers a moment only."""
    monkeypatch.setattr("orderlines.driving.stranded.LOOK", 0.1)
    monkeypatch.setattr("orderlines.driving.stranded.PATIENCE", 0.1)


def left(store: SQLiteStore, run: int) -> set[str | None]:
    """Return the queues of the lines that wait for workers."""
    return {line.queue for line in store.lines(run) if line.status == "READY" and line.owner is None}


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(("text", "queues"), [(FAN, {"nobody", "none"}), (LATER, {"nobody"})])
def test_an_engine_stops_lines_that_no_worker_takes(
    text: str, queues: set[str], store: SQLiteStore, registry: Any, acts: Any
) -> None:
    with Engine(store, registry=registry) as engine:
        run = engine.start(load_text(text, registry).flow)
        until(lambda: left(store, run.row.id) == queues, "its lines are left to workers")
        run.stop()
        assert run.wait(30) == "STOP"
    assert "b" not in acts.done


@pytest.mark.usefixtures("hurried")
def test_a_worker_stops_lines_below_its_own_that_no_worker_takes(store: SQLiteStore, registry: Any, acts: Any) -> None:
    worker = Drainer(store, registry, ["default"])
    run = store.accept(new_run(load_text(FAN, registry).flow, {}, None, None)._replace(queue="default"))
    until(lambda: not worker.drain(float("inf")) and left(store, run.id) == {"nobody", "none"}, "its lines are left")
    store.wish(run.id, "stop")
    until(lambda: not worker.drain(float("inf")) and store.runs(1)[0].status == "STOP", "it stops")
    worker.close()
    worker.part()


class Waiting:
    """Runs that wait for workers who do not come, and a driver that looks after them."""

    def __init__(self, store: SQLiteStore, registry: Any, count: int = 1) -> None:
        flow = load_text(LATER, registry).flow
        self.runs = [store.accept(new_run(flow, {}, None, None)._replace(queue="nobody")) for _ in range(count)]
        self.driver = store.enroll(ProcessIdentity.current())
        self._stranded = Stranded(store, self.driver, Patience(threading.Event(), lambda: None))
        for run in self.runs:
            self._stranded.note(run.id)

    def look(self, now: float) -> set[int]:
        """Return the runs of which it takes a line."""
        lines = self._stranded.look(now)
        assert {line.owner for line in lines} <= {self.driver}
        return {line.run for line in lines}


def test_workers_get_some_time_to_stop_lines_by_themselves(store: SQLiteStore, registry: Any, acts: Any) -> None:
    waiting = Waiting(store, registry)
    (run,) = waiting.runs
    assert waiting.look(0.0) == set()
    store.wish(run.id, "stop")
    assert waiting.look(LOOK / 2) == waiting.look(LOOK) == waiting.look(LOOK + PATIENCE - 0.1) == set()
    assert waiting.look(2 * LOOK + PATIENCE) == {run.id}


def test_lines_of_runs_that_go_on_or_are_paused_are_left(store: SQLiteStore, registry: Any, acts: Any) -> None:
    waiting = Waiting(store, registry, 2)
    store.wish(waiting.runs[0].id, "pause")
    assert [waiting.look(now) for now in range(0, 100, 10)] == [set()] * 10


def test_of_many_runs_each_has_its_turn(store: SQLiteStore, registry: Any, acts: Any) -> None:
    waiting = Waiting(store, registry, RUNS + 1)
    last = waiting.runs[-1].id
    store.wish(last, "stop")
    assert set().union(*(waiting.look(now) for now in range(0, 100, 10))) == {last}
