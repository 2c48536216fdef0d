"""Flows on workers, end to end: a store, a Redis, and workers that are processes of their own."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest
from rq_posts import wait_for

from orderlines.processes.identity import ProcessIdentity

if TYPE_CHECKING:
    from rq_plant import Plant


def test_a_chain_is_driven_by_a_worker(plant: Plant) -> None:
    plant.worker()
    run = plant.start(plant.node("a"), plant.node("b"), plant.node("c"))
    assert run.wait(30) == "SUCCESS", plant.told()
    assert [task["result"] for task in run.tasks()] == ["a", "b", "c"]
    processes = {said.process for said in plant.said("start")}
    assert len(processes) == 1, "a chain stays where it is"
    assert ProcessIdentity.current() not in processes


def test_the_lines_of_a_parallel_node_are_done_by_several_workers(plant: Plant) -> None:
    plant.worker("--count", "2")
    lines = {name: [plant.node(name, wait=True)] for name in "ab"}
    run = plant.start(plant.node("first"), {"id": "fork", "parallel": {"lines": lines}}, plant.node("last"))
    plant.wait_said("start", "a")
    plant.wait_said("start", "b")
    assert len({said.process for said in plant.said("start") if said.node in {"a", "b"}}) == 2
    plant.let_go()
    assert run.wait(30) == "SUCCESS", plant.told()


def test_many_slow_items_are_spread_over_workers(plant: Plant) -> None:
    plant.worker("--count", "2")
    given = {"log": str(plant.log), "text": "x", "wait": "${file}"}
    each = {"id": "item", "call": "witness.act", "with": given}
    files = [str(plant.folder / f"go{number}") for number in range(6)]
    foreach = {"foreach": files, "as": "file", "line": [each]}
    run = plant.start({"id": "each", **foreach})
    for number in range(6):
        plant.wait_said("start", "item", min(number + 2, 6))
        (plant.folder / f"go{number}").touch()
    assert run.wait(30) == "SUCCESS", plant.told()
    assert len({said.process for said in plant.said("start")}) == 2


def test_slow_items_after_quick_runs_are_spread_over_workers(plant: Plant) -> None:
    """One worker has come to take many lines at once, and takes all items while the other one is busy."""
    plant.worker()
    quick = plant.flow(plant.node("quick"))
    assert {run.wait(30) for run in plant.engine.start_many(quick, [{}] * 60)} == {"SUCCESS"}, plant.told()
    plant.worker("--queues", "own,default")
    blocker = plant.start(plant.node("blocker", wait=True, queue="own"))
    plant.wait_said("start", "blocker")
    nap = {"id": "nap", "call": "stubborn.nap", "with": {"seconds": 0.2}}
    line = [plant.node("first"), nap, plant.node("item")]
    run = plant.start({"id": "each", "foreach": list(range(8)), "line": line})
    plant.wait_said("start", "first")
    plant.let_go()
    assert {blocker.wait(30), run.wait(30)} == {"SUCCESS"}, plant.told()
    items = plant.said("start", "item")
    assert sorted(said.line for said in items) == [f"/each#1/{number}" for number in range(8)]
    assert len({said.process for said in items}) == 2


def test_a_node_with_a_queue_of_its_own_runs_on_the_workers_of_that(plant: Plant) -> None:
    plant.worker()
    plant.worker("--queues", "gpu")
    run = plant.start(plant.node("a"), plant.node("far", queue="gpu"), plant.node("b"))
    assert run.wait(30) == "SUCCESS", plant.told()
    where = {said.node: said.process for said in plant.said("start")}
    assert where["a"] != where["far"]
    assert where["b"] != where["far"]


def test_the_most_urgent_queue_is_served_first(plant: Plant) -> None:
    plant.worker("--queues", "urgent,default")
    blocker = plant.start(plant.node("blocker", wait=True, queue="urgent"))
    plant.wait_said("start", "blocker")
    later = plant.start(plant.node("later"))
    first = plant.start(plant.node("first", queue="urgent"))
    plant.let_go()
    assert {run.wait(30) for run in (blocker, later, first)} == {"SUCCESS"}, plant.told()
    assert [said.node for said in plant.said("start")] == ["blocker", "first", "later"]


def test_what_begins_on_a_queue_of_its_own_waits_for_no_other(plant: Plant) -> None:
    """No worker serves the queue ``default``: a run, and the lines of a foreach, are for where their first node is."""
    plant.worker("--queues", "gpu,own")
    each = {"id": "each", "foreach": [1, 2, 3], "limit": 2, "line": [plant.node("item", queue="own")]}
    run = plant.start(plant.node("first", queue="gpu"), each)
    assert run.wait(30) == "SUCCESS", plant.told()
    assert [said.node for said in plant.said("start")] == ["first", "item", "item", "item"]


def test_a_run_that_begins_here_leaves_a_fan_out_to_workers(plant: Plant) -> None:
    plant.worker()
    lines = {"far": [plant.node("far")]}
    file = plant.file(
        plant.node("here"),
        {"id": "fork", "parallel": {"executor": "rq", "lines": lines}},
        plant.node("back"),
    )
    done = plant.call("run", file, "--json")
    assert done.returncode == 0, (done.stderr, plant.told())
    where = {said.node: said.process for said in plant.said("start")}
    assert where["here"] == where["back"]
    assert where["far"] != where["here"]


def test_a_sub_flow_goes_on_where_its_line_is(plant: Plant) -> None:
    plant.worker()
    inner = plant.folder / "inner.json"
    inner.write_text(json.dumps({"flow": "inner", "line": [plant.node("inside")]}), encoding="utf-8")
    file = plant.file(plant.node("before"), {"id": "enter", "flow": "./inner.json"}, executor="rq")
    done = plant.call("run", file, "--json")
    assert done.returncode == 0, (done.stderr, plant.told())
    assert len({said.process for said in plant.said("start")}) == 1


def test_a_timer_of_a_worker_comes_due_in_time(plant: Plant) -> None:
    plant.worker()
    run = plant.start(plant.node("a"), {"id": "nap", "delay": 1}, plant.node("b"))
    assert run.wait(30) == "SUCCESS", plant.told()
    lag = plant.said("start", "b")[0].at - plant.said("end", "a")[0].at - 1
    assert lag < 2, "nobody waits for the next look for lost bells"


def test_the_command_follows_a_run_that_workers_drive(plant: Plant) -> None:
    plant.worker()
    file = plant.file(plant.node("a"))
    done = plant.call("run", file, "--executor", "rq", "--json")
    assert done.returncode == 0, (done.stderr, plant.told())
    assert json.loads(done.stdout)["status"] == "SUCCESS"
    failing = plant.file({**plant.node("a"), "with": {"log": str(plant.log), "fails": 9}})
    assert plant.call("run", failing, "--executor", "rq").returncode == 1


def test_a_detached_run_needs_no_process_in_the_background(plant: Plant) -> None:
    done = plant.call("run", plant.file(plant.node("a")), "--executor", "rq", "--detach")
    assert (done.returncode, done.stderr) == (0, "")
    assert plant.store.drivers() == []
    plant.worker()
    assert plant.engine.find(done.stdout.strip()).wait(30) == "SUCCESS", plant.told()


def test_sigterm_leaves_a_run_to_its_workers(plant: Plant) -> None:
    plant.worker()
    following = plant.begin("run", plant.file(plant.node("a", wait=True)), "--executor", "rq")
    plant.wait_said("start", "a")
    following.send_signal(signal.SIGTERM)
    _, told = following.communicate(timeout=30)
    assert following.returncode == 143
    assert "orderlines status" in told
    plant.let_go()
    (row,) = plant.store.runs(9)
    assert plant.engine.find(row.name).wait(30) == "SUCCESS", plant.told()


def test_ctrl_c_stops_a_run_that_workers_drive(plant: Plant) -> None:
    plant.worker()
    following = plant.begin("run", plant.file(plant.node("a", wait=True)), "--executor", "rq")
    plant.wait_said("start", "a")
    following.send_signal(signal.SIGINT)
    _, told = following.communicate(timeout=30)
    assert following.returncode == 3, told
    assert plant.said("asked", "a")


def test_the_same_key_from_two_places_is_one_run(plant: Plant) -> None:
    file = plant.file(plant.node("a", wait=True))
    both = [plant.begin("run", file, "--executor", "rq", "--key", "once", "--json") for _ in range(2)]
    plant.worker()
    plant.wait_said("start", "a")
    plant.let_go()
    documents = [json.loads(each.communicate(timeout=30)[0]) for each in both]
    assert [each.returncode for each in both] == [0, 0]
    assert len({document["run"] for document in documents}) == 1
    assert len(plant.said("start")) == 1


def test_a_burst_ends_when_nothing_is_left(plant: Plant) -> None:
    runs = [plant.start(plant.node("a")) for _ in range(5)]
    worker = plant.worker("--burst")
    assert worker.process.wait(60) == 0, worker.said
    assert {run.status for run in runs} == {"SUCCESS"}
    assert plant.store.drivers() == []


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_burst_does_not_wait_for_what_waits(plant: Plant) -> None:
    run = plant.start(plant.node("a"), {"id": "s", "signal": "go"}, {"id": "d", "delay": "1h"})
    for status in ("SIGNAL", "TIME"):
        done = plant.call("worker", "--burst")
        assert done.returncode == 0, done.stderr
        assert [line.status for line in plant.store.lines(run.row.id)] == [status]
        if status == "SIGNAL":
            run.signal("go")


def test_a_worker_says_what_it_needs(plant: Plant) -> None:
    bare = plant.call("worker", "--store", f"sqlite:///{plant.folder}/other.db", ORDERLINES_QUEUE="")
    assert bare.returncode == 2
    assert "--queue redis://" in bare.stderr
    away = plant.call("worker", "--queue", "redis://127.0.0.1:1/0")
    assert away.returncode == 4
    assert "127.0.0.1:1" in away.stderr


def test_a_worker_lets_go_of_what_it_has_in_hand_when_it_is_told_to_end(plant: Plant) -> None:
    worker = plant.worker()
    run = plant.start(plant.node("a", wait=True))
    plant.wait_said("start", "a")
    assert worker.end() == 0, worker.said
    assert plant.store.drivers() == []
    plant.let_go()
    plant.worker()
    assert run.wait(30) == "SUCCESS", plant.told()
    (task,) = run.tasks()
    assert task["attempt"] == 1, "what was given back has spent no attempt"
    wait_for(lambda: len(plant.said("start", "a")) == 2, "it was begun again")
