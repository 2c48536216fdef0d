"""Wishes from another process act on workers within two seconds, whether they have the run in hand or not."""

from __future__ import annotations

import re
import signal
import threading
from typing import TYPE_CHECKING

import pytest
from rq_plant import within
from rq_posts import wait_for

if TYPE_CHECKING:
    from rq_plant import Plant

SOON = 2.0


@pytest.fixture
def busy(plant: Plant) -> Plant:
    plant.worker()
    return plant


def test_a_stop_ends_a_call_that_can_know(busy: Plant) -> None:
    run = busy.start(busy.node("a", wait=True))
    busy.wait_said("start", "a")
    run.stop()
    within(SOON, lambda: run.status == "STOP", f"the run stops: {busy.told()}")
    assert busy.said("asked", "a")


@pytest.mark.parametrize("component", ["nap", "spin"])
def test_a_stop_ends_a_call_that_cannot(busy: Plant, component: str) -> None:
    arguments = {"nap": {"seconds": 3600}, "spin": {"started": str(busy.folder / "started")}}[component]
    run = busy.start(busy.node("a"), {"id": "b", "call": f"stubborn.{component}", "with": arguments})
    within(30, lambda: [task["node"] for task in run.tasks()] == ["a", "b"], f"b runs: {busy.told()}")
    done = busy.call("stop", run.name)
    assert done.returncode == 0, done.stderr
    assert run.status == "STOP", busy.told()
    other = busy.start(busy.node("after"))
    assert other.wait(30) == "SUCCESS", busy.told()
    assert ": a call in it was to end\n" in busy.told()
    assert "has ended" not in busy.told()


def test_stops_are_no_deaths_of_which_a_bell_is_given_up(busy: Plant) -> None:
    nap = {"id": "b", "call": "stubborn.nap", "with": {"seconds": 3600}}
    group = {"id": "g", "timeout": 0.5, "group": [nap]}
    each = {"id": "f", "foreach": [1, 2, 3, 4], "limit": 1, "on_branch_failure": "wait", "line": [group]}
    run = busy.start(each)
    assert run.wait(60) == "FAILURE", busy.told()
    assert busy.told().count(": a call in it was to end\n") == 4
    assert "is given up" not in busy.told()


def test_the_timeout_of_a_group_ends_the_call_below_it(busy: Plant) -> None:
    call = {"id": "b", "call": "stubborn.spin", "with": {"started": str(busy.folder / "started")}}
    run = busy.start({"id": "g", "timeout": 1, "group": [call]})
    assert run.wait(30) == "FAILURE", busy.told()
    assert {task["node"]: task["status"] for task in run.tasks()} == {"g": "FAILURE", "b": "STOP"}
    assert run.error is not None
    assert run.error["type"] == "Timeout"
    other = busy.start(busy.node("after"))
    assert other.wait(30) == "SUCCESS", busy.told()


def test_a_call_that_ignores_being_asked_is_killed_when_its_grace_is_over(busy: Plant) -> None:
    started = busy.folder / "started"
    node = {"id": "b", "call": "stubborn.ignore_signals", "with": {"started": str(started)}, "grace": 1}
    run = busy.start(node)
    within(30, started.exists, f"it has begun: {busy.told()}")
    run.stop()
    within(1 + SOON, lambda: run.status == "STOP", f"the run stops: {busy.told()}")


def test_a_run_that_waits_is_stopped_at_once(busy: Plant) -> None:
    run = busy.start(busy.node("a"), {"id": "nap", "delay": 3600})
    busy.wait_said("end", "a")
    within(10, lambda: busy.store.lines(run.row.id)[0].owner is None, "the line waits")
    run.stop()
    within(SOON, lambda: run.status == "STOP", f"the run stops: {busy.told()}")


