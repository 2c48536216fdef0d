"""A driver whose plugins, whose lease or whose neighbours fail."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.driver import Driver
from orderlines.engine import Engine, open_store
from orderlines.errors import OrderlinesError
from orderlines.flow.load import load_text
from orderlines.processes.identity import ProcessIdentity
from orderlines.states import LineStatus
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orderlines.stores.base import Store

GOOD = "flow: good\nline:\n  - {id: a, call: acts.note, with: {text: a}}\n"
ABYSS = "flow: abyss\nline:\n  - {id: a, abyss: true}\n"
WAIT = """\
flow: wait
line:
  - {id: a, call: acts.wait, with: {text: a}}
  - {id: b, call: acts.note, with: {text: b}}
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/runs.db")
    yield store
    store.close()


def test_a_node_type_that_raises_fails_its_own_run(store: Store, registry: Any, acts: Any) -> None:
    with Engine(store, registry=registry) as engine:
        bad, good = (engine.start(load_text(text, registry).flow) for text in (ABYSS, GOOD))
        assert bad.wait(30) == "FAILURE"
        assert good.wait(30) == "SUCCESS"
        assert bad.error is not None
        assert (bad.error["node"], bad.error["type"]) == ("a", "InternalError")
        assert "no way" in bad.error["message"]
        assert engine.start(load_text(GOOD, registry).flow).wait(30) == "SUCCESS"


def test_a_run_whose_plugin_is_missing_does_not_harm_others(store: Store, registry: Any, acts: Any) -> None:
    with Engine(store, registry=registry) as engine:
        good = load_text(GOOD, registry).flow
        lost = engine.start(good._replace(digest="other", data={**good.data, "line": [{"id": "a", "call": "gone.a"}]}))
        with pytest.raises(OrderlinesError, match="gone"):
            lost.wait(30)
        assert engine.start(good).wait(30) == "SUCCESS"
        assert lost.status == "PENDING"
        lost.stop()
        until(lambda: lost.status == "STOP", "the run is stopped")
        assert lost.wait(30) == "STOP"
        assert lost.variables == {}


def test_a_driver_that_is_not_on_the_books_gets_no_line(store: Store, registry: Any, acts: Any) -> None:
    driver = store.enroll(ProcessIdentity.current())
    with Engine(store, registry=registry) as engine:
        engine.start(load_text(GOOD, registry).flow).wait(30)
    store.dismiss([driver])
    runs = [row.id for row in store.runs(9)]
    assert store.claim(driver, runs, 9) == []


@pytest.mark.parametrize("executor", ["inline", "thread"])
def test_a_driver_that_lost_its_lease_is_replaced(
    executor: str, store: Store, registry: Any, acts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERLINES_LEASE", "1s")
    with Engine(store, executor=executor, registry=registry) as engine:
        run = engine.start(load_text(WAIT, registry).flow)
        assert acts.begun.acquire(timeout=30)
        (first,) = store.drivers()
        store.dismiss([first.id])
        acts.gate.set()
        assert run.wait(30) == "SUCCESS"
        until(lambda: [row.id for row in store.drivers() if row.id == first.id] == [], "it is not on the books")
    assert {kept.task.node for kept in store.tasks(run.row.id)} == {"a", "b"}
    attempts = {kept.task.node: kept.task.attempt for kept in store.tasks(run.row.id)}
    assert acts.done.count("a") <= attempts["a"]
    assert acts.done.count("b") == 1


def test_a_driver_gives_back_what_it_has_not_begun(store: Store, registry: Any, acts: Any) -> None:
    lines = ", ".join(f"l{i}: [{{id: n{i}, call: acts.wait, with: {{text: n{i}}}}}]" for i in range(4))
    flow = load_text(f"flow: many\nline:\n  - {{id: p, parallel: {{lines: {{{lines}}}}}}}\n", registry).flow
    with Engine(store, registry=registry) as engine:
        run = engine.start(flow)
        assert acts.begun.acquire(timeout=30)
        closing = threading.Thread(target=engine.close)
        closing.start()
        acts.gate.set()
        closing.join(60)
    rows = [row for row in store.lines(run.row.id) if row.parent is not None]
    assert {row.owner for row in rows} == {None}
    assert all(row.attempt == 0 for row in rows if row.status == LineStatus.READY)
    with Engine(store, registry=registry) as engine:
        (again,) = engine.recover()
        assert again.wait(30) == "SUCCESS"
    assert sorted(acts.done) == ["n0", "n1", "n2", "n3"]
    assert {kept.task.attempt for kept in store.tasks(run.row.id)} == {1}


def test_an_order_for_a_run_that_is_not_there_is_answered(store: Store, registry: Any) -> None:
    told: list[int] = []
    driver = Driver(store, registry, told.append)
    driver.add(os.getpid())
    thread = threading.Thread(target=driver.drive)
    thread.start()
    until(lambda: told == [os.getpid()], "it is told of")
    driver.close()
    thread.join(60)
    assert driver.failure is None
    assert store.drivers() == []


def test_a_call_that_waits_for_another_one_has_not_started_yet(store: Store, registry: Any, acts: Any) -> None:
    first = "first: [{id: first, call: acts.wait, with: {text: first}}]"
    then = ", ".join(f"l{i}: [{{id: n{i}, call: acts.note, with: {{text: n}}}}]" for i in range(3))
    flow = load_text(f"flow: many\nline:\n  - {{id: p, parallel: {{lines: {{{first}, {then}}}}}}}\n", registry).flow
    with Engine(store, registry=registry) as engine:
        run = engine.start(flow)
        assert acts.begun.acquire(timeout=30)
        opened = store.now()
        acts.gate.set()
        assert run.wait(30) == "SUCCESS"
    started = {kept.task.node: kept.task.started for kept in store.tasks(run.row.id)}
    assert min(started[node] for node in ("n0", "n1", "n2")) >= opened


def test_calls_that_ended_together_stand_in_the_order_in_which_they_began(
    store: Store, registry: Any, acts: Any
) -> None:
    lines = ", ".join(f"l{i}: [{{id: n{i}, call: acts.note, with: {{text: n{i}}}}}]" for i in range(60))
    flow = load_text(f"flow: many\nline:\n  - {{id: p, parallel: {{lines: {{{lines}}}}}}}\n", registry).flow
    with Engine(store, registry=registry) as engine:
        run = engine.start(flow)
        assert run.wait(30) == "SUCCESS"
        shown = [task["node"] for task in run.tasks() if task["node"] != "p"]
    assert shown == acts.done == [f"n{i}" for i in range(60)]
