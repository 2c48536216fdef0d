from __future__ import annotations

import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from orderlines.engine import open_store
from orderlines.errors import StoreUnavailable, UsageError
from orderlines.plugins import registry
from orderlines.schedulers.base import Scheduler
from orderlines.testing.bench import PATIENCE, until
from orderlines.testing.servers.base import free_port
from orderlines.testing.servers.redis import RedisServer, SecureRedis
from orderlines_scheduler_rq.entry import wake
from orderlines_scheduler_rq.keys import BELL, PREFIX, QUEUE
from orderlines_scheduler_rq.scheduler import RQScheduler
from orderlines_scheduler_rq.waking import ENTRY, WakeJob, Wakes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = 8.0
"""Seconds that nothing here has to wait for."""


class Trap:
    """Whoever unpickles it leaves a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.path}",)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(server: RedisServer) -> Iterator[Redis]:
    with Redis.from_url(server.url) as connection:
        connection.flushall()
        yield connection


@pytest.fixture
def scheduler(server: RedisServer, redis: Redis) -> Iterator[RQScheduler]:
    with RQScheduler(server.url) as scheduler:
        yield scheduler


def waited(scheduler: RQScheduler, due: float | None, seconds: float) -> tuple[bool, float]:
    begun = time.monotonic()
    return scheduler.wait(due, seconds), time.monotonic() - begun


def test_it_is_offered_as_rq() -> None:
    assert registry().scheduler("rq") is RQScheduler
    assert issubclass(RQScheduler, Scheduler)
    assert "rq" in registry().schedulers()


def test_a_moment_is_registered_once_as_json_and_one_entry_function(scheduler: RQScheduler, redis: Redis) -> None:
    moment = round(time.time()) + 50
    for _ in range(3):
        scheduler.wait(moment - time.time(), 0.01)
    found: Any = redis.zrange(Wakes.scheduled_jobs_key, 0, -1, withscores=True)
    ((name, score),) = found
    assert name.decode() == f"{PREFIX}{int(score)}"
    assert score == moment
    job = WakeJob.fetch(name.decode(), connection=redis)
    assert json.loads(job.data) == [ENTRY, None, [], {}]
    assert (job.func_name, job.meta) == (ENTRY, {})
    assert f"{wake.__module__}.{wake.__name__}" == ENTRY


def test_what_one_registers_wakes_another(scheduler: RQScheduler, server: RedisServer, redis: Redis) -> None:
    with RQScheduler(server.url) as other:
        other.wait(1.0, 0.0)
    begun = time.monotonic()
    until(lambda: scheduler.wait(None, 0.2), "it wakes")
    assert time.monotonic() - begun < LONG
    assert redis.keys("rq:job:*") == []
    assert redis.zcard(Wakes.scheduled_jobs_key) == redis.llen(f"rq:queue:{QUEUE}") == 0
    assert waited(scheduler, None, 0.05)[0] is False


@pytest.mark.parametrize("key", [f"rq:queue:{QUEUE}", BELL])
def test_any_message_wakes_at_once_and_many_wake_once(scheduler: RQScheduler, redis: Redis, key: str) -> None:
    redis.rpush(key, *(f"{PREFIX}{number}" for number in range(50)))
    woken, seconds = waited(scheduler, None, LONG)
    assert woken
    assert seconds < LONG / 2
    assert redis.llen(key) == 0
    assert waited(scheduler, None, 0.05)[0] is False


def test_without_a_wake_up_it_returns_when_a_slot_is_due(scheduler: RQScheduler, redis: Redis) -> None:
    scheduler.wait(0.4, 0.0)
    redis.flushall()
    woken, seconds = waited(scheduler, 0.3, LONG)
    assert woken
    assert 0.25 < seconds < LONG / 2


def test_it_returns_in_time(scheduler: RQScheduler) -> None:
    woken, seconds = waited(scheduler, 30.0, 0.2)
    assert not woken
    assert 0.15 < seconds < LONG / 2
    assert waited(scheduler, None, 0.0)[1] < LONG / 2


def test_a_worker_passes_wake_ups_on(scheduler: RQScheduler, redis: Redis) -> None:
    queue = Queue(QUEUE, connection=redis, job_class=WakeJob, serializer=JSONSerializer)
    queue.enqueue(ENTRY)
    worker = SimpleWorker([queue], connection=redis, job_class=WakeJob, serializer=JSONSerializer)
    assert worker.work(burst=True)
    assert redis.llen(BELL) == 1
    assert 0 < redis.ttl(BELL) <= 60
    assert scheduler.wait(None, LONG)


@pytest.mark.parametrize("payload", ["pickle", "garbage", "json of another function", "nothing"])
def test_foreign_messages_are_neither_read_nor_run(
    scheduler: RQScheduler, redis: Redis, tmp_path: Path, payload: str
) -> None:
    left = tmp_path / "left"
    data = {
        "pickle": pickle.dumps(("os.system", None, (Trap(left),), {})),
        "garbage": b"\xff\x00not anything",
        "json of another function": json.dumps(["os.system", None, [f"touch {left}"], {}]).encode(),
        "nothing": b"",
    }[payload]
    fields: dict[Any, Any] = {"data": data, "origin": QUEUE, "created_at": "2026-01-01T00:00:00.000000Z", "meta": data}
    redis.hset("rq:job:evil", mapping=fields)
    redis.zadd(Wakes.scheduled_jobs_key, {"evil": 1, "not there": 2})
    redis.rpush(f"rq:queue:{QUEUE}", "evil", b"\xff\x00", "../../evil")
    until(lambda: scheduler.wait(None, 0.1), "it wakes")
    until(lambda: not scheduler.wait(None, 0.1) and not redis.zcard(Wakes.scheduled_jobs_key), "all is thrown away")
    assert not left.exists()
    scheduler.wait(30.0, 0.0)
    assert redis.zcard(Wakes.scheduled_jobs_key) == 1


def test_while_redis_is_away_slots_go_by_the_clock(
    scheduler: RQScheduler, server: RedisServer, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    server.kill()
    try:
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                woken, seconds = waited(scheduler, 0.3, 1.0)
                assert woken
                assert 0.25 < seconds < LONG / 2
        (record,) = caplog.records
        queue = f"the queue at redis://127.0.0.1:{server.port}/0"
        assert f"slots go by this machine's clock: {queue} cannot be used: see whether it runs" in record.message
        assert "(ConnectionError: " in record.message
    finally:
        server.start()
    with caplog.at_level(logging.WARNING):
        until(lambda: not scheduler.wait(40.0, 0.05) and bool(redis.zcard(Wakes.scheduled_jobs_key)), "it registers")
    assert [record.message for record in caplog.records[1:]] == [f"{queue} is back"]


def test_what_redis_refuses_is_told_as_it_says_it(
    scheduler: RQScheduler, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    redis.set(BELL, "no list")
    with caplog.at_level(logging.WARNING):
        scheduler.wait(None, 0.1)
    (record,) = caplog.records
    assert record.message.startswith("slots go by this machine's clock: the queue at ")
    assert "cannot be used: ResponseError: WRONGTYPE" in record.message


@pytest.mark.parametrize("url", ["http://user:secret@host", "nope", "redis://h:port/0", "", "redis://[::1"])
def test_what_is_no_redis_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is not the URL of a Redis: write one such as redis://") as caught:
        RQScheduler(url)
    assert "secret" not in str(caught.value)


def test_a_redis_has_to_be_named() -> None:
    with pytest.raises(UsageError, match="--queue redis://"):
        RQScheduler(None)


def test_a_redis_that_does_not_answer_is_unavailable() -> None:
    port = free_port()
    with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port}") as caught:
        RQScheduler(f"redis://user:secret@127.0.0.1:{port}/0")
    assert "secret" not in str(caught.value)


def test_the_url_of_a_store_may_name_it_and_what_it_cannot_have_is_refused(server: RedisServer) -> None:
    for url in (f"{server.url}?prefix=a&timeout=3", f"redis+unix://{server.socket}?db=2"):
        RQScheduler(url).close()
    with pytest.raises(UsageError, match="do not ask sentinels for it; name any server that takes writes"):
        RQScheduler("redis+sentinel://one/ours/0")
    with pytest.raises(UsageError, match="a queue has no option 'colour'"):
        RQScheduler(f"{server.url}?colour=red")


def test_where_one_side_speaks_no_tls_that_is_said(server: RedisServer, tmp_path: Path) -> None:
    with SecureRedis(tmp_path / "secure") as secure:
        with RQScheduler(f"rediss://localhost:{secure.port}/0?ca={secure.certificate}"):
            pass
        with pytest.raises(
            StoreUnavailable, match=r"see whether it runs, and whether it wants TLS \(then write rediss://"
        ):
            RQScheduler(f"redis://localhost:{secure.port}/0")
    with pytest.raises(StoreUnavailable, match=r"speaks TLS \(where it does not, write redis:// with one s\)"):
        RQScheduler(f"rediss://localhost:{server.port}/0")


def orderlines(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "orderlines.cli.main", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_command_serves_with_it_and_loses_nothing_when_redis_is_emptied_or_killed(
    tmp_path: Path, server: RedisServer, redis: Redis
) -> None:
    (tmp_path / "flow.yaml").write_text("flow: f\nline:\n- {id: d, delay: 1ms}\n", encoding="utf-8")
    adding = orderlines(tmp_path, "schedule", "add", "flow.yaml", "--every", "1s", "--misfire", "all")
    told = adding.communicate(timeout=PATIENCE)
    assert adding.returncode == 0, told
    serving = [orderlines(tmp_path, "scheduler", "--with", "rq", "--queue", server.url) for _ in range(2)]
    store = open_store(f"sqlite:///{tmp_path}/.orderlines/orderlines.db")
    try:
        until(lambda: len(store.runs(99)) >= 2, "slots start runs")
        until(lambda: bool(redis.keys("orderlines:wakes:*")), "a moment is registered")
        redis.flushall()
        until(lambda: len(store.runs(99)) >= 4, "they go on")
        server.kill()
        until(lambda: len(store.runs(99)) >= 6, "they go on without it")
        server.start()
        until(lambda: len(store.runs(99)) >= 8, "they go on with it")
    finally:
        for process in serving:
            process.send_signal(signal.SIGTERM)
        ended = [process.communicate(timeout=PATIENCE) for process in serving]
    assert [process.returncode for process in serving] == [0, 0], ended
    slots = [slot for slot in store.slots("f", 1_000) if slot.state == "RUN"]
    assert len({slot.run for slot in slots}) == len(slots) == len(store.runs(1_000))
    first, last = slots[-1].slot, slots[0].slot
    assert [slot.slot for slot in slots] == list(range(last, first - 1, -1))
    store.close()
    assert "Traceback" not in "".join(error for _, error in ended)


def test_the_command_takes_the_redis_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERLINES_QUEUE", "redis://127.0.0.1:1/0")
    process = orderlines(tmp_path, "scheduler", "--with", "rq")
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (4, "")
    assert "127.0.0.1:1" in err


@pytest.mark.parametrize(
    ("options", "code", "why"),
    [
        (["--with", "rq"], 2, "--queue redis://"),
        (["--with", "rq", "--queue", "nope"], 2, "URL of a Redis"),
        (["--with", "rq", "--queue", "redis://127.0.0.1:1/0"], 4, "cannot be reached"),
        (["--with", "rq", "--queue", "redis://u:S3c@r/etPw@127.0.0.1:1/0"], 2, "%40"),
    ],
)
def test_what_cannot_be_is_refused_by_the_command(tmp_path: Path, options: list[str], code: int, why: str) -> None:
    process = orderlines(tmp_path, "scheduler", *options)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (code, "")
    assert why in err
    assert "Traceback" not in err
    assert "etPw" not in err
