"""What large values, pruning and schedules on Redis do beyond their contracts."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis

import orderlines
from orderlines.errors import StoreUnavailable, UsageError
from orderlines.testing.bench import until
from orderlines.testing.drivers.played import PlayedDriver
from orderlines.testing.drivers.records import ending
from orderlines.testing.drivers.timed import keep
from orderlines_store_redis.results import RedisResults
from orderlines_store_redis.store import RedisStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.testing.servers.redis import RedisServer


@pytest.fixture
def results(url: str) -> Iterator[RedisResults]:
    with closing(RedisResults(url)) as results:
        yield results


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://me:secret@Host", "redis://host:6379/0"),
        ("rediss://h:7/3?prefix=a%26b&timeout=3&ca=/x", "rediss://h:7/3?prefix=a%26b"),
        ("redis://[::1]/0?prefix=orderlines", "redis://[::1]:6379/0"),
        ("redis+unix://:secret@/run/r.sock?db=2&prefix=p", "redis+unix:///run/r.sock?db=2&prefix=p"),
        (
            "redis+sentinel://u:secret@b,a:7/main?sentinel_password=secret",
            "redis+sentinel://a:7,b:26379/main/0",
        ),
    ],
)
def test_a_place_says_where_and_no_more(url: str, place: str) -> None:
    assert RedisResults.place_of(url) == RedisResults.place_of(place) == place


def test_no_place_is_made_of_what_is_no_url() -> None:
    with pytest.raises(UsageError, match="redis://"):
        RedisResults.place_of("redis://")


def test_values_lie_beside_the_runs(store: RedisStore, results: RedisResults) -> None:
    reference = results.put(store.identity(), "run", "text")
    assert results.get(reference) == "text"
    assert store.runs(10) == []


def test_scripts_that_the_server_has_forgotten_keep_values(redis: RedisServer, results: RedisResults) -> None:
    """Fault: SCRIPT FLUSH, or a restart, between two values."""
    for number in range(3):
        redis.ask("SCRIPT", "FLUSH")
        results.put("store", "run", f"{number}")
    (old,) = results.old("store", 0.0)
    assert len(old.digests) == 3
    assert results.delete(["run"]) == 3


def test_nothing_is_left_of_values_that_are_deleted(redis: RedisServer, url: str, results: RedisResults) -> None:
    prefix = url.partition("prefix=")[2]
    one, two = (results.put(store, "run", store) for store in ("store", "another"))
    assert results.discard("run", [one.sha256], 0.0) == 1
    assert results.get(two) == "another"
    assert results.delete(["run"]) == 1
    with closing(Redis(port=redis.port, decode_responses=True)) as client:
        left = {name.removeprefix(f"{prefix}:") for name in client.scan_iter(f"{prefix}:*")}
        assert {name.partition(":")[0] for name in left}.isdisjoint({"values", "written"})


def test_a_full_server_keeps_no_half_of_a_value(frail: RedisServer) -> None:
    """Fault: Redis out of memory, while a large value is written."""
    with closing(RedisResults(frail.url)) as results:
        kept = results.put("store", "run", "small")
        frail.ask("CONFIG", "SET", "maxmemory", "1mb")
        with pytest.raises(StoreUnavailable, match="memory is full"):
            results.put("store", "run", "x" * 1_000_000)
        frail.ask("CONFIG", "SET", "maxmemory", "0")
        (old,) = results.old("store", 0.0)
        assert old.digests == (kept.sha256,)


def test_large_values_vanish_with_the_runs_that_expire(redis: RedisServer, url: str) -> None:
    with closing(RedisStore(f"{url}&expire=0.05")) as store, closing(RedisResults(url)) as results:
        driver = PlayedDriver(store)
        line, stays = driver.begin(name="old"), driver.begin(name="young")
        gone, kept = (results.put(store.identity(), name, "text") for name in ("old", "young"))
        driver.write(ending(line))

        def vanished() -> bool:
            store._next_sweep = 0.0
            store.expire(None)
            return store.run("old") is None

        until(vanished, "the run has vanished")
        assert (results.read(gone), results.get(kept)) == (None, "text")
        assert store.run(stays.run) is not None


def test_an_engine_keeps_large_values_beside_its_runs(url: str, acts: Any) -> None:
    given = "x" * 100_000
    kept = ", set: {kept: '${result}'}"
    flow = acts.flow(f"[{acts.node('a', kept, text='${items}')}]")
    with orderlines.Engine(url) as engine:
        run = engine.start(flow, {"items": given})
        assert run.wait(30) == "SUCCESS", run.error
        assert run.variables == {"items": given, "kept": given}
        with closing(RedisResults(url)) as results:
            (old,) = results.old(engine.store.identity(), 0.0)
            assert old.run == run.name
            number = run.row.id
            assert engine.store.prune([number], engine.store.now() + 1_000) == [number]
            assert list(results.old(engine.store.identity(), 0.0)) == []


def test_the_flow_of_a_schedule_stays_until_it_is_removed(store: RedisStore) -> None:
    keep(store)
    keep(store, name="other")
    store.keep_schedule(keep(store, name="last").schedule._replace(digest="new"), (), None, replace=True)
    driver = PlayedDriver(store)
    line = driver.begin(digest="later", body='{"later":1}')
    assert store.prune_flows() == 0
    assert store.remove_schedule("nightly")
    assert store.prune_flows() == 0
    assert store.remove_schedule("other")
    assert store.prune_flows() == 1
    driver.write(ending(line))
