"""Fault: garbage, another function's name, a bad signature, an old version. None runs, and the worker lives."""

from __future__ import annotations

import json
import pickle
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from rq import Callback
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq_posts import wait_for

from orderlines_executor_rq.entry import ENTRY
from orderlines_executor_rq.keys import SigningKey
from orderlines_executor_rq.message import Bell, write
from orderlines_executor_rq.quarantine import quarantined
from orderlines_executor_rq.queues import Names

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis
    from rq_posts import Post

    from orderlines_executor_rq.quarantine import Quarantined

KEY = SigningKey("a key of the tests, long enough", "the test")
QUEUE = "orderlines:default"
BELL = Bell(1, 2, 3, 1)
GOOD = Bell(2, 2, 2, 2)
"""What is rung after each attack, and has to be answered."""


def push(redis: Redis, name: str | bytes, fields: dict[str, Any] | None = None) -> None:
    """Put an id on the queue, and what is said to be its job."""
    key = b"rq:job:" + (name if isinstance(name, bytes) else name.encode())
    if fields is not None:
        mapping: dict[Any, Any] = {"origin": QUEUE, **fields}
        redis.hset(key, mapping=mapping)
    redis.rpush(f"rq:queue:{QUEUE}", name)


def counts(redis: Redis, count: int) -> bool:
    return len(quarantined(redis, Names())) == count


def call(function: str = ENTRY, *arguments: object, named: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"data": zlib.compress(json.dumps([function, None, list(arguments), named or {}]).encode())}


def aside(post: Post, redis: Redis, count: int) -> list[Quarantined]:
    """Return what was set aside, once a good bell that was rung after it has been answered."""
    post.ring(GOOD)
    post.wait_done(GOOD)
    assert post.lives()
    assert [line[1] for line in post.noted("drain")] == [GOOD.id]
    assert redis.llen(f"rq:queue:{QUEUE}") == 0
    found = quarantined(redis, Names())
    assert len(found) == count, post.said()
    # Each is logged once, with its reason.
    assert post.said().count("is no doorbell, and was set aside: ") == count
    return found


