"""What the store on Redis promises beyond the contract."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from orderlines.errors import Refused, StoreUnavailable
from orderlines.plugins import registry
from orderlines.stores.records import LogRow
from orderlines.testing.drivers.played import PlayedDriver
from orderlines.testing.drivers.records import ending, fork, new_run, opening, step, task
from orderlines.testing.servers.redis import RedisServer
from orderlines_store_redis.clock import Clock
from orderlines_store_redis.plugin import SCHEMES
from orderlines_store_redis.store import RedisStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def client(redis: RedisServer) -> Iterator[Redis]:
    with closing(Redis(port=redis.port, decode_responses=True)) as client:
        yield client


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_plugin_offers_the_store_by_each_scheme(scheme: str) -> None:
    assert registry().store(scheme) is RedisStore


def test_what_a_store_wrote_itself_leaves_its_version(store: RedisStore) -> None:
    before = store.version()
    driver = PlayedDriver(store)
    driver.go(step(driver.begin(), tasks=(task(),)))
    assert store.version() == before
    with closing(RedisStore(store.url)) as other:
        other.accept(new_run())
        assert store.version() != before


def test_numbers_are_not_given_again_by_a_server_that_has_lost_everything(redis: RedisServer, url: str) -> None:
    """Fault: Redis restarts empty: a driver that outlives that must not be taken for another one."""
    with closing(RedisStore(url)) as store:
        driver = PlayedDriver(store)
        line = driver.begin()
        redis.ask("FLUSHALL")
        later = PlayedDriver(store)
        other = later.begin()
        assert later.id > driver.id
        assert other.id > line.id
        assert driver.try_step(step(line)).refused == "fenced"
        assert store.renew(driver.id) is False


# Queues


def test_lines_of_queues_are_taken_of_some_runs_only(store: RedisStore) -> None:
    driver = PlayedDriver(store)
    runs = [store.accept(new_run(queue="q")).id for _ in range(5)]
    lines = {line.run: line for line in store.claim(driver.id, None, 10, ["q"])}
    for place, run in enumerate(runs[:3]):
        driver.write(step(lines[run], "TIME", keep=False, due=store.now() + 1_000 * (place + 1)))
    store.release(driver.id, [lines[run].id for run in runs[3:]])
    assert [line.run for line in store.claim(driver.id, runs, 1, ["q"], runs[:4])] == [runs[4]]
    assert store.claim(driver.id, runs[:3], 10, ["q"]) == store.claim(driver.id, [], 10, ["q"]) == []
    due = store.next_due(runs[1:], ["p", "q"])
    assert due == pytest.approx(store.now() + 2_000, abs=100)
    assert store.next_due(runs[3:], ["q"]) is None


def test_a_child_for_no_queue_is_left_by_who_serves_one(store: RedisStore) -> None:
    driver = PlayedDriver(store)
    join = opening("ab", 1)
    (child,) = driver.write(fork(driver.begin(), join)).opened
    driver.write(step(child, moves=True, queue="gpu", keep=False))
    (child,) = store.claim(driver.id, None, 10, ["gpu"])
    done = driver.write(ending(child, siblings=join))
    assert (done.opened, done.left, done.freed) == ((), (), True)
    (line,) = driver.claim()
    assert (line.path[-1], line.rings) == ("b", 0)


def test_a_driver_that_is_off_the_books_is_given_no_line_of_its_run(store: RedisStore) -> None:
    driver, other = PlayedDriver(store), PlayedDriver(store)
    run, line = store.accept_for(driver.id, new_run(key="k"))
    assert line is not None
    assert (line.owner, line.epoch, store.owned(driver.id)) == (driver.id, 1, [line.id])
    assert store.accept_for(other.id, new_run(key="k")) == (run, None)
    store.dismiss([driver.id])
    _, line = store.accept_for(driver.id, new_run())
    assert line is not None
    assert line.owner is None
    assert {found.id for found in other.claim()} >= {line.id}


# Memory


def many(driver: PlayedDriver, store: RedisStore) -> list[int]:
    """Run a join of 40 children, each with long texts on the way, to its end; return its lines."""
    join = opening([str(number) for number in range(40)], 40)
    parent = driver.begin()
    for child in driver.write(fork(parent, join)).opened:
        busy = driver.go(step(child, tasks=(task(),), state="x" * 500, vars='{"x":1}'))
        driver.write(ending(busy, siblings=join, result="1"))
    return [line.id for line in store.lines(parent.run)[1:]]


def test_a_line_that_has_ended_is_small(client: Redis, store: RedisStore, url: str) -> None:
    prefix = url.partition("prefix=")[2]
    lines = many(PlayedDriver(store), store)
    encodings = {client.object("encoding", f"{prefix}:line:{line}") for line in lines}
    assert encodings <= {"listpack", "ziplist"}
    assert max(client.memory_usage(f"{prefix}:line:{line}") or 0 for line in lines) < 400


def test_a_finished_run_leaves_no_entry_in_what_drivers_look_at(client: Redis, store: RedisStore, url: str) -> None:
    prefix = url.partition("prefix=")[2]
    driver = PlayedDriver(store)
    many(driver, store)
    (line,) = store.claim(driver.id, None, 10) or [store.line(line) for line in store.owned(driver.id)]
    driver.write(ending(line))
    store.accept(new_run(queue="q"))
    (queued,) = store.claim(driver.id, None, 10, ["q"])
    store.release(driver.id, [queued.id])
    store.ring(["q"], 0.0, 10)
    (queued,) = store.claim(driver.id, None, 10, ["q"])
    driver.write(ending(queued))
    store.dismiss([driver.id])
    kinds = {name.removeprefix(f"{prefix}:").partition(":")[0] for name in client.scan_iter(f"{prefix}:*", count=1000)}
    assert kinds.isdisjoint(
        {"ready", "due", "bell", "owned", "halted", "waiting", "open", "deadlines", "drivers", "beats"}
    )


# Runs that vanish


def test_finished_runs_vanish_where_the_url_says_so(client: Redis, url: str) -> None:
    prefix = url.partition("prefix=")[2]
    with closing(RedisStore(f"{url}&expire=0.05")) as store:
        driver = PlayedDriver(store)
        line = driver.begin(key="k", name="old")
        waiting = driver.begin(key="l")
        store.keep_logs([LogRow(line.run, line.id, "n", 1, 1, 1.0, None, "said")])
        store.signal(line.run, "s", "1", key="k")
        (child,) = driver.write(fork(line, opening("a"))).opened
        (inner,) = driver.write(fork(child, opening("b", node="inner"))).opened
        woken = driver.write(ending(inner)._replace(tasks=(task(),))).woken
        assert woken is not None
        woken = driver.write(ending(woken)).woken
        assert woken is not None
        driver.write(ending(woken))
        limit = time.monotonic() + 20
        while not (left := store.run("old")) or not left.pruned:
            assert time.monotonic() < limit
            store._next_sweep = 0.0
            store.expire(None)
        assert [run.id for run in store.runs(10)] == [waiting.run]
        assert (store.ended([line.run, waiting.run]), store.lines(line.run)) == ([line.run], [])
        gone = {str(number) for number in (line.run, line.id, child.id, inner.id, child.join, inner.join)}
        names = client.scan_iter(f"{prefix}:*")
        assert [name for name in names if gone.intersection(name.split(":"))] == [f"{prefix}:run:{line.run}"]
        assert (left.id, left.name, left.pruned) == (line.run, "old", True)
        assert store.accept(new_run(key="k")) == left
        with pytest.raises(Refused, match="key 'k' belongs to run old with other variables"):
            store.accept(new_run(key="k", vars="{}"))


def test_runs_stay_where_the_url_says_nothing(store: RedisStore) -> None:
    driver = PlayedDriver(store)
    line = driver.begin()
    driver.write(ending(line))
    store.expire(None)
    assert len(store.runs(10)) == 1


# What a doctor sees


def found(store: RedisStore) -> dict[str, tuple[str, str, str]]:
    return {finding.name: (finding.state, finding.told, finding.advice) for finding in store.examine()}


def test_a_doctor_sees_a_safe_redis(frail: RedisServer) -> None:
    frail.ask("CONFIG", "SET", "maxmemory", "1gb")
    with closing(RedisStore(frail.url)) as store:
        seen = found(store)
    assert {state for state, _, _ in seen.values()} == {"ok"}
    assert "appendfsync always: neither a crash" in seen["store persistence"][1]
    assert seen["store eviction"][1] == "noeviction"


def test_a_doctor_sees_what_may_lose_runs(tmp_path: Path) -> None:
    settings = {"maxmemory-policy": "allkeys-lru", "save": "60 1"}
    with RedisServer(tmp_path / "unsafe", settings=settings) as server:
        with closing(RedisStore(server.url)) as store, closing(Redis(port=server.port)) as client:
            assert "though there is no limit now" in found(store)["store eviction"][1]
            client.config_set("maxmemory", int(client.info("memory")["used_memory"] * 1.05))
            seen = found(store)
            assert seen["store persistence"][0] == seen["store eviction"][0] == seen["store memory"][0] == "wrong"
            assert "after the last snapshot (save 60 1)" in seen["store persistence"][1]
            assert "CONFIG SET appendonly yes" in seen["store persistence"][2]
            assert "may throw runs away" in seen["store eviction"][2]
            server.ask("CONFIG", "SET", "save", "")
            server.ask("CONFIG", "SET", "maxmemory", "0")
            seen = found(store)
            assert "everything, since it saves nothing" in seen["store persistence"][1]
            server.ask("CONFIG", "SET", "appendonly", "yes")
            server.ask("CONFIG", "SET", "appendfsync", "no")
            assert found(store)["store persistence"][0] == "note"
        server.kill()  # It would not end while it writes its first file.


def test_a_doctor_who_may_not_look_says_so(redis: RedisServer) -> None:
    redis.ask("ACL", "SETUSER", "blind", "on", ">secret", "~blind:*", "+@all", "-@admin", "-info")
    with closing(RedisStore(redis.url.replace("://", "://blind:secret@") + "?prefix=blind")) as store:
        seen = found(store)
    assert seen["store persistence"][0] == seen["store server"][0] == "note"
    assert "CONFIG|GET" in seen["store persistence"][2]


def test_a_doctor_whom_the_server_does_not_tell_says_so(tmp_path: Path) -> None:
    """As with hosters, who take such commands away."""
    settings = {"rename-command CONFIG": '""', "rename-command INFO": '""'}
    with RedisServer(tmp_path / "hosted", settings=settings) as server, closing(RedisStore(server.url)) as store:
        seen = found(store)
    assert seen["store persistence"][:2] == ("note", "the server lets nobody read the settings")
    assert seen["store server"][:2] == ("note", "the server lets nobody ask for INFO")


@pytest.mark.parametrize("command", ["UNLINK", "OBJECT"])
def test_a_command_of_scripts_that_was_taken_out_of_the_server_is_told(command: str, tmp_path: Path) -> None:
    with RedisServer(tmp_path / "hosted", settings={f"rename-command {command}": '""'}) as server:
        with pytest.raises(StoreUnavailable, match=f": the server has no command {command}.*: let it have those that"):
            RedisStore(server.url)
        with closing(RedisStore.upgrade(server.url)) as upgrade:
            seen = {name: (state, told, advice) for name, state, told, advice in upgrade.examine()}
    assert seen["store rights"][0] == "wrong"
    assert seen["store rights"][1].startswith(f"the server has no command {command}")


# The clock


def test_the_time_is_taken_from_answers() -> None:
    clock = Clock()
    assert clock.now() is None
    moment = time.monotonic()
    clock.hear(1_000.0, moment - 0.2, moment)
    first = clock.now()
    assert first is not None
    assert 1_000.0 <= first < 1_010.0
    clock.hear(1_000.5, moment, moment + 0.1)
    second = clock.now()
    assert second is not None
    assert second >= first + 0.35


def test_a_step_of_the_servers_clock_is_followed() -> None:
    clock = Clock()
    moment = time.monotonic()
    for told in (5_000.0, 100.0, 9_000.0):
        clock.hear(told, moment - 0.001, moment)
        now = clock.now()
        assert now is not None
        assert told <= now < told + 10


def test_the_server_is_asked_for_the_time_only_after_a_while(client: Redis, store: RedisStore) -> None:
    store.version()
    store.accept(new_run())
    before = client.info("commandstats").get("cmdstat_time", {}).get("calls", 0)
    times = [store.now() for _ in range(100)]
    after = client.info("commandstats").get("cmdstat_time", {}).get("calls", 0)
    assert times == sorted(times)
    assert after - before <= 1
