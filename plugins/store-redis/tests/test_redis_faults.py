"""What becomes of runs when their Redis dies, goes away, is full, cannot be written to, or does not answer."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis

import orderlines
from orderlines.driving import patience
from orderlines.errors import StoreUnavailable
from orderlines.testing.bench import until
from orderlines.testing.drivers.played import PlayedDriver, everything
from orderlines.testing.drivers.records import step, task
from orderlines.testing.servers.base import free_port
from orderlines.testing.servers.redis import RedisServer
from orderlines_store_redis.store import RedisStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orderlines.flow.model import Flow

CHAOS = bool(os.environ.get("ORDERLINES_CHAOS"))
LEAST = 20
"""Answers that even a short run is made of."""


def attempts(run: Any) -> set[int]:
    return {task["attempt"] for task in run.tasks()}


def waiting(caplog: pytest.LogCaptureFixture) -> bool:
    return "waiting for the store" in caplog.text


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the driver try again soon."""
    monkeypatch.setattr(patience, "PAUSE", 0.02)


def test_a_redis_that_is_killed_and_started_again_loses_and_repeats_nothing(frail: RedisServer, acts: Any) -> None:
    """Faults: connection lost before COMMIT; COMMIT sent, answer lost; engine lives, store killed under load."""
    first, second = acts.node("a", text="${item}.a"), acts.node("b", text="${item}.b")
    flow = acts.flow(f"[{{id: f, foreach: '${{items}}', limit: 5, line: [{first}, {second}]}}]")
    sizes = (300, 300, 300) if CHAOS else (60, 60, 60)
    with orderlines.Engine(frail.url) as engine:
        given = [{"items": [f"r{number}.{item}" for item in range(size)]} for number, size in enumerate(sizes)]
        runs = engine.start_many(flow, given)
        for share in (1, 2, 3):
            bound = share * sum(sizes) // 2
            until(lambda bound=bound: len(acts.noted()) > bound, "they go on")  # type: ignore[misc]
            frail.kill()
            frail.start()
        assert [run.wait(60) for run in runs] == ["SUCCESS"] * len(runs)
        assert [attempts(run) for run in runs] == [{1}] * len(runs)
        assert [len(run.tasks()) for run in runs] == [2 * size + 1 for size in sizes]
    counts = Counter(acts.noted())
    assert (len(counts), set(counts.values())) == (2 * sum(sizes), {1})


