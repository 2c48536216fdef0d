"""Workers that are told to end, and workers that are killed."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rq.command import send_shutdown_command
from rq.worker import BaseWorker
from rq_posts import wait_for

from orderlines.processes.proc import descendants
from orderlines_executor_rq.bell import Ringer
from orderlines_executor_rq.keys import SigningKey
from orderlines_executor_rq.message import Bell

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis
    from rq_posts import Post

BELL = Bell(7, 2, 3, 1)
QUEUE = "rq:queue:orderlines:default"


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}/exe").exists()


def more_than(post: Post, done: int) -> bool:
    return len(post.noted("done")) > done


def held(post: Post, **more: Any) -> int:
    """Return the process of a drain that holds a bell."""
    post.serve(ways={"7": "hold", "8": "stay"}, **more)
    post.ring(BELL)
    wait_for(lambda: post.noted("drain", BELL.id), "it is held")
    pid = post.noted("drain", BELL.id)[-1][2]
    assert isinstance(pid, int)
    return pid


# Fault: SIGTERM to a worker. Nothing new is taken, the drain leaves, and what it left waits for the others.
def test_sigterm_lets_the_drain_leave_and_ends_with_0(post: Post, redis: Redis) -> None:
    pid = held(post)
    after = Bell(1, 1, 1, 1)
    post.ring(after)
    post.signal(signal.SIGTERM)
    assert post.wait() == 0
    assert [line[0] for line in post.noted()] == ["begin", "drain", "left"]
    assert gone(pid)
    # It is rung again, after those that wait.
    assert redis.lrange(QUEUE, 0, -1) == [after.id.encode(), BELL.id.encode()]
    assert redis.keys("orderlines:taken:*") == []
    assert redis.smembers("rq:workers") == set()


# Fault: SIGTERM to a worker whose drain does not leave: its grace, then it is ended.
def test_a_drain_that_does_not_leave_is_ended_after_its_grace(post: Post, redis: Redis) -> None:
    post.serve(ways={"8": "stay"}, grace=1.5)
    bell = Bell(8, 1, 1, 1)
    post.ring(bell)
    wait_for(lambda: post.noted("drain", bell.id), "it is held")
    post.signal(signal.SIGTERM)
    assert post.wait() == 0
    assert gone(post.noted("drain")[0][2])
    assert post.noted("done") == []
    assert redis.lrange(QUEUE, 0, -1) == [bell.id.encode()]
    assert post.said().count("told to end: nothing more is taken, and what goes on has ") == 1


def test_sigterm_of_an_idle_worker_ends_it(post: Post) -> None:
    post.serve()
    post.signal(signal.SIGTERM)
    assert post.wait(5) == 0
    assert post.said() == ""


# Fault: worker and horse killed. Whoever lives puts back what it had taken.
def test_a_killed_worker_takes_its_child_with_it_and_its_bell_is_rescued(post: Post, redis: Redis) -> None:
    pid = held(post, ttl=1.0)
    below = descendants(post.process.pid) if post.process else []
    post.signal(signal.SIGKILL)
    post.wait()
    wait_for(lambda: all(map(gone, [pid, *below])), "nothing is left of it", 3.0)
    (taken,) = redis.keys("orderlines:taken:*")
    assert redis.lrange(taken, 0, -1) == [BELL.id.encode()]
    post.go.touch()
    post.serve(ttl=1.0)
    post.wait_done(BELL)
    wait_for(lambda: redis.keys("orderlines:taken:*") == [], "nothing is taken any more")
    wait_for(lambda: len(BaseWorker.all(connection=redis)) == 1, "the dead worker is struck off")


# Fault: worker killed between the pop and anything else. A dozen times, at any moment: no bell is lost.
def test_workers_that_are_killed_again_and_again_lose_no_bell(post: Post, redis: Redis) -> None:
    bells = [Bell(1, line, 1, 1) for line in range(120)]
    for start in range(0, 120, 10):
        done = len(post.noted("done"))
        post.ring(*bells[start : start + 10])
        post.serve(ttl=1.0)
        wait_for(partial(more_than, post, done), "it works")
        post.signal(signal.SIGKILL)
        post.wait()
    post.serve(ttl=1.0)
    wait_for(lambda: {line[1] for line in post.noted("done")} == {bell.id for bell in bells}, "all are answered", 60)
    assert redis.llen(QUEUE) == 0


# Fault: worker paused. Its bell is answered by another one, and its own late answer harms nobody.
def test_a_paused_worker_that_comes_back_puts_nothing_back_twice(
    post: Post, redis: Redis, post_at: Callable[[str], Post]
) -> None:
    held(post, ttl=1.0)
    post.signal(signal.SIGSTOP)
    other = post_at(post.url)
    other.serve(ttl=1.0)
    wait_for(lambda: len(post.noted("drain", BELL.id)) == 2, "the other one has taken it over")
    post.go.touch()
    wait_for(lambda: len(post.noted("done", BELL.id)) == 2, "both have answered")
    post.signal(signal.SIGCONT)
    after = Bell(1, 1, 1, 1)
    wait_for(lambda: len(BaseWorker.all(connection=redis)) == 2, "it is registered again")
    post.ring(after)
    post.wait_done(after)
    wait_for(lambda: redis.keys("orderlines:taken:*") == [], "nothing is taken any more")
    assert redis.llen(QUEUE) == 0


# Fault: starts grandchildren. They go with the child.
def test_grandchildren_go_with_the_drain(post: Post) -> None:
    post.serve(drain="rq_doubles:Forking", ways={"7": "hold"}, grace=0.2)
    post.ring(BELL)
    wait_for(lambda: post.noted("forked"), "it has forked")
    pid = post.noted("forked")[0][1]
    assert not gone(pid)
    post.signal(signal.SIGTERM)
    assert post.wait() == 0
    assert gone(pid)


# Several workers


def test_several_workers_serve_and_one_that_dies_is_replaced(post: Post, redis: Redis) -> None:
    post.serve(3)
    assert len(BaseWorker.all(connection=redis)) == 3
    victim = BaseWorker.all(connection=redis)[0].pid
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: len(post.noted("begin")) == 4, "another one has begun")
    bells = [Bell(1, line, 1, 1) for line in range(30)]
    post.ring(*bells)
    post.wait_done(*bells)
    assert "a worker has ended (signal 9 (SIGKILL)); another one is begun in " in post.said()


# Fault: somebody rings with another key once, and then a worker dies.
def test_another_key_in_between_does_not_end_all_workers(post: Post, redis: Redis) -> None:
    post.serve(2)
    stranger = Ringer(post.url, SigningKey("the key of somebody else", "elsewhere"))
    stranger.ring_many({"default": [Bell(1, 1, 1, 1)]})
    stranger.close()
    victim = BaseWorker.all(connection=redis)[0].pid
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: len(post.noted("begin")) == 3, "another one has begun")
    post.ring(BELL)
    post.wait_done(BELL)


def test_one_of_several_that_is_told_to_end_is_replaced_and_has_not_died(post: Post, redis: Redis) -> None:
    post.serve(2)
    send_shutdown_command(redis, BaseWorker.all(connection=redis)[0].name)
    wait_for(lambda: len(post.noted("begin")) == 3, "another one has begun")
    assert "a worker has ended, as it was told to; another one is begun in " in post.said()


def test_sigterm_ends_all_of_them_with_0(post: Post, redis: Redis) -> None:
    post.serve(2, ways={"7": "hold"})
    post.ring(BELL)
    wait_for(lambda: post.noted("drain", BELL.id), "one of them is at work")
    below = descendants(post.process.pid) if post.process else []
    post.signal(signal.SIGTERM)
    assert post.wait() == 0
    assert post.noted("left", BELL.id)
    assert all(map(gone, below))
    assert redis.lrange(QUEUE, 0, -1) == [BELL.id.encode()]
    assert redis.smembers("rq:workers") == set()


def test_a_second_sigterm_ends_all_of_them_at_once_and_their_bells_go_back(post: Post, redis: Redis) -> None:
    post.serve(2, ways={"7": "stay"}, grace=60.0)
    post.ring(BELL)
    wait_for(lambda: post.noted("drain", BELL.id), "it is held")
    post.signal(signal.SIGTERM)
    time.sleep(1.5)  # What comes within a second is taken for the same signal.
    post.signal(signal.SIGTERM)
    assert post.wait() == 0
    assert redis.lrange(QUEUE, 0, -1) == [BELL.id.encode()]
    assert BaseWorker.all(connection=redis) == []


def test_a_supervisor_that_is_killed_takes_all_with_it(post: Post) -> None:
    post.serve(2)
    below = descendants(post.process.pid) if post.process else []
    assert len(below) > 6
    post.signal(signal.SIGKILL)
    post.wait()
    wait_for(lambda: all(map(gone, below)), "nothing is left", 5.0)


def test_what_no_worker_can_do_ends_all_of_them(post: Post) -> None:
    post.start(2, settings={"trouble": "refused"})
    assert post.wait() == 2
    assert "Error: this drain wants something else" in post.said()
