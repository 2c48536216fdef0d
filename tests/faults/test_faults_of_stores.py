"""What an SQLite file may do to its engines: be read-only for a while, be full, be shared, be left in the middle."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.acceptance import new_run
from orderlines.stores.sqlite import SQLiteStore
from orderlines.testing.bench import until
from orderlines.testing.invariants import Invariants
from orderlines.testing.witness import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Shell

    from orderlines.flow.model import Flow

pytestmark = pytest.mark.usefixtures("kit")
FULL_DISK = "the disk is full; nothing was half written, free some room"
RUNS = 12
ENGINES = 3


def flow_of(folder: Path, line: str) -> Flow:
    """Load a flow; ``ACT`` in it stands for a call that is seen, ``WAIT`` for one that waits for the file ``go``."""
    text = line.replace("WAIT", f"call: seen.act, executor: thread, with: {{log: {folder}/log, wait: {folder}/go}}")
    text = text.replace("ACT", f"call: seen.act, with: {{log: {folder}/log}}")
    (folder / "flow.yaml").write_text(f"flow: f\nline: {text}\n", encoding="utf-8")
    return orderlines.load(folder / "flow.yaml")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """Return the connections to SQLite that are opened from now on."""
    found: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def remembered(*given: Any, **more: Any) -> sqlite3.Connection:
        found.append(connect(*given, **more))
        return found[-1]

    monkeypatch.setattr(sqlite3, "connect", remembered)
    return found


@pytest.fixture
def sick(opened: list[sqlite3.Connection]) -> Callable[[str], None]:
    """Return what executes a statement on every connection, whatever else is done there."""

    def execute(statement: str) -> None:
        for connection in opened:
            connection.execute(statement)

    return execute


@pytest.mark.parametrize(
    ("ill", "well", "told"),
    [
        ("PRAGMA query_only=ON", "PRAGMA query_only=OFF", "cannot be written to"),
        ("PRAGMA max_page_count=1", "PRAGMA max_page_count=1000000", "the disk is full"),
    ],
    ids=["read-only", "full"],
)
def test_a_store_that_cannot_be_written_for_a_while(
    ill: str, well: str, told: str, tmp_path: Path, sick: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """Read-only: degraded, keeps polling, claims nothing. Disk full: no half state; clear error; goes on when there is
    room.
    """
    monkeypatch.setattr("orderlines.driving.patience.PAUSE", 0.02)
    text = "x" * 20_000  # more than the pages in use have room for
    flow = flow_of(tmp_path, "[{id: a, WAIT}, {id: b, ACT}]".replace("WAIT", f"WAIT, set: {{t: '{text}'}}"))
    store = SQLiteStore(f"sqlite:///{tmp_path}/runs.db")
    with caplog.at_level(logging.WARNING), orderlines.Engine(store) as engine:
        run = engine.start(flow)
        until(lambda: len(read(tmp_path / "log")) == 1, "the call has begun")
        sick(ill)
        (tmp_path / "go").touch()
        until(lambda: any(told in record.getMessage() for record in caplog.records), "it is told in the log")
        waiting = engine.store.run(run.row.id)
        assert waiting is not None
        assert waiting.status == "RUNNING"
        sick(well)
        assert run.wait(30) == "SUCCESS", run.error
        assert [(task["node"], task["attempt"]) for task in run.tasks()] == [("a", 1), ("b", 1)]
        assert len([record for record in caplog.records if told in record.getMessage()]) == 1, "one line a minute"
        engine.close()
        Invariants(store, tmp_path / "log").over()
    store.close()


FULL = """
import os, resource, sys
blocks = int(sys.argv.pop(1))
os.statvfs = lambda path: os.statvfs_result((4096, 4096, 150, blocks, blocks, 0, 0, 0, 0, 255))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from orderlines.cli.entry import main
main()
"""
"""A command on a disk of which so many blocks are free, and where no file can grow."""


@pytest.mark.parametrize("command", ["runs", "run flow.yaml", "doctor"])
@pytest.mark.parametrize(
    ("blocks", "told"),
    [(0, FULL_DISK), (7, FULL_DISK), (8, "disk I/O error")],
)
def test_a_store_on_a_full_disk_is_opened(command: str, blocks: int, told: str, shell: Shell) -> None:
    """SQLite says of a full disk that input or output has failed, where its file is opened on it."""
    assert shell.call("run", shell.flow("flow: f\nline: [{id: a, call: demo.echo, with: {value: 1}}]\n")).code == 0
    done = on_full_disk(shell, blocks, *command.split())
    assert done.returncode == (1 if command == "doctor" else 4), done.stderr
    assert f"store sqlite:///.orderlines/orderlines.db: {told}\n" in done.stdout + done.stderr


def test_the_doctor_finds_no_room_for_a_new_store(shell: Shell) -> None:
    done = on_full_disk(shell, 0, "doctor")
    assert done.returncode == 1
    assert "WRONG  store: there is no store at" in done.stdout
    assert list(shell.folder.iterdir()) == []


def on_full_disk(shell: Shell, blocks: int, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", FULL, str(blocks), *words]
    return subprocess.run(command, cwd=shell.folder, capture_output=True, text=True, check=False)


def test_no_transaction_reads_before_it_writes(tmp_path: Path, opened: list[sqlite3.Connection]) -> None:
    """SQLite, read then write in a deferred transaction: always `BEGIN IMMEDIATE`."""
    said: list[str] = []
    store = SQLiteStore(f"sqlite:///{tmp_path}/runs.db")
    for connection in opened:
        connection.set_trace_callback(said.append)
    lines = "{x: [{id: x, ACT}], y: [{id: g, signal: go}], t: [{id: t, delay: 10ms}]}"
    with orderlines.Engine(store) as engine:
        run = engine.start(flow_of(tmp_path, f"[{{id: a, ACT}}, {{id: p, parallel: {{lines: {lines}}}}}]"))
        for connection in opened:
            connection.set_trace_callback(said.append)
        run.pause()
        run.resume()
        run.signal("g")
        assert run.wait(30) == "SUCCESS"
    store.close()
    inside = False
    writes = 0
    for statement in said:
        word = statement.split()[0].upper()
        if word == "BEGIN":
            inside = statement.upper().startswith("BEGIN IMMEDIATE")
        elif word in {"INSERT", "UPDATE", "DELETE"}:
            writes += 1
            assert inside, f"outside of a transaction that has the lock: {statement}"
        elif word in {"COMMIT", "ROLLBACK"}:
            inside = False
    assert writes > 5


MANY = """
import sys
import orderlines
with orderlines.Engine(sys.argv[1]) as engine:
    for run in engine.recover():
        run.wait(60)
