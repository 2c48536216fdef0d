"""A worker that answers bells, and what people see of it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rq.command import send_kill_horse_command, send_shutdown_command, send_stop_job_command
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.suspension import resume, suspend
from rq.worker import BaseWorker
from rq_posts import wait_for

from orderlines_executor_rq.message import Bell
from orderlines_executor_rq.worker import BellWorker

if TYPE_CHECKING:
    from redis import Redis
    from rq_posts import Post

    from orderlines.testing.servers.redis import RedisServer

BELL = Bell(1, 2, 3, 1)


def info(url: str, *more: str) -> str:
    """Return what ``rq info`` prints."""
    command = [str(Path(sys.executable).parent / "rq"), "info", "-u", url, *more]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def beaten(redis: Redis, name: str, before: object) -> bool:
    return redis.hget(f"rq:worker:{name}", "last_heartbeat") != before


def names_of(redis: Redis) -> list[str]:
    return [worker.name for worker in BaseWorker.all(connection=redis)]


def test_it_answers_a_bell_in_one_warm_child(post: Post) -> None:
    post.serve()
    bells = [Bell(1, line, 1, 1) for line in range(50)]
    post.ring(*bells)
    post.wait_done(*bells)
    assert {line[2] for line in post.noted("drain")} == {post.noted("begin")[0][1]}
    assert [line[1] for line in post.noted("drain")] == [bell.id for bell in bells]


def test_rq_info_shows_it(post: Post, redis: Redis) -> None:
    post.serve(ways={"7": "hold"})
    post.ring(BELL)
    post.wait_done(BELL)
    wait_for(lambda: "idle orderlines:default. jobs: 1 finished, 0 failed" in info(post.url, "--raw"), "it is idle")
    post.ring(Bell(7, 1, 1, 1))
    wait_for(lambda: "busy orderlines:default" in info(post.url, "--raw"), "it is busy")
    job = Job.fetch("7-1-1-1", connection=redis, serializer=JSONSerializer)
    assert (job.worker_name, job.get_status()) == (names_of(redis)[0], "started")
    post.signal(signal.SIGTERM)
    assert post.wait() == 0
    assert "0 workers" in info(post.url)


def test_it_is_busy_between_bells_while_calls_go_on(post: Post, redis: Redis) -> None:
    post.serve(ways={"1": "calls"})
    post.ring(BELL)
    post.wait_done(BELL)
    key = f"rq:worker:{names_of(redis)[0]}"
    wait_for(lambda: redis.hget(key, "successful_job_count") == b"1", "the bell is spent")
    assert redis.hmget(key, "current_job", "state") == [None, b"busy"]
    post.go.touch()
    wait_for(lambda: redis.hget(key, "state") == b"idle", "it is idle")


def test_it_is_busy_while_it_does_what_nobody_has_rung_for(post: Post, redis: Redis) -> None:
    post.serve(period=0.1, ways={"look": "hold"})
    key = f"rq:worker:{names_of(redis)[0]}"
    wait_for(lambda: redis.hget(key, "state") == b"busy", "it is busy")
    post.go.touch()
    wait_for(lambda: redis.hget(key, "state") == b"idle", "it is idle")


def test_a_job_that_is_done_can_be_looked_at_for_a_while(post: Post, redis: Redis) -> None:
    post.serve()
    post.ring(BELL)
    post.wait_done(BELL)
    job = Job.fetch(BELL.id, connection=redis, serializer=JSONSerializer)
    wait_for(lambda: job.get_status(refresh=True) == "finished", "its job is finished")
    assert 0 < redis.ttl(f"rq:job:{BELL.id}") <= 60


def test_the_most_urgent_queue_is_served_first(post: Post, redis: Redis) -> None:
    post.serve(queues=["gpu", "default"], ways={"9": "hold"})
    first = Bell(9, 1, 1, 1)
    post.ring(first)
    wait_for(lambda: post.noted("drain", first.id), "it is held")
    default, gpu = [Bell(1, n, 1, 1) for n in range(3)], [Bell(2, n, 1, 1) for n in range(3)]
    post.ring(*default)
    post.ring(*gpu, queue="gpu")
    post.ring(Bell(3, 1, 1, 1), queue="other")
    post.go.touch()
    post.wait_done(*default, *gpu)
    assert [line[1] for line in post.noted("done")] == [bell.id for bell in (first, *gpu, *default)]
    assert redis.llen("rq:queue:orderlines:other") == 1


def test_what_is_not_drained_yet_is_rung_again_after_the_others(post: Post) -> None:
    post.serve(ways={"9": "hold", "5": "more"})
    first, long, short = Bell(9, 1, 1, 1), Bell(5, 1, 1, 1), Bell(1, 1, 1, 1)
    post.ring(first)
    wait_for(lambda: post.noted("drain", first.id), "it is held")
    post.ring(long, short)
    post.go.touch()
    wait_for(lambda: len(post.noted("done")) == 4, "all are done, one of them twice")
    assert [line[1] for line in post.noted("done")] == [bell.id for bell in (first, long, short, long)]


def test_a_drain_that_holds_calls_is_called_again_at_once(post: Post) -> None:
    post.serve(ways={"5": "held"})
    bell = Bell(5, 1, 1, 1)
    post.ring(bell)
    wait_for(lambda: post.noted("look"), "it looks again, with no bell, an hour before it is due")
    assert [line[0] for line in post.noted()] == ["begin", "drain", "done", "look"]


@pytest.mark.parametrize("count", [1, 2])
def test_a_burst_ends_when_the_queues_are_empty(count: int, post: Post) -> None:
    bells = [Bell(1, line, 1, 1) for line in range(20)]
    post.ring(*bells)
    post.start(count, burst=True)
    assert post.wait() == 0
    assert sorted(line[1] for line in post.noted("done")) == sorted(bell.id for bell in bells)
    # It has looked once more before it left: a bell may have been lost.
    assert len(post.noted("look")) == count


def test_a_worker_that_cannot_be_begun_now_is_begun_later(post: Post, redis: Redis) -> None:
    post.serve(2)
    assert post.process is not None
    pool = post.process.pid
    before = resource.prlimit(pool, resource.RLIMIT_NOFILE)
    resource.prlimit(pool, resource.RLIMIT_NOFILE, (3, before[1]))
    name, _ = names_of(redis)
    os.kill(int(redis.hget(f"rq:worker:{name}", "pid") or 0), signal.SIGKILL)
    wait_for(lambda: "cannot be begun ([Errno 24]" in post.said(), "there are no descriptors left")
    resource.prlimit(pool, resource.RLIMIT_NOFILE, before)
    wait_for(lambda: len(post.noted("begin")) == 3, "there are two again")


def test_it_looks_by_itself_when_nobody_rings(post: Post) -> None:
    post.serve(period=0.2)
    wait_for(lambda: len(post.noted("look")) >= 3, "it has looked three times")


def test_suspended_workers_wait(post: Post, redis: Redis) -> None:
    post.serve()
    suspend(redis)
    wait_for(lambda: "suspended" in info(post.url, "--raw"), "it waits")
    post.ring(BELL)
    (name,) = names_of(redis)
    for _ in range(2):
        beat = redis.hget(f"rq:worker:{name}", "last_heartbeat")
        wait_for(partial(beaten, redis, name, beat), "it has looked again")
    assert post.noted("drain") == []
    resume(redis)
    post.wait_done(BELL)


def test_a_suspended_worker_goes_on_with_the_calls_that_it_holds(post: Post, redis: Redis) -> None:
    """As ``rq suspend`` says: what has begun is completed, and nothing new is."""
    post.serve(ways={"5": "keep"}, period=3600.0)
    held = Bell(5, 1, 1, 1)
    post.ring(held)
    wait_for(lambda: post.noted("drain", held.id), "it is being answered")
    suspend(redis)
    post.go.touch()
    wait_for(lambda: post.noted("look"), "it is called again for what it holds")
    assert [line[1] for line in post.noted("look")] == ["takes nothing"]
    wait_for(lambda: "suspended" in info(post.url, "--raw"), "it waits")
    resume(redis)
    post.ring(BELL)
    post.wait_done(BELL)


# Commands


# Fault: stop command, while a bell is being answered.
def test_a_stopped_job_ends_its_drain_and_the_worker_goes_on(post: Post, redis: Redis) -> None:
    post.serve(ways={"7": "stay"})
    held, after = Bell(7, 1, 1, 1), Bell(1, 1, 1, 1)
    post.ring(held, after)
    wait_for(lambda: post.noted("drain", held.id), "it is held")
    wait_for(lambda: b"busy" in redis.hvals(f"rq:worker:{names_of(redis)[0]}"), "it is busy")
    send_stop_job_command(redis, held.id, serializer=JSONSerializer)
    post.wait_done(after)
    assert len(post.noted("begin")) == 2
    assert len(post.noted("drain", held.id)) == 1
    job = Job.fetch(held.id, connection=redis, serializer=JSONSerializer)
    assert job.get_status() == "stopped"


# Fault: a stop command between two bells, when there is no horse (`horse_pid == 0`).
def test_commands_about_nothing_are_ignored(post: Post, redis: Redis) -> None:
    post.serve()
    post.ring(BELL)
    post.wait_done(BELL)
    (name,) = names_of(redis)
    send_kill_horse_command(redis, name)
    send_stop_job_command(redis, BELL.id, serializer=JSONSerializer)
    for garbage in (b"\xff", b"[", b"[]", b"3", b'{"command": ["kill-horse"]}', b"[" * 100_000, b'{"job_id": 3}'):
        redis.publish(f"rq:pubsub:{name}", garbage)
    more = [Bell(2, line, 1, 1) for line in range(3)]
    post.ring(*more)
    post.wait_done(*more)
    assert post.lives()
    assert len(post.noted("begin")) == 1


def test_the_shutdown_command_ends_it(post: Post, redis: Redis) -> None:
    post.serve()
    wait_for(lambda: redis.pubsub_numsub(f"rq:pubsub:{names_of(redis)[0]}")[0][1], "it listens")
    send_shutdown_command(redis, names_of(redis)[0])
    assert post.wait() == 0


# Refusing to start


def test_where_redis_is_away_it_says_so(post: Post, server: RedisServer) -> None:
    server.stop()
    post.start()
    assert post.wait() == 4
    assert f"Error: the queue at redis://127.0.0.1:{server.port}/0 cannot be used" in post.said()
    assert "Traceback" not in post.said()


@pytest.mark.parametrize(("trouble", "code"), [("away", 4), ("refused", 2)])
def test_a_drain_that_cannot_begin_says_why(trouble: str, code: int, post: Post) -> None:
    post.start(settings={"trouble": trouble})
    assert post.wait() == code
    told = {"away": "the store of the test is away", "refused": "this drain wants something else"}[trouble]
    assert f"Error: {told}\n" in post.said()


def test_a_drain_that_dies_before_it_is_ready_is_given_up(post: Post) -> None:
    post.start(settings={"trouble": "die"})
    assert post.wait() == 2
    assert "ends before it is ready, again and again: exit code 3" in post.said()
    assert len(post.noted("begin")) == 3


def test_a_worker_with_another_key_says_what_to_do(post: Post) -> None:
    post.ring(BELL)
    post.start(key="another key, as long as that one")
    assert post.wait() == 2
    assert f"bells are rung with the key {post.key.id} here, and this worker has the key " in post.said()
    assert "of ORDERLINES_SIGNING_KEY: set the same ORDERLINES_SIGNING_KEY for all" in post.said()


def test_without_a_variable_the_key_file_serves(post: Post) -> None:
    post.serve(key=None)
    path = post.folder / ".orderlines" / "signing.key"
    assert path.stat().st_mode & 0o777 == 0o600


# What the drain comes to


def test_a_drain_that_raises_spends_its_bell_and_the_worker_goes_on(post: Post) -> None:
    post.serve(ways={"6": "raise"})
    post.ring(Bell(6, 1, 1, 1), BELL)
    post.wait_done(BELL)
    assert "what was rung for cannot be done: ValueError: a mistake in the drain" in post.said()
    assert len(post.noted("begin")) == 1


def test_a_store_that_is_away_keeps_the_bell(post: Post) -> None:
    post.serve(ways={"6": "away"})
    bell = Bell(6, 1, 1, 1)
    post.ring(bell)
    post.wait_done(bell)
    assert len(post.noted("drain", bell.id)) == 2
    assert "waiting for the store: the store of the test is away" in post.said()


# Fault: work-horse killed mid-call.
def test_a_child_that_is_killed_is_replaced_and_its_bell_answered(post: Post) -> None:
    post.serve(ways={"7": "hold"})
    bell = Bell(7, 1, 1, 1)
    post.ring(bell)
    wait_for(lambda: post.noted("drain", bell.id), "it is held")
    os.kill(post.noted("drain", bell.id)[0][2], signal.SIGKILL)
    wait_for(lambda: len(post.noted("drain", bell.id)) == 2, "the next child answers it")
    post.go.touch()
    post.wait_done(bell)
    assert "signal 9 (SIGKILL)" in post.said()


def test_a_bell_that_kills_every_child_is_given_up(post: Post, redis: Redis) -> None:
    post.serve(ways={"4": "die"})
    deadly = Bell(4, 1, 1, 1)
    post.ring(deadly, BELL)
    post.wait_done(BELL)
    assert len(post.noted("drain", deadly.id)) == 3
    assert "has died 3 times of the bell 4-1-1-1, which is given up" in post.said()
    assert redis.hget(f"rq:job:{deadly.id}", "status") == b"failed"


def test_an_overseer_hears_orders_and_kills(post: Post) -> None:
    post.serve(drain="rq_doubles:Telling", overseer="rq_doubles:Strict", ways={"13": "hold"})
    post.ring(BELL)
    post.wait_done(BELL)
    wait_for(lambda: post.noted("obeyed", "go on", 1), "its order was obeyed")
    assert post.noted("heard", "draining", 1)
    post.ring(Bell(13, 1, 1, 1))
    wait_for(lambda: post.noted("ended", "signal 9 (SIGKILL)"), "it was killed")
    post.go.touch()
    post.wait_done(Bell(13, 1, 1, 1))


def test_rqs_own_loop_is_refused(redis: Redis, server: RedisServer) -> None:
    worker = BellWorker(["q"], redis, 30.0)
    with pytest.raises(RuntimeError, match="does not run RQ's loop"):
        worker.work(burst=True)
    queue = Queue("q", connection=redis)
    job = queue.enqueue("os.getcwd")
    with pytest.raises(RuntimeError, match="does not run RQ's loop"):
        worker.execute_job(job, queue)
    inert = worker.job_class.fetch(job.id, connection=redis)
    with pytest.raises(RuntimeError, match="runs no job"):
        inert.perform()
    with pytest.raises(RuntimeError, match="runs no job"):
        _ = inert.func_name