def test_while_redis_is_away_runs_wait_and_spend_no_attempt(
    frail: RedisServer, acts: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Fault: Redis away for minutes; here one call ends meanwhile."""
    flow = acts.flow(f"[{acts.node('a', call='wait')}, {acts.node('b')}]")
    with orderlines.Engine(frail.url) as engine, caplog.at_level(logging.WARNING):
        run = engine.start(flow)
        until(lambda: acts.noted() == ["a"], "the call has begun")
        frail.kill()
        acts.gate.touch()
        until(lambda: waiting(caplog), "the driver notices")
        frail.start()
        assert run.wait(30) == "SUCCESS"
        assert attempts(run) == {1}
    assert acts.noted() == ["a", "b"]
    assert caplog.text.count("waiting for the store") == 1


def test_a_redis_that_hangs_is_waited_for(frail: RedisServer, acts: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Fault: no answer, and the connection stays."""
    flow = acts.flow(f"[{acts.node('a', call='wait')}, {acts.node('b')}]")
    with orderlines.Engine(f"{frail.url}?timeout=0.3") as engine, caplog.at_level(logging.WARNING):
        run = engine.start(flow)
        until(lambda: acts.noted() == ["a"], "the call has begun")
        frail.pause()
        acts.gate.touch()
        until(lambda: "no answer within 0.3 s" in caplog.text, "the driver notices")
        frail.go_on()
        assert run.wait(30) == "SUCCESS"
        assert attempts(run) == {1}
    assert acts.noted() == ["a", "b"]


def test_a_full_redis_half_writes_nothing_and_the_run_goes_on_when_there_is_room(
    frail: RedisServer, acts: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Fault: Redis full (maxmemory, noeviction): the line stays ready."""
    flow = acts.flow(f"[{acts.node('a', call='wait')}, {acts.node('b')}]")
    with orderlines.Engine(frail.url) as engine, caplog.at_level(logging.WARNING):
        run = engine.start(flow)
        until(lambda: acts.noted() == ["a"], "the call has begun")
        before = everything(engine.store, run.row.id)
        frail.ask("CONFIG", "SET", "maxmemory", "1")
        acts.gate.touch()
        until(lambda: waiting(caplog), "the driver notices")
        assert "its memory is full: nothing was half written; raise its maxmemory" in caplog.text
        assert everything(engine.store, run.row.id) == before
        with pytest.raises(StoreUnavailable, match="memory is full"):
            engine.start(flow)
        assert len(engine.store.runs(10)) == 1
        frail.ask("CONFIG", "SET", "maxmemory", "0")
        assert run.wait(30) == "SUCCESS"
        assert attempts(run) == {1}


def test_a_full_redis_can_be_pruned(frail: RedisServer, acts: Any) -> None:
    """Fault: Redis full: what makes room is taken away all the same, of a run with many lines too."""
    node = acts.node("a", text="${item}")
    flow = acts.flow(f"[{{id: f, foreach: '${{items}}', line: [{node}]}}]")
    with orderlines.Engine(frail.url) as engine:
        runs = engine.start_many(flow, [{"items": [f"{item}" for item in range(size)]} for size in (450, 3)])
        assert [run.wait(60) for run in runs] == ["SUCCESS", "SUCCESS"]
    other = acts.flow(f"[{acts.node('b')}]")
    with orderlines.Engine(frail.url) as engine:
        assert engine.start(other).wait(60) == "SUCCESS"
    frail.ask("CONFIG", "SET", "maxmemory", "1")
    command = [
        sys.executable,
        "-m",
        "orderlines.cli.main",
        "prune",
        "--older-than",
        "0s",
        "--json",
        "--store",
        frail.url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=acts.folder)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["runs"], told["flows"]) == (3, 1)
    frail.ask("CONFIG", "SET", "maxmemory", "0")
    with closing(RedisStore(frail.url)) as store:
        assert store.runs(9) == []


@pytest.mark.parametrize("moment", ["always", "sometimes"])
def test_at_any_fill_level_steps_are_whole(frail: RedisServer, moment: str) -> None:
    """Fault: disk full, no half state; here memory that is used up in the middle of a row of steps."""
    store = RedisStore(frail.url)
    driver = PlayedDriver(store)
    line = driver.begin()
    with closing(Redis(port=frail.port)) as client:
        used = client.info("memory")["used_memory"]
    frail.ask("CONFIG", "SET", "maxmemory", "1" if moment == "always" else str(used + 3_000_000))

    def fill() -> None:
        row = line
        while True:
            row = driver.go(step(row, tasks=(task(result="x" * 20_000), task(result="y" * 20_000))))

    with pytest.raises(StoreUnavailable, match="memory is full"):
        fill()
    line = store.line(line.id)
    assert 2 * line.seq == line.tasks == len(list(store.tasks(line.run)))
    assert (line.seq > 0) == (moment == "sometimes")
    frail.ask("CONFIG", "SET", "maxmemory", "0")
    assert driver.go(step(line, tasks=(task(), task()))).tasks == line.tasks + 2
    store.close()


@pytest.fixture
def replica(frail: RedisServer, tmp_path: Path) -> Iterator[RedisServer]:
    """A replica of the frail server."""
    with RedisServer(tmp_path / "replica", settings={"replicaof": f"127.0.0.1 {frail.port}"}) as server:
        yield server


def test_a_replica_is_read_and_never_half_written(frail: RedisServer, replica: RedisServer) -> None:
    """Fault: read-only server after a fail-over: degraded, claims nothing."""
    store = RedisStore(frail.url)
    driver = PlayedDriver(store)
    line = driver.go(step(driver.begin(), tasks=(task("n"),), keep=False))
    before = everything(store, line.run)
    until(lambda: replica.ask("DBSIZE") == frail.ask("DBSIZE") and replica.answers(), "the replica has followed")
    copy = RedisStore(replica.url)
    until(lambda: everything(copy, line.run) == before, "the replica has followed")
    for write in (
        lambda: copy.claim(driver.id, None, 1),
        lambda: copy.commit(driver.id, [step(line)]),
        lambda: copy.renew(driver.id),
        lambda: copy.wish(line.run, "stop"),
    ):
        with pytest.raises(StoreUnavailable, match="it is a replica, which cannot be written to"):
            write()
    assert everything(copy, line.run) == everything(store, line.run) == before
    store.close()
    copy.close()


def test_a_replica_that_has_lost_its_master_is_waited_for(frail: RedisServer) -> None:
    """Fault: a fail-over, with replicas that serve no stale data."""
    with closing(RedisStore(frail.url)) as store:
        line = PlayedDriver(store).begin()
        frail.ask("CONFIG", "SET", "replica-serve-stale-data", "no")
        frail.ask("REPLICAOF", "127.0.0.1", str(free_port()))
        with pytest.raises(StoreUnavailable, match="it is a replica that has lost its master"):
            store.line(line.id)
        with pytest.raises(StoreUnavailable, match="it is a replica that has lost its master"):
            store.wish(line.run, "stop")
        frail.ask("REPLICAOF", "NO", "ONE")
        assert store.line(line.id) == line


def test_a_user_of_the_command_line_is_told_without_a_traceback(frail: RedisServer, acts: Any) -> None:
    """Fault: Redis full: no exception in a user's face; the password is not shown either."""
    acts.flow(f"[{acts.node('a')}]")
    frail.ask("CONFIG", "SET", "requirepass", "much-secret")
    frail.password = "much-secret"  # noqa: S105 -- of a server that lives as long as a test
    frail.ask("CONFIG", "SET", "maxmemory", "1")
    command = [sys.executable, "-m", "orderlines.cli.main", "run", str(acts.folder / "flow.yaml"), "--store", frail.url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=acts.folder)
    assert done.returncode == 4
    assert "its memory is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert "much-secret" not in done.stdout + done.stderr


def test_no_lost_answer_loses_or_repeats_anything(redis: RedisServer, acts: Any, lossy: Any, url: str) -> None:
    """Fault: COMMIT sent, answer lost; each answer of a run in turn."""
    shaky = acts.node("y1", ", retry: {times: 2, delay: 0s}", call="shaky")
    inner = f"{{x: [{acts.node('x1')}, {acts.node('x2')}], y: [{shaky}]}}"
    flow = acts.flow(f"[{acts.node('a')}, {{id: p, parallel: {{limit: 1, lines: {inner}}}}}, {acts.node('z')}]")
    number, lost = 0, True
    while lost:
        number += 1
        acts.log.unlink(missing_ok=True)
        with lossy(redis.port, number) as way:
            one = url.replace(f":{redis.port}/", f":{way.port}/") + f"-{number}"
            with orderlines.Engine(_opened(one)) as engine:
                run = _started(engine, flow)
                assert run.wait(30) == "SUCCESS", f"answer {number}: {run.error}"
                done = {task["node"]: task["attempt"] for task in run.tasks()}
            lost = way.lost
        assert done == {"a": 1, "p": 1, "x1": 1, "x2": 1, "y1": 2, "z": 1}, f"answer {number}"
        assert acts.noted() == ["a", "x1", "x2", "y1", "z"], f"answer {number}"
        with closing(RedisStore(one.replace(f":{way.port}/", f":{redis.port}/"))) as store:
            assert len(store.runs(10)) == 1, f"answer {number}"
    assert number > LEAST


def _opened(url: str) -> RedisStore:
    try:
        return RedisStore(url)
    except StoreUnavailable:
        return RedisStore(url)


def _started(engine: orderlines.Engine, flow: Flow) -> Any:
    """Start a run as a client does that knows the key: once more where it cannot know what became of it."""
    try:
        return engine.start(flow, key="once")
    except StoreUnavailable:
        return engine.start(flow, key="once")


def test_scripts_that_the_server_has_forgotten_are_sent_again(redis: RedisServer, store: RedisStore) -> None:
    """Fault: SCRIPT FLUSH, or a restart, between two steps."""
    driver = PlayedDriver(store)
    line = driver.begin()
    for _ in range(3):
        redis.ask("SCRIPT", "FLUSH")
        line = driver.go(step(line, tasks=(task(),)))
    assert (line.seq, line.tasks) == (3, 3)
