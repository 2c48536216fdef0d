"""What a doctor sees of a queue: its Redis, and the key that bells are signed with."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.testing.servers.base import free_port
from orderlines_executor_rq.executor import RQExecutor
from orderlines_executor_rq.keys import VARIABLE, SigningKey
from orderlines_executor_rq.quarantine import entry_of
from orderlines_executor_rq.queues import Names

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis
    from rq_plant import Plant

    from orderlines.testing.servers.redis import RedisServer

KEY = "a key of the tests, long enough"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, KEY)


def found(url: str) -> dict[str, tuple[str, str, str]]:
    return {finding.name: (finding.state, finding.told, finding.advice) for finding in RQExecutor.examine(url)}


def test_all_is_well(server: RedisServer) -> None:
    seen = found(server.url)
    assert {state for state, _, _ in seen.values()} == {"ok"}
    assert seen["queue"][1] == server.url
    assert seen["queue server"][1].startswith(("Redis ", "Valkey "))
    assert (seen["queue role"][1], seen["queue eviction"][1]) == ("master", "noeviction")
    assert seen["queue key"][1] == f"{SigningKey(KEY, '').id}, of {VARIABLE}"
    assert seen["queue quarantine"][1] == "nothing is set aside"
    assert KEY not in str(seen)


def test_a_redis_that_does_not_answer() -> None:
    seen = found(f"redis://me:secret@127.0.0.1:{free_port()}/0")
    state, told, advice = seen["queue"]
    assert (state, seen["queue key"][0]) == ("wrong", "ok")
    assert "see whether it runs" in told
    assert "until then no worker starts" in advice
    assert "secret" not in str(seen)


def test_a_replica_takes_no_bells(server: RedisServer, redis: Redis) -> None:
    redis.replicaof("127.0.0.1", str(free_port()))
    state, told, advice = found(server.url)["queue role"]
    assert (state, told) == ("wrong", "replica, which takes no writes")
    assert "name its master" in advice


def test_a_memory_that_is_full_is_said(server: RedisServer, redis: Redis) -> None:
    redis.config_set("maxmemory", "1")
    state, told, advice = found(server.url)["queue memory"]
    assert state == "wrong"
    assert re.fullmatch(r"[0-9.]+ MiB used of 0\.0", told)
    assert "raise maxmemory" in advice
    redis.config_set("maxmemory", "1gb")
    state, told, _ = found(server.url)["queue memory"]
    assert (state, told.endswith(" of 1,024.0")) == ("ok", True)


@pytest.mark.parametrize(
    ("policy", "told"), [("allkeys-lru", "may throw away bells"), ("volatile-ttl", "that a worker lives")]
)
def test_what_an_eviction_means_is_said(policy: str, told: str, server: RedisServer, redis: Redis) -> None:
    redis.config_set("maxmemory-policy", policy)
    seen = found(server.url)["queue eviction"]
    assert (seen[0], told in seen[1], "though there is no limit now" in seen[1]) == ("note", True, True)
    assert "rung again" in seen[1]
    assert "maxmemory-policy noeviction" in seen[2]
    redis.config_set("maxmemory", "1gb")
    assert "no limit" not in found(server.url)["queue eviction"][1]


def test_a_user_who_may_not_look(server: RedisServer) -> None:
    server.ask("ACL", "SETUSER", "blind", "on", ">secret", "~rq:*", "~orderlines:*", "+@all", "-@dangerous")
    seen = found(server.url.replace("://", "://blind:secret@"))
    assert (seen["queue"][0], seen["queue server"][0]) == ("ok", "wrong")
    assert "+info" in seen["queue server"][2]


def test_a_user_who_may_only_use_our_own_keys(server: RedisServer) -> None:
    """As the user of a store, whose Redis is the queue where none is named."""
    server.ask("ACL", "SETUSER", "storer", "on", ">secret", "~orderlines:*", "+@all", "-@dangerous", "+info")
    state, told, _ = found(server.url.replace("://", "://storer:secret@"))["queue"]
    assert (state, "allow it ~rq:* ~orderlines:* &rq:*" in told) == ("wrong", True)


def test_a_key_that_is_none_is_told(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "short")
    state, told, advice = found(server.url)["queue key"]
    assert (state, f"in {VARIABLE} has 5 characters" in told, VARIABLE in told + advice) == ("wrong", True, True)


def test_looking_makes_no_key_file(server: RedisServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE)
    state, told, advice = found(server.url)["queue key"]
    assert (state, "none yet" in told, VARIABLE in advice) == ("note", True, True)
    assert not (tmp_path / ".orderlines").exists()
    with closing(RQExecutor({"queue": server.url})):
        state, told, advice = found(server.url)["queue key"]
    assert (state, ".orderlines/signing.key" in told, VARIABLE in advice) == ("ok", True, True)
    (tmp_path / ".orderlines" / "signing.key").chmod(0o644)
    assert "chmod 600" in found(server.url)["queue key"][1]


def test_a_key_that_others_do_not_ring_with(server: RedisServer, redis: Redis) -> None:
    redis.set(Names().key_id, "01234567")
    state, told, advice = found(server.url)["queue key"]
    assert (state, "with the key 01234567" in told, f"the same {VARIABLE}" in advice) == ("wrong", True, True)


def test_what_was_set_aside_is_told(server: RedisServer, redis: Redis) -> None:
    name = Names().quarantine
    redis.lpush(name, entry_of(0.0, "orderlines:default", "w", b"job", "it is \x1b[31mred", b""))
    state, told, advice = found(server.url)["queue quarantine"]
    assert (state, f"LRANGE {name} 0 -1" in advice) == ("note", True)
    when = "1970-01-01T00:00:00+00:00"
    assert (
        told == f"1 message that is no doorbell set aside, the last at {when} on orderlines:default: it is \\x1b[31mred"
    )
    for garbage in (
        b"\xff",
        "[1, 2]",
        '{"at": 1e400, "queue": 1, "worker": 2, "job": 3, "reason": 4, "data": 5}',
        "[" * 9_000,
    ):
        redis.lpush(name, garbage)
        told = found(server.url)["queue quarantine"][1]
        assert told == f"{redis.llen(name)} messages that are no doorbells set aside"
    redis.set(name, "a text")
    state, told, _ = found(server.url)["queue quarantine"]
    assert (state, "in place of the quarantine is none" in told) == ("note", True)


def test_what_others_wrote_for_the_key_is_shown_as_text(server: RedisServer, redis: Redis) -> None:
    redis.set(Names().key_id, b"\x1b[31m\xff")
    assert r"with the key \x1b[31m\ufffd" in found(server.url)["queue key"][1]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_doctor_looks_at_the_queue_that_is_named(plant: Plant) -> None:
    def states(*options: str, **env: str) -> dict[str, Any]:
        done = plant.call("doctor", "--json", *options, **env)
        document = json.loads(done.stdout)
        assert done.returncode == (0 if document["well"] else 1), done.stderr
        return {finding["name"]: finding["state"] for finding in document["findings"]}

    assert (states()["queue"], states()["queue role"]) == ("ok", "ok")
    assert states("--queue", f"redis://127.0.0.1:{free_port()}/0")["queue"] == "wrong"
    nowhere = states(ORDERLINES_QUEUE="")
    assert [name for name in nowhere if name.startswith("queue")] == ["queue"]
    refused = plant.call("doctor", "--queue", "http://x")
    assert (refused.returncode, "is not the URL of a Redis" in refused.stderr) == (2, True)