def test_a_stop_that_was_wished_while_no_worker_was_there_is_obeyed_first(plant: Plant) -> None:
    run = plant.start(plant.node("a"))
    done = plant.call("stop", run.name)
    assert "nobody drives" in done.stderr
    plant.worker()
    within(30, lambda: run.status == "STOP", f"the run stops: {plant.told()}")
    assert plant.said("start") == []


def test_a_pause_holds_what_comes_next_and_a_resume_lets_it_go_on(busy: Plant) -> None:
    run = busy.start(busy.node("a", wait=True), busy.node("b"))
    busy.wait_said("start", "a")
    assert busy.call("pause", run.name).returncode == 0
    busy.let_go()
    within(10, lambda: busy.store.lines(run.row.id)[0].owner is None, f"the worker lets go: {busy.told()}")
    assert (run.status, busy.said("start", "b")) == ("PAUSED", [])
    run.resume()
    within(SOON, lambda: run.status == "SUCCESS", f"it goes on: {busy.told()}")


def test_a_signal_reaches_a_run_that_nobody_has_in_hand(busy: Plant) -> None:
    run = busy.start(busy.node("a"), {"id": "wait", "signal": "go"}, busy.node("b"))
    within(30, lambda: busy.store.lines(run.row.id)[0].status == "SIGNAL", f"it waits: {busy.told()}")
    run.signal("wait", {"n": 1})
    within(SOON, lambda: run.status == "SUCCESS", f"it goes on: {busy.told()}")


def test_a_retry_is_done_by_workers(busy: Plant) -> None:
    run = busy.start(busy.node("a"), {**busy.node("b"), "with": {"log": str(busy.log), "fails": 1}})
    assert run.wait(30) == "FAILURE"
    done = busy.call("retry", run.name, "--json")
    assert done.returncode == 0, (done.stderr, busy.told())
    assert len(busy.said("start", "a")) == 1


def test_a_node_is_skipped(busy: Plant) -> None:
    run = busy.start({"id": "nap", "delay": 3600}, busy.node("b"))
    within(30, lambda: busy.store.lines(run.row.id)[0].status == "TIME", f"it waits: {busy.told()}")
    run.skip("nap")
    within(SOON, lambda: run.status == "SUCCESS", f"it goes on: {busy.told()}")


def test_the_deadline_of_a_run_is_kept_while_a_call_holds_its_worker(busy: Plant) -> None:
    run = busy.start({"id": "b", "call": "stubborn.nap", "with": {"seconds": 3600}}, timeout=1)
    within(30, lambda: run.status == "FAILURE", f"the deadline is kept: {busy.told()}")
    assert run.error is not None
    assert busy.start(busy.node("after")).wait(30) == "SUCCESS", busy.told()


def test_what_only_workers_do_is_said_to_wait_for_them(plant: Plant) -> None:
    run = plant.start(plant.node("a"), plant.node("b"))
    run.pause()
    with_worker = re.compile(r" with `orderlines worker --store \S+ --queues default`\n")
    for told in (plant.call("resume", run.name), plant.call("skip", run.name, "a")):
        assert with_worker.search(told.stderr), told.stderr
    stopped = plant.call("stop", run.name).stderr
    assert "orderlines recover" in stopped
    assert "orderlines worker" not in stopped


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_command_that_begins_workers_names_the_queue_that_this_one_was_given(plant: Plant) -> None:
    run = plant.start(plant.node("a"))
    run.pause()
    url = plant.queue
    worker = f"orderlines worker --store {plant.engine.store.url} --queue {url} --queues default`"
    for arguments in (("doctor",), ("resume", run.name)):
        told = plant.call(*arguments, "--queue", url, ORDERLINES_QUEUE="")
        assert worker in told.stdout + told.stderr


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_stop_says_that_no_worker_comes_where_others_serve_other_queues(busy: Plant) -> None:
    assert busy.start(busy.node("first")).wait(30) == "SUCCESS", busy.told()  # so its driver is on the books
    run = busy.start(busy.node("a", queue="gpu"))
    told = busy.call("stop", run.name).stderr
    assert (
        f"no worker has come for run {run.name}: the wish to stop is stored; it ends with `orderlines recover" in told
    )


