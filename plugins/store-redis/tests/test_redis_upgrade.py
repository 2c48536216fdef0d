"""Upgrading keys that version 1 has written."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis

from orderlines.errors import Refused, StoreUnavailable, UsageError
from orderlines.processes.identity import ProcessIdentity
from orderlines.stores.upgrading import SchemaState
from orderlines_store_redis.connection import LAYOUT
from orderlines_store_redis.store import RedisStore
from orderlines_store_redis.upgrade import RedisUpgrade
from orderlines_store_redis.upgrades import STEPS, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.testing.servers.redis import RedisServer

OLD = (Path(__file__).parent / "old" / "version_1.jsonl").read_text(encoding="utf-8").splitlines()
IDENTITY = ProcessIdentity.current()
MORE = (*STEPS, Step(3, lambda _: None))


@pytest.fixture
def client(redis: RedisServer) -> Iterator[Any]:
    client: Any = Redis.from_url(redis.url, decode_responses=True)
    yield client
    client.close()


@pytest.fixture(autouse=True)
def old(url: str, client: Any) -> None:
    """Write what version 1 has written."""
    write(url, client)


def prefix_of(url: str) -> str:
    return url.partition("prefix=")[2] + ":"


def write(url: str, client: Any) -> None:
    client.delete(*client.keys(prefix_of(url) + "*"), "nothing")
    for command, name, *words in map(json.loads, OLD):
        client.execute_command(command, prefix_of(url) + name, *words)


def content(url: str, client: Any) -> dict[str, Any]:
    """Return what every key holds; but not the scripts' own count of changes."""
    reads = {
        "string": client.get, "hash": client.hgetall, "set": client.smembers,
        "list": lambda key: client.lrange(key, 0, -1), "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
    }  # fmt: skip
    names: Any = client.keys(prefix_of(url) + "*")
    return {name: reads[str(client.type(name))](name) for name in names}


def test_every_version_has_a_step() -> None:
    assert [step.version for step in STEPS] == list(range(2, LAYOUT + 1))


def test_lines_that_waited_go_on_waiting(url: str) -> None:
    with pytest.raises(StoreUnavailable, match=f"schema version 1, .* run: orderlines migrate --store '{url[:9]}"):
        RedisStore(url)
    assert RedisUpgrade(url).run([]).steps == [2]
    with closing(RedisStore(url)) as store:
        (run,) = (run for run in store.runs(9) if run.key == "queued")
        assert store.waiting() == {"gpu": pytest.approx(run.created, abs=0.1)}
        assert len(store.runs(9)) == 3
        driver = store.enroll(IDENTITY)
        assert [line.run for line in store.claim(driver, None, 9, ["gpu"])] == [run.id]
        assert store.waiting() == {}


def test_one_that_loses_any_answer_is_gone_on_with(url: str, client: Any, redis: RedisServer, lossy: Any) -> None:
    RedisUpgrade(url).run([])
    whole = content(url, client)
    hits = 0
    while True:
        write(url, client)
        with lossy(redis.port, hits + 1) as way:
            try:
                RedisUpgrade(url.replace(f":{redis.port}/", f":{way.port}/")).run([])
            except StoreUnavailable:
                assert way.lost
            else:
                if not way.lost:
                    break
        hits += 1
        found = RedisUpgrade(url).state()
        if found != SchemaState(2):
            told = "go on with: orderlines migrate" if found.unfinished else "schema version 1"
            with pytest.raises(StoreUnavailable, match=told):
                RedisStore(url)
        RedisUpgrade(url).run([])
        assert content(url, client) == whole
    assert hits >= len(["begin", "scan", "queue", "scan", "end"])


def test_several_at_once_come_to_the_same(url: str, client: Any) -> None:
    RedisUpgrade(url).run([])
    whole = content(url, client)
    write(url, client)
    threads = [threading.Thread(target=RedisUpgrade(url).run, args=([],)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert content(url, client) == whole


def test_one_that_comes_late_changes_nothing_any_more(url: str, client: Any) -> None:
    def act(connections: Any) -> None:
        RedisUpgrade(url).run([])
        with closing(RedisStore(url)) as store:
            assert len(store.claim(store.enroll(IDENTITY), None, 9, ["gpu"])) == 1
        STEPS[0].act(connections)

    RedisUpgrade(url, (Step(2, act),)).run([])
    with closing(RedisStore(url)) as store:
        assert store.waiting() == {}
    assert client.exists(f"{prefix_of(url)}since:=gpu") == 0


def test_a_driver_that_is_not_known_to_be_dead_keeps_it_as_it_is(url: str, client: Any) -> None:
    client.hset(f"{prefix_of(url)}drivers", "7", json.dumps(IDENTITY))
    assert [(row.id, row.identity) for row in RedisUpgrade(url).drivers()] == [(7, IDENTITY)]
    with pytest.raises(Refused, match="with the numbers 7; end them"):
        RedisUpgrade(url).run([6])
    assert RedisUpgrade(url).state() == SchemaState(1)
    assert RedisUpgrade(url).run([7]).steps == [2]


def test_who_had_it_open_begins_no_driver_any_more(url: str) -> None:
    RedisUpgrade(url).run([])
    with closing(RedisStore(url)) as store:
        store.dismiss([store.enroll(IDENTITY)])
        assert RedisUpgrade(url, MORE).run([]).steps == [3]
        with pytest.raises(StoreUnavailable, match="schema version 3, this orderlines needs 2; a newer orderlines"):
            store.enroll(IDENTITY)
        assert store.drivers() == []


def test_where_there_is_nothing_nothing_is_made(redis: RedisServer, client: Any) -> None:
    assert RedisUpgrade(f"{redis.url}?prefix=none").state() == SchemaState(None)
    assert client.keys("none:*") == []


def test_keys_of_another_application_are_left_alone(redis: RedisServer, client: Any) -> None:
    client.rpush("foreign:layout", "a")
    with pytest.raises(UsageError, match="keys of another application"):
        RedisUpgrade(f"{redis.url}?prefix=foreign").state()
