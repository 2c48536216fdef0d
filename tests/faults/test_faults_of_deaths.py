"""What dies without a word: a call's process, a driver that nobody can see, the machine's power."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.acceptance import new_run
from orderlines.processes.identity import ProcessIdentity
from orderlines.stores.sqlite import SQLiteStore
from orderlines.testing.bench import lives, until
from orderlines.testing.invariants import Invariants
from orderlines.testing.witness import read

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Shell

    from orderlines.flow.model import Flow

pytestmark = pytest.mark.usefixtures("kit")


def flow_of(folder: Path, line: str, head: str = "flow: f") -> Flow:
    """Load a flow; ``ACT`` in it stands for a call that is seen, ``WAIT`` for one that waits for the file ``go``."""
    text = line.replace("WAIT", f"call: seen.act, with: {{log: {folder}/log, wait: {folder}/go}}")
    path = folder / "flow.yaml"
    text = text.replace("ACT", f"call: seen.act, with: {{log: {folder}/log}}")
    path.write_text(f"{head}\nline: {text}\n", encoding="utf-8")
    return orderlines.load(path)


def starts(folder: Path, node: str) -> list[Any]:
    return [said for said in read(folder / "log") if said.what == "start" and said.node == node]


@pytest.mark.parametrize("executor", ["process", "gevent"])
def test_a_work_horse_killed_mid_call(executor: str, tmp_path: Path) -> None:
    """Attempt lost, noticed within the heartbeat bound; the strategies of the node decide, and its neighbours live."""
    url = f"sqlite:///{tmp_path}/runs.db"
    line = f"[{{id: a, WAIT, executor: {executor}, retry: {{times: 1, delay: 0s}}}}, {{id: b, ACT}}]"
    with orderlines.Engine(url) as engine:
        run = engine.start(flow_of(tmp_path, line))
        until(lambda: len(starts(tmp_path, "a")) == 1, "the call has begun")
        (first,) = starts(tmp_path, "a")
        os.kill(first.process.pid, signal.SIGKILL)
        until(lambda: len(starts(tmp_path, "a")) == 2, "the next attempt has begun")
        (tmp_path / "go").touch()
        assert run.wait(30) == "SUCCESS", run.error
        assert [(task["node"], task["attempt"]) for task in run.tasks()] == [("a", 2), ("b", 1)]
        engine.close()
        Invariants(engine.store, tmp_path / "log").over()


@pytest.mark.parametrize("executor", ["process", "gevent"])
def test_a_call_whose_own_process_is_killed_has_failed(executor: str, tmp_path: Path) -> None:
    """With the signal, at its first attempt: `on_crash` is for the death of what drives it."""
    line = f"[{{id: a, WAIT, executor: {executor}, on_crash: rerun}}]"
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        run = engine.start(flow_of(tmp_path, line))
        until(lambda: len(starts(tmp_path, "a")) == 1, "the call has begun")
        (first,) = starts(tmp_path, "a")
        os.kill(first.process.pid, signal.SIGKILL)
        assert run.wait(30) == "FAILURE"
        assert run.error == {"node": "a", "line": "", "type": "ProcessDied", "message": "signal 9 (SIGKILL)"}
        assert [(task["node"], task["attempt"]) for task in run.tasks()] == [("a", 1)]


def test_a_worker_killed_and_its_horse_alive_answers_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The orphan's answer counts if its epoch is still the current one, else it is recorded as late."""
    monkeypatch.setenv("ORDERLINES_LEASE", "300s")  # renewed once a minute
    url, gates = f"sqlite:///{tmp_path}/runs.db", [tmp_path / "go", tmp_path / "other"]
    flow = flow_of(tmp_path, "[{id: a, WAIT, executor: thread}, {id: b, ACT}]")
    with orderlines.Engine(url) as first, orderlines.Engine(url) as second:
        run = first.start(flow)
        until(lambda: len(starts(tmp_path, "a")) == 1, "the call has begun")
        (driver,) = first.store.drivers()
        first.store.dismiss([driver.id])  # as whoever takes it for dead does
        (again,) = second.recover()
        until(lambda: len(starts(tmp_path, "a")) == 2, "another driver has begun the next attempt")
        gates[0].touch()
        assert again.wait(30) == run.wait(30) == "SUCCESS"
        assert [(task["node"], task["attempt"], task["status"]) for task in again.tasks()] == [
            ("a", 2, "SUCCESS"), ("b", 1, "SUCCESS"),
        ]  # fmt: skip
        until(lambda: _attempts(tmp_path) == [("a", 1)], "the answer of the first is kept")
    assert Counter(said.node for said in read(tmp_path / "log") if said.what == "end") == {"a": 2, "b": 1}