def test_commands_that_know_no_queue_are_obeyed_when_workers_look(busy: Plant) -> None:
    run = busy.start(busy.node("a"), {"id": "nap", "delay": 3600})
    within(30, lambda: busy.store.lines(run.row.id)[0].status == "TIME", f"it waits: {busy.told()}")
    busy.call("stop", run.name, ORDERLINES_QUEUE="")
    within(15, lambda: run.status == "STOP", f"the run stops: {busy.told()}")


def test_ctrl_c_is_obeyed_where_no_worker_serves_and_recover_ends_the_run(plant: Plant) -> None:
    command = plant.begin("run", plant.file(plant.node("a")), "--executor", "rq")
    wait_for(lambda: plant.engine.store.runs(1), "the run is accepted")
    (row,) = plant.engine.store.runs(1)
    command.send_signal(signal.SIGINT)
    _, err = command.communicate(timeout=30)
    assert command.returncode == 3, err
    assert f"nobody drives run {row.name}" in err
    assert plant.engine.find(row.name).status == "PENDING"
    recovered = plant.call("recover")
    assert recovered.returncode == 0, recovered.stderr
    assert plant.engine.find(row.name).status == "STOP"
    assert plant.said("start") == []


@pytest.mark.parametrize("trouble", ["nobody", "other queue", "no plugin"])
def test_run_says_that_no_worker_comes(trouble: str, plant: Plant) -> None:
    """Also where the workers that serve have done a part of it, or have found that they cannot."""
    if trouble != "nobody":
        plant.worker(**({"ORDERLINES_PLUGINS_DENY": "planted"} if trouble == "no plugin" else {}))
    nodes = [plant.node("a"), *([plant.node("b", queue="gpu")] if trouble == "other queue" else [])]
    command = plant.begin("run", plant.file(*nodes), "--executor", "rq")
    assert command.stderr is not None
    limit = threading.Timer(60, command.kill)
    limit.start()
    said = next((line for line in command.stderr if " waits for a worker of the queue " in line), "nothing was said")
    limit.cancel()
    queue = "gpu" if trouble == "other queue" else "default"
    assert re.search(rf"of the queue {queue}: orderlines worker --store \S+ --queues {queue} \(", said)
    command.send_signal(signal.SIGTERM)
    command.communicate(timeout=30)
    assert command.returncode == 143


@pytest.mark.parametrize("shape", ["call", "lines"])
def test_recover_stops_a_run_at_workers_whose_plugin_is_missing(shape: str, plant: Plant) -> None:
    """Nobody has its plan: neither who recovers, nor a worker, as none comes."""
    if shape == "call":
        run = plant.start(plant.node("a"))
    else:
        each = {"id": "each", "foreach": [1, 2], "line": [plant.node("a", queue="gpu")]}
        run = plant.start({"id": "both", "parallel": {"lines": {"l": [each], "r": [plant.node("b", queue="gpu")]}}})
        worker = plant.worker()
        within(30, lambda: len(plant.store.lines(run.row.id)) == 5, f"its lines are opened: {plant.told()}")
        assert worker.end() == 0
    assert plant.call("stop", run.name).returncode == 0
    recovered = plant.call("recover", ORDERLINES_PLUGINS_DENY="planted")
    assert recovered.returncode == 0, recovered.stderr
    assert run.status == "STOP"
    assert plant.said("start") == []


def test_recover_names_each_run_that_it_cannot_drive(plant: Plant) -> None:
    runs = [plant.start(plant.node("a", wait=True)) for _ in range(2)]
    recovered = plant.call("recover", ORDERLINES_PLUGINS_DENY="planted")
    assert recovered.returncode == 2
    for run in runs:
        assert f"run {run.name} is kept but cannot be driven on here: there is no " in recovered.stderr
        assert run.status == "PENDING"
