"""Faults, each with what users expect of it: of the queue and Redis, and of workers that die with runs in hand."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from rq import Queue
from rq.serializers import JSONSerializer
from rq_posts import wait_for

from orderlines.draining import Drainer
from orderlines.opening import where
from orderlines.processes.identity import ProcessIdentity
from orderlines.processes.proc import descendants
from orderlines_executor_rq.draining import Left
from orderlines_executor_rq.message import Bell
from orderlines_executor_rq.overseeing import Keeper
from orderlines_executor_rq.work import Work

if TYPE_CHECKING:
    from redis import Redis
    from rq_plant import Plant

    from orderlines.testing.servers.redis import RedisServer

QUEUE = "rq:queue:orderlines:default"


# Fault: a worker is killed with signal 9 in the middle of a call.
def test_a_call_whose_worker_is_killed_is_made_again(plant: Plant) -> None:
    worker = plant.worker()
    run = plant.start(plant.node("a"), plant.node("b", wait=True), plant.node("c"))
    plant.wait_said("start", "b")
    worker.kill()
    plant.let_go()
    plant.worker()
    assert run.wait(60) == "SUCCESS", plant.told()
    assert [len(plant.said("start", node)) for node in "abc"] == [1, 2, 1]


def test_a_call_that_may_be_made_once_fails_when_its_worker_is_killed(plant: Plant) -> None:
    worker = plant.worker()
    run = plant.start(plant.node("b", wait=True, on_crash="fail"))
    plant.wait_said("start", "b")
    worker.kill()
    plant.let_go()
    plant.worker()
    assert run.wait(60) == "FAILURE", plant.told()
    assert len(plant.said("start", "b")) == 1


# Fault: the process that runs the calls is killed, and its worker lives.
def test_a_worker_whose_child_is_killed_says_how_and_goes_on(plant: Plant) -> None:
    worker = plant.worker()
    run = plant.start(plant.node("b", wait=True, on_crash="fail"))
    plant.wait_said("start", "b")
    os.kill(plant.said("start", "b")[0].process.pid, signal.SIGKILL)
    plant.let_go()
    assert run.wait(30) == "FAILURE", plant.told()
    assert run.error is not None
    assert "SIGKILL" in run.error["message"]
    assert plant.start(plant.node("after")).wait(30) == "SUCCESS", plant.told()
    assert worker.process.poll() is None


# Fault: an executor raises what nobody expects, when calls of several lines are recorded as begun.
def test_a_driver_that_cannot_go_on_lets_go_of_its_lines(plant: Plant) -> None:
    worker = plant.worker()
    lines = {name: [plant.node(name, executor="clumsy")] for name in "xyz"}
    run = plant.start({"id": "fork", "parallel": {"lines": lines}})
    assert run.wait(30) == "SUCCESS", plant.told()
    assert sorted(each.node for each in plant.said("start")) == ["x", "y", "z"]
    assert "no process can be begun" in worker.said
    assert plant.start(plant.node("after")).wait(30) == "SUCCESS", plant.told()
    assert worker.process.poll() is None


class _Unshared(Drainer):
    """One in which looking after lines that are held up goes wrong, as nobody expects."""

    def share(self) -> list[int]:
        raise LookupError("there is no such thing")


def test_a_driver_that_cannot_give_back_what_waits_lets_go_of_everything(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("orderlines_executor_rq.work.Drainer", _Unshared)
    said: list[list[Any]] = []
    work = Work(
        {"where": where(plant.store.url), "queue": plant.queue, "queues": ["default"], "silence": 60.0}, said.append
    )
    work.begin()
    wait_for(lambda: "there is no such thing" in caplog.text, "it is told")
    with pytest.raises(SystemExit):
        work.drain(None, time.monotonic() + 30.0)
    assert said[-2:] == [["parted"], ["works", False]]
    assert plant.store.drivers() == []


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_that_a_drain_was_killed_since_its_lease_was_lost_is_said(plant: Plant) -> None:
    keeper = Keeper({"where": where(plant.store.url), "queue": plant.queue, "queues": ["default"]})
    driver = plant.store.enroll(ProcessIdentity.current())
    keeper.heard(["driver", driver])
    assert not keeper.look(time.monotonic()).kill
    plant.store.dismiss([driver])
    wait_for(lambda: keeper.look(time.monotonic()).kill, "it is to be killed")
    assert "had lost its lease" in (keeper.ended("signal 9 (SIGKILL)", ordered=False) or "")
    keeper.close()


class _Counted(Drainer):
    """One that counts how often it takes lines."""

    rounds = 0

    def drain(self, until: float) -> bool:
        type(self).rounds += 1
        return super().drain(until)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_bells_for_runs_that_cannot_be_served_keep_no_worker_busy(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orderlines_executor_rq.work.Drainer", _Counted)
    monkeypatch.setattr("orderlines_executor_rq.work.VAIN", 60.0)
    flow = plant.flow(plant.node("a"))
    strange = flow._replace(digest="strange", data={**flow.data, "line": [{"id": "a", "call": "strange.a"}]})
    runs = [plant.engine.start(strange) for _ in range(3)]
    said: list[list[Any]] = []
    work = Work(
        {"where": where(plant.store.url), "queue": plant.queue, "queues": ["default"], "silence": 60.0}, said.append
    )
    work.begin()
    until = time.monotonic() + 30.0
    work.drain(None, until)
    rounds = _Counted.rounds
    for run in runs:
        assert work.drain(Bell(run.row.id, 1, 0, 1), until) is Left.NOTHING
        assert 0.0 < (work.rest() or 0.0) <= 60.0
    assert _Counted.rounds == rounds
    good = plant.start(plant.node("b"))
    work.drain(Bell(good.row.id, 1, 0, 1), until)
    assert good.status == "SUCCESS"
    runs[0].stop()
    work.drain(None, until)
    wait_for(lambda: work.drain(None, until) is Left.NOTHING and runs[0].status == "STOP", "it is stopped")
    work.leave()
    work.part()


FATAL = (
    "import os\nimport signal\nfrom pathlib import Path\n"
    "from orderlines import draining\nfrom orderlines_executor_rq import work\n"
    "draining.QUICK = 0.05 if Path('died').exists() else 60.0\n"
    "def fatal(owner, name, when):\n"
    "    real = getattr(owner, name)\n"
    "    def call(*given):\n"
    "        if when(*given) and not Path('died').exists():\n"
    "            Path('died').touch()\n            os.kill(os.getpid(), signal.SIGKILL)\n"
    "        return real(*given)\n"
    "    setattr(owner, name, call)\n"
)
"""Has a worker's process take many lines at once, and die once, at a certain call."""