def _attempts(folder: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(folder / "runs.db")) as db:
        return db.execute("SELECT node, attempt FROM attempts").fetchall()


def test_a_worker_and_its_horse_killed_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our lease decides."""
    monkeypatch.setattr("orderlines.leases.WATCH", 0.02)
    store = SQLiteStore(f"sqlite:///{tmp_path}/runs.db")
    run = store.accept(new_run(flow_of(tmp_path, "[{id: a, ACT}]"), {}, None, None))
    elsewhere = ProcessIdentity.current()._replace(host="elsewhere", boot="another boot")
    driver = store.enroll(elsewhere, 0.3)
    assert [row.run for row in store.claim(driver, None, 10)] == [run.id]
    with orderlines.Engine(store.url) as engine:
        (found,) = engine.recover()
        assert found.wait(30) == "SUCCESS"
    assert [said.attempt for said in starts(tmp_path, "a")] == [1]
    assert store.renew(driver) is False
    Invariants(store, tmp_path / "log").over()
    store.close()


@pytest.mark.parametrize("executor", ["inline", "thread", "process", "gevent"])
def test_an_engine_dies_and_its_call_processes_live(executor: str, shell: Shell, tmp_path: Path) -> None:
    """They die too."""
    flow_of(tmp_path, "[{id: a, WAIT}]", f"flow: f\nexecutor: {executor}")
    process = shell.begin("run", tmp_path / "flow.yaml", "--store", f"sqlite:///{tmp_path}/runs.db")
    until(lambda: bool(starts(tmp_path, "a")), "the call has begun")
    family = [pid for pid in shell.processes() if pid != process.pid]
    assert any(lives(pid) for pid in family)
    process.kill()
    until(lambda: not any(lives(pid) for pid in family), "all have died")


LOUD = """
import os, sys
import orderlines
from orderlines.stores.sqlite import SQLiteStore
from orderlines.testing.fate import Fate

store = SQLiteStore(sys.argv[1])
with orderlines.Engine(store) as engine:
    run = engine.start(orderlines.load(sys.argv[2]), key="once")
    run.wait(60)
    os.kill(os.getpid(), 9)
"""


def test_power_is_lost(tmp_path: Path) -> None:
    """With the default the file is intact and only the last moments may be gone.

    What the disk has not got yet is the end of the write-ahead log, or a part of a block of it.
    """
    lines = "{x: [{id: x1, ACT}, {id: x2, ACT}], y: [{id: y1, ACT}]}"
    flow_of(tmp_path, f"[{{id: a, ACT}}, {{id: p, parallel: {{lines: {lines}}}}}, {{id: z, ACT}}]")
    url = f"sqlite:///{tmp_path}/runs.db"
    SQLiteStore(url).close()  # the empty store is on the disk
    subprocess.run([sys.executable, "-c", LOUD, url, str(tmp_path / "flow.yaml")], check=False)
    log = (tmp_path / "runs.db-wal").read_bytes()
    assert len(log) > 10 * 4096
    seen = set()
    for number, kept in enumerate([*range(0, len(log), 4096 * 3 // 2), len(log)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(tmp_path / "runs.db", folder / "runs.db")
        (folder / "runs.db-wal").write_bytes(log[:kept])
        seen.add(_recovered(f"sqlite:///{folder}/runs.db"))
    assert {"nothing", "SUCCESS"} <= seen
    assert len(seen) > 3


def _recovered(url: str) -> str:
    """Return what is kept after the loss, once all that is kept has come to its end and all of it is in order."""
    store = SQLiteStore(url)
    assert [finding for finding in store.examine() if finding.state == "wrong"] == []
    rows = store.runs(10)
    found = f"{rows[0].status} {store.lines(rows[0].id)[0].tasks}" if rows and not rows[0].finished else ""
    with orderlines.Engine(url) as engine:
        for run in engine.recover():
            assert run.wait(30) == "SUCCESS", run.error
    for row in store.runs(10):
        assert row.status == "SUCCESS"
        assert len(list(store.tasks(row.id))) == 6
    store.close()
    return found or ("SUCCESS" if rows else "nothing")
