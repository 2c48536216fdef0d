"""The tasks of a run as documents: what a line stands at, and the order in which tasks are told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.plugins import registry
from orderlines.states import LineStatus
from orderlines.stores.sqlite import SQLiteStore
from orderlines.testing.drivers.played import PlayedDriver
from orderlines.testing.drivers.records import new_run, step, task
from orderlines.views import run_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NODES = [{"id": "s", "signal": "go"}, {"id": "c", "delay": 1.0}]


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[PlayedDriver]:
    """A driver on the books of an empty store."""
    store = SQLiteStore(f"sqlite:///{tmp_path}/runs.db")
    yield PlayedDriver(store)
    store.close()


def read(driver: PlayedDriver, run: int) -> list[dict[str, Any]]:
    """Return the tasks of a run."""
    row = driver.store.run(run)
    assert row is not None
    tasks: list[dict[str, Any]] = run_document(driver.store, row, registry())["tasks"]
    return tasks


def shown(driver: PlayedDriver, **given: Any) -> list[tuple[str, int, str]]:
    """Return the tasks of a run of two nodes after one step."""
    line = driver.begin(body=json.dumps({"flow": "f", "line": NODES}))
    driver.write(step(line, **given))
    return [(each["node"], each["visit"], each["status"]) for each in read(driver, line.run)]


def test_what_ended_stands_before_what_began_at_the_same_moment(driver: PlayedDriver) -> None:
    tasks = (task("s", started=5.0), task("c", started=5.0), task("s", visit=2, started=5.0))
    seen = shown(driver, status=LineStatus.CALL, cursor=1, attempt=1, began=5.0, tasks=tasks)
    assert [each[:2] for each in seen] == [("s", 1), ("c", 1), ("s", 2), ("c", 2)]


def test_the_order_of_a_line_stands_whatever_the_clocks_said(driver: PlayedDriver) -> None:
    tasks = (task("s", started=9.0), task("c", started=5.0))
    seen = shown(driver, status=LineStatus.CALL, cursor=0, attempt=1, began=4.0, tasks=tasks)
    assert [each[:2] for each in seen] == [("s", 1), ("c", 1), ("s", 2)]


def test_a_node_does_not_vanish_while_its_next_attempt_may_not_begin(driver: PlayedDriver) -> None:
    seen = shown(driver, status=LineStatus.READY, cursor=1, attempt=2, tasks=(task("s"),))
    assert seen == [("s", 1, "SUCCESS"), ("c", 1, "RETRY")]


def test_where_nothing_has_begun_nothing_is_shown(driver: PlayedDriver) -> None:
    assert shown(driver, status=LineStatus.READY, cursor=1, tasks=(task("s"),)) == [("s", 1, "SUCCESS")]


@pytest.mark.parametrize(("attempt", "status"), [(1, "RUNNING"), (0, "PENDING")])
def test_an_on_failure_call_is_not_another_visit(attempt: int, status: str, driver: PlayedDriver) -> None:
    state = json.dumps({"node": "c", "line": "", "type": "E", "message": "no", "own": False})
    failed = (task("s"), task("c", status="FAILURE"))
    seen = shown(driver, status=LineStatus.HANDLER, cursor=1, attempt=attempt, state=state, tasks=failed)
    assert seen == [("s", 1, "SUCCESS"), ("c", 1, "FAILURE"), ("c:on_failure", 1, status)]


def waits(driver: PlayedDriver, run: int) -> list[tuple[str, str, str | None]]:
    return [(each["node"], each["status"], each.get("queue")) for each in read(driver, run)]


@pytest.fixture
def left(driver: PlayedDriver) -> int:
    """A run that was accepted for workers of ``gpu``, and that none has taken yet."""
    body = json.dumps({"flow": "f", "line": NODES})
    return driver.store.accept(new_run(body=body, queue="gpu")).id


def test_what_is_left_to_workers_says_which_ones_it_waits_for(driver: PlayedDriver, left: int) -> None:
    assert waits(driver, left) == [("s", "PENDING", "gpu")]
    (waiting,) = read(driver, left)
    assert (waiting["attempt"], waiting["visit"], waiting["started"], waiting["finished"]) == (0, 1, None, None)
    (line,) = driver.store.claim(driver.id, [left], 1, ["gpu"])
    assert waits(driver, left) == []
    moved = step(line, cursor=1, tasks=(task("s"),), queue="cpu", moves=True, keep=False)
    driver.write(moved)
    assert waits(driver, left) == [("s", "SUCCESS", None), ("c", "PENDING", "cpu")]


@pytest.mark.parametrize(("status", "told"), [(LineStatus.CALL, "RUNNING"), (LineStatus.READY, "RETRY")])
def test_what_a_worker_gave_back_waits_for_another_one(status: str, told: str, driver: PlayedDriver, left: int) -> None:
    (line,) = driver.store.claim(driver.id, [left], 1, ["gpu"])
    driver.write(step(line, status, attempt=1, began=1.0))
    assert waits(driver, left) == [("s", told, None)]
    driver.store.release(driver.id, [line.id])
    assert waits(driver, left) == [("s", told, "gpu")]


@pytest.mark.parametrize("wish", ["pause", "stop"])
def test_what_may_not_begin_waits_for_no_worker(wish: str, driver: PlayedDriver, left: int) -> None:
    driver.store.wish(left, wish)
    assert waits(driver, left) == []


def test_what_waits_for_its_time_waits_for_no_worker_yet(driver: PlayedDriver, left: int) -> None:
    (line,) = driver.store.claim(driver.id, [left], 1, ["gpu"])
    driver.write(step(line, LineStatus.SIGNAL, state="[]", keep=False))
    assert waits(driver, left) == [("s", "WAITING", None)]
