"""A worker whose Redis is restarted, cut off, paused and full."""

from __future__ import annotations

import re
import signal
import time
from typing import TYPE_CHECKING

import pytest
from rq.worker import BaseWorker
from rq_posts import wait_for

from orderlines.testing.servers.base import free_port
from orderlines.testing.servers.redis import RedisServer
from orderlines_executor_rq.connection import connect
from orderlines_executor_rq.message import Bell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from redis import Redis
    from rq_cable import Cable
    from rq_posts import Post

BELL, NEXT = Bell(7, 2, 3, 1), Bell(1, 1, 1, 1)
QUEUE = "rq:queue:orderlines:default"


def registered(url: str) -> bool:
    client = connect(url)
    try:
        return [worker.hostname is not None for worker in BaseWorker.all(connection=client)] == [True]
    finally:
        client.close()


# Fault: Redis restarts empty. The worker lives, is seen again, and answers what is rung again.
@pytest.mark.parametrize("busy", [False, True])
def test_redis_is_killed_and_comes_back_empty(busy: bool, post: Post, server: RedisServer) -> None:
    post.serve(ttl=3.0, ways={"7": "hold"})
    if busy:
        post.ring(BELL)
        wait_for(lambda: post.noted("drain", BELL.id), "it is held")
    server.kill()
    server.start()
    post.go.touch()
    post.ring(NEXT)
    post.wait_done(NEXT, *([BELL] if busy else []))
    assert len(post.noted("begin")) == 1
    wait_for(lambda: registered(server.url), "it is registered again")


# Fault: Redis restarts, with its append-only file: nothing that was rung is lost.
def test_redis_is_killed_and_comes_back_with_what_it_had(tmp_path: Path, post_at: Callable[[str], Post]) -> None:
    with RedisServer(tmp_path / "redis", appendonly=True) as server:
        post = post_at(server.url)
        post.serve(ways={"7": "hold"})
        bells = [Bell(1, line, 1, 1) for line in range(20)]
        post.ring(BELL, *bells)
        wait_for(lambda: post.noted("drain", BELL.id), "it is held")
        server.kill()
        post.go.touch()
        post.wait_done(BELL)
        server.start()
        post.wait_done(*bells)
        assert [line[1] for line in post.noted("drain")] == [bell.id for bell in (BELL, *bells)]
        post.close()


# Fault: Redis away for minutes. The worker waits, says so once a minute, and looks after its store meanwhile.
def test_redis_is_away_for_a_while(post: Post, server: RedisServer) -> None:
    post.serve(period=0.3)
    server.kill()
    looks = len(post.noted("look"))
    wait_for(lambda: len(post.noted("look")) > looks + 10, "it looks by itself")
    assert post.said().count("waiting for the queue at") == 1
    server.start()
    post.ring(NEXT)
    post.wait_done(NEXT)
    assert f"the queue at redis://127.0.0.1:{server.port}/0 is back" in post.said()
    assert len(post.noted("begin")) == 1


# Fault: a cut of the connection for seconds, while a bell is being answered and while none is.
@pytest.mark.parametrize("busy", [False, True])
def test_the_connection_is_cut_for_seconds(
    busy: bool, post: Post, cable: Cable, redis: Redis, post_at: Callable[[str], Post]
) -> None:
    worker = post_at(cable.url)
    worker.serve(ways={"7": "hold"}, ttl=6.0)
    if busy:
        post.ring(BELL)
        wait_for(lambda: post.noted("drain", BELL.id), "it is held")
    cable.pull()
    wait_for(lambda: "waiting for the queue at" in worker.said(), "it has noticed")
    worker.go.touch()
    post.ring(NEXT)
    time.sleep(3.0)  # the length of the cut is what is tested
    assert worker.lives()
    assert post.noted("done", NEXT.id) == []
    cable.plug()
    post.wait_done(NEXT, *([BELL] if busy else []))
    assert len(post.noted("drain")) == (2 if busy else 1)
    wait_for(lambda: redis.keys("orderlines:taken:*") == [], "nothing is taken any more")


# Fault: an answer that is lost. What was taken is there at the next try, and answered once.
@pytest.mark.parametrize("command", [b"BLMOVE", b"EVALSHA"])
def test_the_answer_to_a_command_is_lost(
    command: bytes, post: Post, cable: Cable, redis: Redis, post_at: Callable[[str], Post]
) -> None:
    worker = post_at(cable.url)
    worker.serve()
    bells = [Bell(1, line, 1, 1) for line in range(5)]
    for bell in bells:
        cable.swallow(command)
        post.ring(bell)
        post.wait_done(bell)
    wait_for(lambda: cable.swallowed >= 1, "answers were lost")
    assert sorted(line[1] for line in post.noted("drain")) == [bell.id for bell in bells]
    wait_for(lambda: redis.keys("orderlines:taken:*") == [], "nothing is taken any more")


# Fault: Redis hangs. The worker goes on looking after its child, and ends when it is told to.
def test_redis_hangs(post: Post, server: RedisServer) -> None:
    post.serve(ways={"7": "hold"}, ttl=3.0)
    post.ring(BELL)
    wait_for(lambda: post.noted("drain", BELL.id), "it is held")
    server.pause()
    wait_for(lambda: "waiting for the queue at" in post.said(), "it has noticed")
    post.signal(signal.SIGTERM)
    assert post.wait(30) == 0
    assert post.noted("left", BELL.id)
    server.go_on()


# Fault: a read-only replica. The worker waits until it may write again.
def test_redis_is_a_replica_for_a_while(post: Post, server: RedisServer) -> None:
    post.serve()
    server.ask("REPLICAOF", "127.0.0.1", f"{free_port()}")
    wait_for(lambda: "waiting for the queue at" in post.said(), "it has noticed")
    # Whoever waits for a bell at that moment is told that "instance state changed", and not why.
    assert re.search(": (ReadOnlyError: .*You can't write|ResponseError: UNBLOCKED)", post.said())
    server.ask("REPLICAOF", "NO", "ONE")
    post.ring(NEXT)
    post.wait_done(NEXT)
    assert len(post.noted("begin")) == 1


# Fault: Redis full. The worker waits until there is room.
def test_redis_is_full(post: Post, redis: Redis) -> None:
    post.serve()
    redis.rpush("filling", *["x" * 1000] * 10_000)
    redis.config_set("maxmemory", "2mb")
    wait_for(lambda: "waiting for the queue at" in post.said(), "it has noticed")
    assert ": OutOfMemoryError: " in post.said()
    redis.config_set("maxmemory", "0")
    post.ring(NEXT)
    post.wait_done(NEXT)
    assert len(post.noted("begin")) == 1


# Fault: a message twice.
def test_a_bell_that_is_rung_twice_is_answered_and_harms_nobody(post: Post, redis: Redis) -> None:
    post.ring(NEXT)
    redis.rpush(QUEUE, NEXT.id)
    post.serve(burst=True)
    assert post.wait() == 0
    assert [line[1] for line in post.noted("done")] == [NEXT.id, NEXT.id]


# Fault: a killed worker holds RQ's cleaning lock for a quarter of an hour. We do not ask for it.
def test_the_cleaning_lock_of_rq_holds_nobody_up(post: Post, redis: Redis) -> None:
    redis.set("rq:clean_registries:orderlines:default", 1, ex=899)
    post.serve()
    post.ring(NEXT)
    post.wait_done(NEXT)
    assert redis.ttl("rq:clean_registries:orderlines:default") > 800