"""


def test_two_engines_on_one_sqlite_file(tmp_path: Path) -> None:
    """Works, and never corrupts: several processes drive all runs, and each call is made once."""
    lines = "{x: [{id: x1, ACT}, {id: x2, ACT}], y: [{id: y1, ACT}]}"
    flow = flow_of(tmp_path, f"[{{id: a, ACT}}, {{id: p, parallel: {{lines: {lines}}}}}, {{id: z, ACT}}]")
    store = SQLiteStore(f"sqlite:///{tmp_path}/runs.db")
    for _ in range(RUNS):
        store.accept(new_run(flow, {}, None, None))
    engines = [subprocess.Popen([sys.executable, "-c", MANY, store.url]) for _ in range(ENGINES)]
    assert [process.wait(60) for process in engines] == [0] * ENGINES
    assert {row.status for row in store.runs(100)} == {"SUCCESS"}
    Invariants(store, tmp_path / "log").over()
    assert sum(said.what == "start" for said in read(tmp_path / "log")) == RUNS * 5
    assert [finding for finding in store.examine() if finding.state == "wrong"] == []
    store.close()


GREENLETS = """
from gevent import monkey; monkey.patch_all()
import gevent, sqlite3, sys
import orderlines

url, path, flow = sys.argv[1:]
flow = orderlines.load(flow)
with orderlines.Engine(url) as engine:
    assert engine.start(flow).wait(20) == "SUCCESS"
    held = sqlite3.connect(path, isolation_level=None)
    for round in range(5):
        held.execute("BEGIN IMMEDIATE")
        waiting = [gevent.spawn(engine.start, flow) for _ in range(4)]
        gevent.sleep(0.02)
        assert not any(greenlet.ready() for greenlet in waiting), "they wait for the lock"
        gevent.killall(waiting)
        held.execute("ROLLBACK")
        assert engine.start(flow).wait(20) == "SUCCESS"
    held.close()
    runs = engine.store.runs(100)
    assert {run.status for run in runs} == {"SUCCESS"}, runs
    print(len(runs))
"""


def test_a_greenlet_killed_in_the_middle_of_a_store_call(tmp_path: Path) -> None:
    """Store calls are shielded; a dirty connection is never reused."""
    flow_of(tmp_path, "[{id: a, ACT}]")
    command = [sys.executable, "-c", GREENLETS, f"sqlite:///{tmp_path}/runs.db", f"{tmp_path}/runs.db"]
    done = subprocess.run([*command, f"{tmp_path}/flow.yaml"], capture_output=True, text=True, timeout=100, check=False)
    assert (done.stdout, done.stderr) == ("6\n", "")
    store = SQLiteStore(f"sqlite:///{tmp_path}/runs.db")
    Invariants(store, tmp_path / "log").over()
    store.close()


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TOKEN_OF_THE_TEST", "s3cr3t-of-the-test")
    return "s3cr3t-of-the-test"


def test_what_stands_in_the_environment_is_nowhere_in_the_store(secret: str, tmp_path: Path) -> None:
    """No secret in a row, a log, a message, a traceback: nothing of the process's environment is kept."""
    line = "[{id: a, ACT, executor: process}, {id: bad, call: kit.fail, with: {kind: ValueError}, executor: process}]"
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        run = engine.start(flow_of(tmp_path, line))
        assert run.wait(30) == "FAILURE"
        engine.close()
        invariants = Invariants(engine.store, tmp_path / "log", secrets=[secret])
        invariants.over()
        invariants.told(str(run.error), str(run.tasks()))
    with closing(sqlite3.connect(tmp_path / "runs.db")) as db:
        invariants.told("\n".join(db.iterdump()))
