"""``orderlines workers``: who is there, and what waits."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any, cast

import pytest
from rq_posts import wait_for

from orderlines_executor_rq.looking import look
from orderlines_executor_rq.quarantine import entry_of
from orderlines_executor_rq.queues import Names

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis
    from rq_plant import Plant


def listed(plant: Plant) -> dict[str, Any]:
    done = plant.call("workers", "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_a_queue_without_workers_shows_what_waits(plant: Plant, redis: Redis) -> None:
    plant.start(plant.node("a"))
    document = listed(plant)
    assert document["workers"] == []
    (queue,) = document["queues"]
    assert queue["lag"] >= 0
    waited = queue.pop("waiting")
    del queue["lag"]
    assert queue == {"queue": "default", "bells": 1, "lines": 1, "unrung": 0}
    redis.flushall()
    (queue,) = listed(plant)["queues"]
    assert 0 <= waited < queue.pop("waiting")
    assert queue == {"queue": "default", "bells": 0, "lag": None, "lines": 1, "unrung": 1}
    told = plant.call("workers").stdout
    assert "no worker serves here" in told
    assert "1 lines can go on, the oldest for " in told


def test_status_says_which_workers_a_run_waits_for(plant: Plant) -> None:
    run = plant.start(plant.node("a"), plant.node("b", queue="gpu"))
    assert "  a  PENDING  waits for a worker of the queue default\n" in plant.call("status", run.name).stdout
    plant.worker()
    plant.wait_said("end", "a")
    wait_for(lambda: run.tasks()[-1]["node"] == "b", "the line waits for others")
    (done, waiting) = json.loads(plant.call("status", run.name, "--json").stdout)["tasks"]
    assert (done["status"], "queue" in done) == ("SUCCESS", False)
    assert (waiting["status"], waiting["queue"]) == ("PENDING", "gpu")
    plant.worker("--queues", "gpu")
    assert run.wait(30) == "SUCCESS", plant.told()


def test_a_line_that_waits_for_a_busy_worker_is_as_old_as_it_is(plant: Plant) -> None:
    plant.worker()
    first = plant.start(plant.node("a", wait=True))
    plant.wait_said("start", "a")
    (queue,) = listed(plant)["queues"]
    assert (queue["lines"], queue["waiting"]) == (0, None)
    begun = plant.store.now()
    second = plant.start(plant.node("b"))
    (queue,) = listed(plant)["queues"]
    assert queue["lines"] == 1
    assert 0 < queue["waiting"] < plant.store.now() - begun + 1.0
    (since,) = plant.store.waiting().values()
    # As a reconciler does: the line is no younger for it.
    assert [line.run for line in plant.store.ring(["default"], 0.0, 10)] == [second.row.id]
    assert plant.store.waiting() == {"default": since}
    plant.let_go()
    assert [run.wait(30) for run in (first, second)] == ["SUCCESS", "SUCCESS"], plant.told()
    assert plant.store.waiting() == {}


def test_who_only_looks_makes_no_store(plant: Plant, tmp_path: Path) -> None:
    done = plant.call("workers", "--store", f"sqlite:///{tmp_path}/none.db")
    assert (done.returncode, "there is no store at" in done.stderr) == (2, True)
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_workers_are_listed_while_only_the_result_store_is_away(plant: Plant) -> None:
    # A folder in which nobody can make a file.
    done = plant.call("workers", "--results", "sqlite:////proc/nowhere/values.db")
    assert (done.returncode, done.stdout) == (0, "no worker serves here\n")


def test_a_worker_is_shown_with_what_it_does(plant: Plant) -> None:
    worker = plant.worker("--queues", "gpu,default")
    # Nobody has rung for it: what a worker does is not what it was rung for.
    name = plant.start_unrung(plant.node("a", wait=True))
    plant.wait_said("start", "a")
    wait_for(lambda: listed(plant)["workers"][0]["state"] == "busy", "it is shown to be busy")
    (shown,) = listed(plant)["workers"]
    assert (shown["pid"], shown["queues"], shown["state"]) == (worker.process.pid, ["gpu", "default"], "busy")
    assert (shown["run"], shown["lines"]) == (name, 1)
    assert 0 < shown["busy_for"] < 30
    assert f"  run {name} for " in plant.call("workers").stdout
    plant.let_go()
    wait_for(lambda: listed(plant)["workers"][0]["run"] is None, f"it has nothing in hand: {plant.told()}")


def test_of_a_worker_that_has_gone_silent_is_shown_when_it_was_seen(plant: Plant, redis: Redis) -> None:
    worker = plant.worker()
    wait_for(lambda: listed(plant)["workers"], "the worker is there")
    assert "last seen" not in plant.call("workers").stdout
    worker.process.send_signal(signal.SIGSTOP)
    try:
        ((key, *_),) = [sorted(cast("set[bytes]", redis.smembers("rq:workers")))]
        redis.hset(key, "last_heartbeat", "2026-01-02T03:04:05.000000Z")
        assert "last seen 2026-01-02T03:04:05.000000Z" in plant.call("workers").stdout
    finally:
        worker.process.send_signal(signal.SIGCONT)


def test_a_worker_that_was_killed_is_shown_to_be_dead(plant: Plant) -> None:
    worker = plant.worker()
    wait_for(lambda: [each["lease"] for each in listed(plant)["workers"]] == ["held"], "its lease is shown")
    assert "dead" not in plant.call("workers").stdout
    worker.kill()
    (shown,) = listed(plant)["workers"]
    assert shown["lease"] == "ended"
    told = plant.call("workers").stdout
    assert f"{shown['host']}:{shown['pid']}  dead (its process has ended)  default  since " in told
    assert f"last seen {shown['seen']}" in told


def test_a_worker_whose_lease_has_run_out_is_shown_to_be_dead(plant: Plant, redis: Redis) -> None:
    worker = plant.worker()
    wait_for(lambda: [each["lease"] for each in listed(plant)["workers"]] == ["held"], "its lease is shown")
    worker.process.send_signal(signal.SIGSTOP)
    try:
        plant.store.dismiss([driver.id for driver in plant.store.drivers()])
        assert listed(plant)["workers"][0]["lease"] is None
        ((key, *_),) = [sorted(cast("set[bytes]", redis.smembers("rq:workers")))]
        redis.hset(key, "last_heartbeat", "2026-01-02T03:04:05.000000Z")
        assert listed(plant)["workers"][0]["lease"] == "over"
        assert "  dead (its lease has run out)  default  since " in plant.call("workers").stdout
        for nonsense in ("[]", '["h", "b", "n", [], {}]', "{", "7"):
            redis.hset(key, mapping={"process": nonsense, "driver": "-"})
            assert listed(plant)["workers"][0]["lease"] is None
    finally:
        worker.process.send_signal(signal.SIGCONT)
    wait_for(lambda: listed(plant)["workers"][0]["lease"] == "held", f"it has another driver: {plant.told()}")


def written(redis: Redis, name: str | bytes, **fields: Any) -> None:
    """Write a worker as others may."""
    key = b"rq:worker:" + (name if isinstance(name, bytes) else name.encode())
    moment = "2026-01-02T03:04:05.000000Z"
    said = {"hostname": "there", "pid": "7", "queues": "orderlines:default", "state": "idle", "birth": moment, **fields}
    redis.hset(key, mapping=cast("Any", said))
    redis.sadd("rq:workers", key)


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_whatever_others_have_written_into_redis_the_rest_is_shown(plant: Plant, redis: Redis) -> None:
    written(redis, "good")
    strange = [{"pid": "abc"}, {"pid": ""}, {"queues": "orderlines:\x1b[31m"}, {"queues": "theirs"}, {"queues": ""}]
    for number, fields in enumerate(strange):
        written(redis, f"left out {number}", **fields)
    digits = "9" * 5_000
    odd = [
        {"driver": digits},
        {"current_job": digits},
        {"process": "[" * 9_000},
        {"last_heartbeat": ""},
        {"pid": digits},
    ]
    for number, fields in enumerate(odd):
        written(redis, f"odd {number}", **fields)
    written(redis, "bytes", state=b"\xff")
    redis.hset("rq:worker:good", mapping={b"\xff": b"\xff"})
    redis.set("rq:worker:text", "a text")
    redis.sadd("rq:workers", "rq:worker:text", b"\xff")
    redis.set("rq:queue:orderlines:default", "a text")
    redis.set(Names().quarantine, "a text")
    document = look(plant.store, plant.queue)
    shown = document["workers"]
    assert [each["host"] for each in shown] == ["there"] * 7
    assert {each["run"] for each in shown} == {None}
    (queue,) = document["queues"]
    assert (queue["queue"], queue["bells"], queue["lag"]) == ("default", None, None)
    assert document["quarantine"] == {"count": None, "newest": None}
    written(redis, "good", hostname="\x1b[31mred")
    told = plant.call("workers").stdout
    assert r"\x1b[31mred:7  idle  default" in told
    assert "queue default: what Redis has in its place is none; 0 lines can go on" in told
    assert "in place of the quarantine is none" in told


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_what_was_set_aside_is_counted(plant: Plant, redis: Redis) -> None:
    assert look(plant.store, plant.queue)["quarantine"] == {"count": 0, "newest": None}
    for number in range(2):
        entry = entry_of(float(number), "orderlines:default", "w", b"job", f"reason {number}", b"")
        redis.lpush(Names().quarantine, entry)
    told = look(plant.store, plant.queue)["quarantine"]
    assert (told["count"], told["newest"]["at"], told["newest"]["reason"]) == (2, 1.0, "reason 1")
    (said,) = [line for line in plant.call("workers").stdout.splitlines() if "set aside" in line]
    assert said.startswith("2 messages that are no doorbells set aside, the last at 1970-01-01T00:00:01+00:00 on ")
    assert said.endswith(": reason 1")


def test_no_part_of_a_password_that_is_not_escaped_is_shown(plant: Plant) -> None:
    done = plant.call("workers", "--queue", "redis://u:S3c@r/etPw@127.0.0.1:1/0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "%40" in done.stderr
    assert "etPw" not in done.stderr


def test_a_user_that_redis_denies_something_is_told_what_to_allow(plant: Plant, redis: Redis) -> None:
    rules = ("on", ">pw", "~rq:*", "~orderlines:*", "&rq:*", "+@all", "-@dangerous")
    redis.execute_command("ACL", "SETUSER", "worker", *rules)
    url = plant.queue.replace("://", "://worker:pw@")
    done = plant.call("worker", "--burst", "--queue", url)
    assert done.returncode == 4
    assert "allow it ~rq:* ~orderlines:* &rq:* +@all -@dangerous +info" in done.stderr
    assert "NoPermissionError" not in done.stderr
    redis.execute_command("ACL", "SETUSER", "worker", "+info")
    run = plant.start(plant.node("a"))
    done = plant.call("worker", "--burst", "--queue", url)
    assert (done.returncode, run.wait(30)) == (0, "SUCCESS"), done.stderr
