"""Engines that drive flows to their end while the server dies, is replaced, or takes no writes."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.driving import patience
from orderlines.engine import Engine
from orderlines.flow.load import load_text
from orderlines.testing.bench import until
from orderlines.testing.servers.mariadb import MariaDB
from orderlines_store_mysql.store import MySQLStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orderlines.plugins import Registry
    from orderlines.testing.servers.proxy import Proxy

NODES = 60
CHAIN = "flow: chain\nline:\n" + "".join(
    f"  - {{id: n{i}, call: acts.note, with: {{text: n{i}}}, on_crash: fail}}\n" for i in range(NODES)
)
FAN = """\
flow: fan
line:
  - {id: f, foreach: "${[1, 2, 3, 4, 5, 6, 7, 8]}", limit: 3, line: [{id: i, call: acts.note, with: {text: i}}]}
  - id: p
    parallel:
      lines:
        x: [{id: x1, call: acts.note, with: {text: x1}}, {id: x2, call: acts.note, with: {text: x2}}]
        y: [{id: g, group: [{id: y1, call: acts.note, with: {text: y1}}]}]
  - {id: z, call: acts.note, with: {text: z}}
"""
WAITING = (
    "flow: waiting\nline: [{id: w, call: acts.wait, with: {text: w}}, {id: z, call: acts.note, with: {text: z}}]\n"
)
PATIENCE = 60
COMMIT = b"\x03COMMIT"
"""The statement, and not the end of READ COMMITTED, which is sent on new connections."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MariaDB]:
    """A server of its own, which keeps what it acknowledged."""
    with MariaDB(tmp_path / "server", safe=True) as server:
        yield server


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the driver try again soon."""
    monkeypatch.setattr(patience, "PAUSE", 0.02)


@contextmanager
def engine_at(url: str, registry: Registry) -> Iterator[Engine]:
    """Open an engine whose registry knows no other stores than core's."""
    store = MySQLStore(url)
    with Engine(store, registry=registry) as engine:
        yield engine
    store.close()


def check(engine: Engine, number: int) -> None:
    """Look whether each task was recorded once, and at its first attempt."""
    tasks = list(engine.store.tasks(number))
    visits = Counter((kept.line, kept.task.node, kept.task.visit) for kept in tasks)
    assert set(visits.values()) == {1}
    assert {kept.task.attempt for kept in tasks} == {1}


def test_a_server_that_is_killed_in_the_middle_loses_and_repeats_nothing(
    server: MariaDB, registry: Registry, acts: Any
) -> None:
    flows = [load_text(text, registry).flow for text in (CHAIN, FAN)]
    with engine_at(server.new_database(), registry) as engine:
        runs = [engine.start(flow) for flow in flows for _ in range(3)]
        for part in range(1, 4):
            until(lambda bound=part * 40: len(acts.done) > bound, "calls are made")  # type: ignore[misc]
            server.kill()
            server.start()
        assert [run.wait(PATIENCE) for run in runs] == ["SUCCESS"] * 6
        for run in runs:
            check(engine, run.row.id)
    assert Counter(acts.done)["n0"] == Counter(acts.done)[f"n{NODES - 1}"] == 3
    assert len(acts.done) == 3 * NODES + 3 * 12


def test_connections_that_are_cut_all_the_time_lose_and_repeat_nothing(
    distant: MySQLStore, proxy: Proxy, registry: Registry, acts: Any
) -> None:
    with engine_at(distant.url, registry) as engine:
        runs = [engine.start(load_text(text, registry).flow) for text in (CHAIN, FAN)]
        # First some at once, more than are tried again for; then one now and then.
        for number in range(8):
            (proxy.swallow_answer if number % 2 else proxy.cut_before)(COMMIT)
        for number in range(4):
            until(lambda bound=10 * number + 10: len(acts.done) > bound, "calls are made")  # type: ignore[misc]
            proxy.swallow_answer(COMMIT)
        assert [run.wait(PATIENCE) for run in runs] == ["SUCCESS"] * 2
        for run in runs:
            check(engine, run.row.id)
    assert proxy.pending == 0
    assert len(acts.done) == NODES + 12
    assert set(Counter(acts.done).values()) == {1, 8}


def test_a_read_only_server_keeps_a_run_waiting_and_spends_no_attempt(
    url: str, admin: Any, registry: Registry, acts: Any
) -> None:
    admin.run(url, "CREATE USER IF NOT EXISTS 'plain'@'%' IDENTIFIED BY 'secret'", "GRANT ALL ON {db}.* TO 'plain'@'%'")
    with engine_at(url.replace("mysql://tester:", "mysql://plain:"), registry) as engine:
        run = engine.start(load_text(WAITING, registry).flow)
        assert acts.begun.acquire(timeout=PATIENCE)
        admin.run(url, "SET GLOBAL read_only = 1")
        try:
            acts.gate.set()
            with pytest.raises(TimeoutError):
                run.wait(0.5)
        finally:
            admin.run(url, "SET GLOBAL read_only = 0")
        assert run.wait(PATIENCE) == "SUCCESS"
        check(engine, run.row.id)
    assert acts.done == ["w", "z"]


def test_a_result_that_is_larger_than_a_packet_fails_its_task_and_no_other(
    url: str, admin: Any, registry: Registry, acts: Any
) -> None:
    ((usual,),) = admin.run(url, "SELECT @@global.max_allowed_packet")
    admin.run(url, "SET GLOBAL max_allowed_packet = 1048576")
    large = "flow: large\nline: [{id: l, call: acts.large, with: {size: 3000000}}]\n"
    try:
        with engine_at(url, registry) as engine:
            runs = [engine.start(load_text(text, registry).flow) for text in (large, FAN)]
            assert [run.wait(PATIENCE) for run in runs] == ["FAILURE", "SUCCESS"]
            assert runs[0].error is not None
            assert "max_allowed_packet" in runs[0].error["message"]
    finally:
        admin.run(url, f"SET GLOBAL max_allowed_packet = {usual}")
    assert Counter(acts.done)["large"] == 1