# Fault: kill -9 of a drain that gives back what waits behind slow calls: before the store is told, and before others
# are.
@pytest.mark.parametrize(
    "point",
    [
        "fatal(draining.Drainer, '_set_aside', lambda self, lines: lines)",
        "fatal(work, 'ring_again', lambda *given: len(given) == 3)",
    ],
    ids=["untold", "unrung"],
)
def test_a_worker_that_dies_while_it_gives_lines_back_loses_none(point: str, plant: Plant) -> None:
    (plant.folder / "fatal").mkdir()
    (plant.folder / "fatal" / "sitecustomize.py").write_text(FATAL + point + "\n")
    worker = plant.worker(PYTHONPATH=os.pathsep.join([str(plant.folder / "fatal"), plant.env["PYTHONPATH"]]))
    for _ in range(5):  # one after the other: it takes more at once from then on
        assert plant.start(plant.node("quick")).wait(30) == "SUCCESS", plant.told()
    nap = {"id": "nap", "call": "stubborn.nap", "with": {"seconds": 0.2}}
    line = [plant.node("first"), nap, plant.node("item")]
    run = plant.start({"id": "each", "foreach": list(range(8)), "line": line})
    assert run.wait(30) == "SUCCESS", plant.told()
    assert (plant.folder / "died").exists(), plant.told()
    assert "SIGKILL" in worker.said
    for node in ("first", "item"):
        ends = plant.said("end", node)
        assert {said.line for said in ends} == {f"/each#1/{number}" for number in range(8)}
        # Only what was in flight when the process died may be made again, by the next one.
        assert len({(said.line, said.process) for said in ends}) == len(ends)
    assert {task["status"] for task in run.tasks()} == {"SUCCESS"}


# Fault: Redis restarts empty. The queue is rebuilt from the store.
def test_bells_that_redis_has_lost_are_rung_again(plant: Plant, redis: Redis) -> None:
    runs = [plant.start(plant.node("a")) for _ in range(20)]
    assert redis.llen(QUEUE) == 20
    redis.flushall()
    plant.worker()
    assert {run.wait(60) for run in runs} == {"SUCCESS"}, plant.told()
    assert len(plant.said("start")) == 20


def test_what_was_never_rung_for_is_found(plant: Plant) -> None:
    plant.worker()
    assert plant.start(plant.node("first")).wait(30) == "SUCCESS", plant.told()
    name = plant.start_unrung(plant.node("a"))
    assert plant.engine.find(name).wait(30) == "SUCCESS", plant.told()