class Bomb:
    """What writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(self.path), "w"))


@pytest.fixture
def proof(tmp_path: Path) -> Path:
    """Return the file that is there once foreign code has run."""
    return tmp_path / "proof"


def test_what_stands_in_place_of_the_fingerprint_holds_no_worker_up(post: Post, redis: Redis) -> None:
    redis.lpush(Names().key_id, "a list")
    post.serve()
    message = write(BELL, SigningKey("the key of somebody else", "elsewhere"))
    push(redis, BELL.id, call(ENTRY, message))
    wait_for(partial(counts, redis, 1), f"it is set aside: {post.said()}")
    (kept,) = aside(post, redis, 1)
    assert kept.reason == "it was not signed with this worker's key: somebody else has written it"


def test_other_functions_do_not_run(post: Post, redis: Redis, proof: Path) -> None:
    post.serve()
    queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)
    queue.enqueue("os.system", f"touch {proof}")
    queue.enqueue("subprocess.getoutput", f"touch {proof}")
    queue.enqueue("orderlines_executor_rq.entry.answer.__globals__", 1)
    queue.enqueue(ENTRY, f"touch {proof}")
    found = aside(post, redis, 4)
    assert not proof.exists()
    assert found[-1].reason == f"it calls 'os.system', and only {ENTRY} may be called"
    assert found[0].reason == "its message does not have exactly the fields epoch, line, ring, run, sig, v"
    # Each lies where it was for a day, for somebody to look at.
    assert 0 < redis.ttl(f"rq:job:{found[-1].job}") <= 86_400


def test_pickles_are_not_unpickled(post: Post, redis: Redis, proof: Path) -> None:
    post.serve()
    queue = Queue(QUEUE, connection=redis)
    queue.enqueue("os.system", f"touch {proof}")
    queue.enqueue(ENTRY, Bomb(proof))
    push(redis, BELL.id, {"data": zlib.compress(pickle.dumps(Bomb(proof)))})
    push(redis, "plain", {"data": pickle.dumps((ENTRY, None, (Bomb(proof),), {}))})
    push(redis, "meta", {**call(ENTRY, write(BELL, KEY)), "meta": pickle.dumps(Bomb(proof))})
    found = aside(post, redis, 5)
    assert not proof.exists()
    assert {each.reason for each in found[1:]} == {"its data are not JSON: another serialiser, or garbage"}


def test_callbacks_and_dependencies_are_refused(post: Post, redis: Redis, proof: Path) -> None:
    post.serve(ways={"7": "hold"})
    queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)
    touch = Callback("os.system")
    message = write(BELL, KEY)
    for kind in ("on_success", "on_failure", "on_stopped"):
        queue.enqueue(ENTRY, message, job_id=f"{kind}", **{kind: touch})
    first = queue.enqueue(ENTRY, message, job_id=BELL.id, meta={"x": 1})
    queue.enqueue(ENTRY, message, job_id="after", depends_on=first)
    redis.rpush(f"rq:queue:{QUEUE}", "after")
    found = aside(post, redis, 5)
    assert not proof.exists()
    assert [each.reason for each in reversed(found)] == [
        "its field 'success_callback_name' is not empty",
        "its field 'failure_callback_name' is not empty",
        "its field 'stopped_callback_name' is not empty",
        "it has the field 'meta', which a doorbell has not",
        "it has the field 'dependency_id', which a doorbell has not",
    ]


def test_forged_bells_are_not_answered(post: Post, redis: Redis) -> None:
    post.serve()
    message = write(BELL, KEY)
    forged = [
        {**message, "line": 3},
        {**message, "sig": "0" * 64},
        {**message, "v": 0},
        {**message, "v": 2},
        {**message, "args": ["x"]},
        write(BELL, SigningKey("the key of somebody else", "elsewhere")),
        {name: value for name, value in message.items() if name != "sig"},
        {**message, "run": True},
        {**message, "epoch": -1},
    ]
    for each in forged:
        push(redis, BELL.id, call(ENTRY, each))
        wait_for(lambda: redis.llen(f"rq:queue:{QUEUE}") == 0, "it was taken")
        wait_for(partial(counts, redis, forged.index(each) + 1), "it was set aside")
    found = aside(post, redis, len(forged))
    assert found[-1].reason == "it was not signed with this worker's key: somebody else has written it"


def test_a_bell_under_another_id_is_not_answered(post: Post, redis: Redis) -> None:
    post.serve()
    push(redis, "1-2-3-99", call(ENTRY, write(BELL, KEY)))
    assert aside(post, redis, 1)[0].reason == "its id is not the one that its message gives it"


def test_garbage_in_place_of_jobs_harms_nobody(post: Post, redis: Redis) -> None:
    post.serve()
    push(redis, b"\xff\xfe\x00\r\n", {"data": b"\x00garbage"})
    push(redis, "no-such-job")
    push(redis, "x" * 1_000_000)
    push(redis, "")
    redis.set("rq:job:text", "a text")
    push(redis, "text")
    push(redis, "empty", {"data": b""})
    push(redis, "big", {"data": b"x" * 1_000_000})
    push(redis, "bomb", {"data": zlib.compress(b" " * 10_000_000)})
    push(redis, "many", {f"field{number}": "x" for number in range(1_000)})
    found = aside(post, redis, 9)
    reasons = {each.job[:20]: each.reason for each in found}
    assert reasons["\\xff\\xfe\x00\r\n"] == "its data are not JSON: another serialiser, or garbage"
    assert reasons["no-such-job"] == "there is no job of this id"
    assert reasons["x" * 20] == "its id has 1000000 bytes"
    assert reasons["text"] == "what has its id is no job"
    assert "bytes in Redis" in reasons["big"]
    assert reasons["bomb"] == "its data are cut short, go on after their end, or are too long"
    assert "Traceback" not in post.said()


def test_a_queue_that_is_no_list_is_named_and_the_others_are_served(post: Post, redis: Redis) -> None:
    redis.set("rq:queue:orderlines:gpu", "a text")
    post.serve(queues=["gpu", "default"])
    post.ring(GOOD)
    post.wait_done(GOOD)
    told = "what stands in place of the queue orderlines:gpu is none: WRONGTYPE"
    wait_for(lambda: told in post.said(), "it is told")
    redis.delete("rq:queue:orderlines:gpu")
    post.ring(BELL, queue="gpu")
    post.wait_done(BELL)


def test_where_the_quarantine_is_no_list_what_is_foreign_is_logged_and_gone(post: Post, redis: Redis) -> None:
    redis.set(Names().quarantine, "a text")
    post.serve()
    push(redis, "no-such-job")
    post.ring(GOOD)
    post.wait_done(GOOD)
    assert post.said().count("is no doorbell, and was set aside: there is no job of this id") == 1
    assert "the quarantine is no list: what is no doorbell is only logged" in post.said()
    assert redis.get(Names().quarantine) == b"a text"


# Fault: a replayed old epoch. It is only a hint: the drain hears of it, and asks the store.
def test_a_replayed_bell_wakes_and_nothing_more(post: Post, redis: Redis) -> None:
    post.serve()
    post.ring(BELL)
    post.wait_done(BELL)
    wait_for(lambda: redis.hget(f"rq:job:{BELL.id}", "status") == b"finished", "its job is finished")
    redis.rpush(f"rq:queue:{QUEUE}", BELL.id)
    post.ring(GOOD)
    post.wait_done(GOOD)
    assert [line[1] for line in post.noted("drain")] == [BELL.id, BELL.id, GOOD.id]
    assert quarantined(redis, Names()) == []


def test_the_quarantine_keeps_the_newest_thousand(post: Post, redis: Redis) -> None:
    post.serve()
    redis.rpush(f"rq:queue:{QUEUE}", *[f"none-{number}" for number in range(1_100)])
    post.ring(GOOD)
    post.wait_done(GOOD, seconds=60)
    found = quarantined(redis, Names())
    assert len(found) == 1_000
    assert (found[0].job, found[-1].job) == ("none-1099", "none-100")


def test_the_job_of_another_application_is_left_as_it_is(post: Post, redis: Redis) -> None:
    post.serve()
    job = Queue("theirs", connection=redis).enqueue("os.getcwd")
    redis.rpush(f"rq:queue:{QUEUE}", job.id)
    aside(post, redis, 1)
    assert redis.ttl(f"rq:job:{job.id}") == -1
    assert redis.lrange("rq:queue:theirs", 0, -1) == [job.id.encode()]


# Fault: with plain RQ, whoever can write to Redis can call any function: our bells tell its workers what is wrong.
def test_rqs_own_worker_fails_a_bell_and_says_why() -> None:
    from orderlines_executor_rq.entry import answer  # noqa: PLC0415 -- what RQ imports

    with pytest.raises(RuntimeError, match="only an orderlines worker answers: let no other RQ"):
        answer(write(BELL, KEY))
