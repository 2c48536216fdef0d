"""Ringing: what stands in Redis afterwards, and what becomes of it when Redis does not answer."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.errors import StoreUnavailable, UsageError
from orderlines.testing.servers.redis import RedisServer
from orderlines_executor_rq.bell import Ringer
from orderlines_executor_rq.entry import ENTRY
from orderlines_executor_rq.keys import SigningKey
from orderlines_executor_rq.message import Bell
from orderlines_executor_rq.queues import Names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis
    from rq_cable import Cable

KEY = SigningKey("a key of the tests, long enough", "the test")


@pytest.fixture
def ringer(server: RedisServer) -> Iterator[Ringer]:
    made = Ringer(server.url, KEY)
    yield made
    made.close()


def test_each_bell_is_a_job_of_its_queue(ringer: Ringer, redis: Redis) -> None:
    count = ringer.ring_many({"default": [Bell(1, n, 1, 1) for n in range(2500)], "gpu": [Bell(1, 1, 2, 1)]})
    assert count == 2501
    assert (ringer.waiting("default"), ringer.waiting("gpu"), ringer.waiting("none")) == (2500, 1, 0)
    assert redis.lrange("rq:queue:orderlines:default", 0, 1) == [b"1-0-1-1", b"1-1-1-1"]
    assert redis.smembers("rq:queues") == {b"rq:queue:orderlines:default", b"rq:queue:orderlines:gpu"}


def test_nothing_of_it_is_pickled_or_secret(ringer: Ringer, redis: Redis) -> None:
    ringer.ring_many({"default": [Bell(1, 2, 3, 4)]})
    fields: Any = redis.hvals("rq:job:1-2-3-4")
    everything = b"".join(fields)
    assert ENTRY.encode() in zlib.decompress(redis.hget("rq:job:1-2-3-4", "data"))  # type: ignore[arg-type]
    assert b"\x80\x04" not in everything
    assert KEY.secret not in everything
    assert redis.get("orderlines:key-id") == KEY.id.encode()


def test_a_bell_is_rung_once_in_one_go(ringer: Ringer) -> None:
    ringer.ring_many({"default": [Bell(1, 2, 3, 4), Bell(1, 2, 3, 4)]})
    assert ringer.waiting("default") == 1


def test_installations_that_share_a_redis_do_not_meet(server: RedisServer, ringer: Ringer) -> None:
    other = Ringer(server.url, KEY, Names("other"))
    other.ring_many({"default": [Bell(1, 2, 3, 4)]})
    assert (ringer.waiting("default"), other.waiting("default")) == (0, 1)
    other.close()


def test_who_rings_with_another_key_than_others_is_told_once(
    server: RedisServer, redis: Redis, ringer: Ringer, caplog: pytest.LogCaptureFixture
) -> None:
    ringer.ring_many({"default": [Bell(1, 1, 1, 1)]})
    ringer.ring_many({"default": [Bell(1, 2, 1, 1)]})
    assert caplog.messages == []
    other = Ringer(server.url, SigningKey("the key of somebody else", "/elsewhere/signing.key"))
    other.ring_many({"default": [Bell(1, 3, 1, 1)]})
    other.ring_many({"default": [Bell(1, 4, 1, 1)]})
    other.close()
    (told,) = caplog.messages
    assert f"were rung with the key {KEY.id} here" in told
    assert "of /elsewhere/signing.key" in told
    assert "set the same ORDERLINES_SIGNING_KEY" in told
    assert redis.llen("rq:queue:orderlines:default") == 4


def test_what_others_put_in_place_of_the_fingerprint_keeps_nobody_from_ringing(ringer: Ringer, redis: Redis) -> None:
    redis.lpush("orderlines:key-id", "a list")
    ringer.ring_many({"default": [Bell(1, 2, 3, 4)]})
    assert ringer.waiting("default") == 1
    assert redis.get("orderlines:key-id") == KEY.id.encode()


def test_a_queue_of_no_such_name_is_refused(ringer: Ringer) -> None:
    with pytest.raises(UsageError, match="'a b' cannot be the name of a queue"):
        ringer.ring_many({"a b": [Bell(1, 2, 3, 4)]})


# Fault: Redis away.
def test_a_redis_that_is_away_is_told_without_its_password(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis", password="secret")  # noqa: S106 -- not one
    with server:
        url = server.url
    ringer = Ringer(url, KEY)
    with pytest.raises(StoreUnavailable, match=r"the queue at redis://127.0.0.1:.* cannot be used: ") as caught:
        ringer.ring_many({"default": [Bell(1, 2, 3, 4)]})
    assert "secret" not in f"{caught.value}"
    ringer.close()


# Fault: Redis full.
def test_a_full_redis_takes_nothing_and_says_so(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis", maxmemory="3mb") as server:
        ringer = Ringer(server.url, KEY)
        with pytest.raises(StoreUnavailable, match=r"OutOfMemoryError: .*maxmemory"):
            ringer.ring_many({"default": [Bell(1, line, 1, 1) for line in range(20_000)]})
        ringer.close()


# Fault: a message twice. The first answer is lost, and what was sent is not sent again.
def test_an_answer_that_is_lost_rings_no_bell_twice(server: RedisServer, redis: Redis, cable: Cable) -> None:
    ringer = Ringer(cable.url, KEY)
    ringer.ring_many({"default": [Bell(1, 1, 1, 1)]})
    cable.swallow(b"EXEC")
    ringer.ring_many({"default": [Bell(1, 1, 1, 2), Bell(1, 2, 1, 1)]})
    assert cable.swallowed == 1
    assert redis.lrange("rq:queue:orderlines:default", 0, -1) == [b"1-1-1-1", b"1-1-1-2", b"1-2-1-1"]
    ringer.close()


def test_a_connection_that_was_cut_is_made_again(cable: Cable, redis: Redis) -> None:
    ringer = Ringer(cable.url, KEY)
    for ring in range(3):
        ringer.ring_many({"default": [Bell(1, 1, 1, ring)]})
        cable.cut()
    assert redis.llen("rq:queue:orderlines:default") == 3
    ringer.close()


def test_the_url_of_a_store_names_its_redis_as_well(server: RedisServer) -> None:
    ringer = Ringer(f"{server.url}?prefix=shop&expire=3600", KEY)
    assert ringer.ring_many({"default": [Bell(1, 2, 3, 4)]}) == 1
    assert ringer.waiting("default") == 1
    ringer.close()