# Fault: Redis is away. Runs wait, no attempt is spent, workers go on by themselves.
def test_runs_go_on_while_redis_is_away_and_after(plant: Plant, server: RedisServer) -> None:
    plant.worker()
    run = plant.start(plant.node("a", wait=True), plant.node("b"))
    plant.wait_said("start", "a")
    server.kill()
    other = plant.start(plant.node("c"))
    plant.let_go()
    assert {run.wait(60), other.wait(60)} == {"SUCCESS"}, plant.told()
    server.start()
    assert plant.start(plant.node("d")).wait(30) == "SUCCESS", plant.told()
    assert {task["attempt"] for task in (*run.tasks(), *other.tasks())} == {1}
    assert plant.told().count("waiting for the queue") == 1


# Fault: a message twice. One execution.
def test_a_line_that_is_rung_for_twice_is_done_once(plant: Plant, redis: Redis) -> None:
    run = plant.start(plant.node("a"))
    (job,) = redis.lrange(QUEUE, 0, -1)
    redis.rpush(QUEUE, job, job)
    plant.worker()
    assert run.wait(30) == "SUCCESS", plant.told()
    wait_for(lambda: redis.llen(QUEUE) == 0, "all bells are answered")
    assert len(plant.said("start")) == 1


# Fault: garbage and another function's name. Quarantined; the rightful line is done.
def test_what_others_write_is_set_aside_and_the_rightful_line_is_done(plant: Plant, redis: Redis) -> None:
    foreign = Queue("orderlines:default", connection=redis, serializer=JSONSerializer)
    foreign.enqueue("os.system", f"touch {plant.folder}/pwned")
    redis.rpush(QUEUE, b"\xff\x00 garbage")
    run = plant.start(plant.node("a"))
    worker = plant.worker()
    assert run.wait(30) == "SUCCESS", plant.told()
    wait_for(lambda: redis.llen("orderlines:quarantine") == 2, "both are set aside")
    assert not (plant.folder / "pwned").exists()
    assert worker.process.poll() is None


# Fault: a worker has another key than what rings.
def test_a_worker_with_another_key_says_so_and_the_run_waits(plant: Plant) -> None:
    run = plant.start(plant.node("a"))
    wrong = plant.worker(ORDERLINES_SIGNING_KEY="another key, long enough")
    assert wrong.process.wait(30) == 2
    assert "ORDERLINES_SIGNING_KEY" in wrong.said
    plant.worker()
    assert run.wait(30) == "SUCCESS", plant.told()


# Fault: a worker lacks a plugin. It releases the line, and spends no attempt.
def test_a_worker_without_the_plugin_leaves_the_run_to_one_that_has_it(plant: Plant) -> None:
    bare = plant.worker(ORDERLINES_PLUGINS_DENY="planted")
    run = plant.start(plant.node("a"))
    wait_for(lambda: "witness" in bare.said, "it says what it lacks")
    plant.worker()
    assert run.wait(30) == "SUCCESS", plant.told()
    assert [task["attempt"] for task in run.tasks()] == [1]


# Fault: Redis is full. The run is kept, nothing is thrown at its user, and workers find it.
def test_a_full_redis_holds_no_run_up(plant: Plant, redis: Redis) -> None:
    plant.worker()
    assert plant.start(plant.node("first")).wait(30) == "SUCCESS", plant.told()
    redis.config_set("maxmemory", "1")
    run = plant.start(plant.node("a"))
    assert run.wait(60) == "SUCCESS", plant.told()
    redis.config_set("maxmemory", "0")
    assert plant.start(plant.node("b")).wait(30) == "SUCCESS", plant.told()


# Fault: a worker is paused for longer than its lease, comes back, and is late.
def test_a_worker_that_was_away_too_long_changes_nothing(plant: Plant) -> None:
    worker = plant.worker(ORDERLINES_LEASE="2s")
    run = plant.start(plant.node("a", wait=True), plant.node("b"))
    plant.wait_said("start", "a")
    frozen = [worker.process.pid, *descendants(worker.process.pid)]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    # Each driver says how long its own lease lasts.
    plant.worker(ORDERLINES_LEASE="10m", ORDERLINES_RECONCILE="1s")
    plant.wait_said("start", "a", 2, seconds=60)
    plant.let_go()
    assert run.wait(30) == "SUCCESS", plant.told()
    for pid in reversed(frozen):
        os.kill(pid, signal.SIGCONT)
    row = run.row
    assert plant.start(plant.node("after")).wait(30) == "SUCCESS", plant.told()
    assert (run.row, len(plant.said("start", "b"))) == (row, 1)
