"""Large values and pruning on the command line."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.testing.bench import until
from orderlines.testing.servers.base import free_port
from orderlines.testing.servers.redis import RedisServer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("kit")
SIZE = 200_000
FLOW = """
flow: large
vars: {big: null}
line:
  - {id: make, call: odd.fill, with: {size: 200000}, set: {big: "${result}"}}
  - {id: use, executor: process, call: odd.measure, with: {value: "${big}"}}
"""
FILLS = """
flow: fills
line:
  - {id: one, call: odd.fill, with: {size: 200000}}
  - {id: two, call: odd.fill, with: {size: 200000}}
"""
SHORT = "flow: short\nvars: {n: 0}\nline: [{id: add, call: demo.add, with: {a: 1, b: '${n}'}}]\n"
BAD = "flow: bad\nline: [{id: no, call: demo.fail, with: {message: no, times: 9}}]\n"
GOING = "flow: going\nline: [{id: go, signal: go}]\n"


def kept(path: Path) -> int:
    """Return how many large values are in an SQLite file."""
    with closing(sqlite3.connect(path)) as db:
        count: int = db.execute("SELECT count(*) FROM large_values").fetchone()[0]
        return count


def test_a_result_store_is_named_on_the_command_line(shell: Any) -> None:
    ran = shell.call("run", shell.flow(FLOW), "--results", "sqlite:///big.db", "--json")
    assert ran.code == 0, ran.err
    assert ran.document["variables"]["big"] == "x" * SIZE
    assert kept(shell.folder / "big.db") > 0 == kept(shell.folder / ".orderlines" / "orderlines.db")
    make, use = shell.call("status", "last", "--json").document["tasks"]
    assert (make["result"], use["result"]) == ("x" * SIZE, SIZE)
    shown = shell.call("status", "last")
    assert "<200,002 bytes>" in shown.out
    (shell.folder / "big.db").unlink()
    assert shell.call("status", "last").out == shown.out
    gone = shell.call("status", "last", "--json")
    assert (gone.code, gone.err) == (0, "")
    assert "nothing is there" in gone.document["tasks"][0]["result"]["$lost"]


def test_a_value_whose_result_store_is_away_is_shown_to_be(shell: Any, tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as redis:
        assert shell.call("run", shell.flow(FILLS), "--results", redis.url).code == 0
    for watching in ([], ["--watch"]):
        shown = shell.call("status", "last", *watching, "--json")
        assert (shown.code, shown.err, shown.document["status"]) == (0, "", "SUCCESS")
        assert ["name it with --results" in task["result"]["$away"] for task in shown.document["tasks"]] == [True] * 2
    assert "<200,002 bytes>" in shell.call("status", "last").out


def test_a_place_that_does_not_answer_is_asked_once(shell: Any) -> None:
    assert shell.call("run", shell.flow(FILLS), "--results", "sqlite:///big.db").code == 0
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        away = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with closing(sqlite3.connect(shell.folder / ".orderlines" / "orderlines.db")) as db, db:
            db.execute("UPDATE tasks SET result = replace(result, ?, ?)", (f"sqlite:///{shell.folder}/big.db", away))
        shown = shell.call("status", "last", "--json")
        assert (shown.code, [task["result"].keys() for task in shown.document["tasks"]]) == (0, [{"$away"}] * 2)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_what_cannot_be_read_back_is_shown_to_be_lost(shell: Any) -> None:
    assert shell.call("run", shell.flow(SHORT)).code == 0
    with closing(sqlite3.connect(shell.folder / ".orderlines" / "orderlines.db")) as db, db:
        db.execute("UPDATE tasks SET result = '{bad'")
    told = shell.call("status", "last", "--json")
    assert (told.code, told.err) == (0, "")
    assert "cannot be read" in told.document["tasks"][0]["result"]["$lost"]
    shown = shell.call("status", "last")
    assert (shown.code, shown.err, "<cannot be read>" in shown.out) == (0, "", True)


def test_a_detached_run_writes_to_the_result_store(shell: Any) -> None:
    ran = shell.call("run", shell.flow(FLOW), "--results", "sqlite:///big.db", "--detach")
    assert ran.code == 0, ran.err
    assert shell.call("status", "last", "--watch", "--json").document["variables"] == {"big": "x" * SIZE}
    assert kept(shell.folder / "big.db") > 0
    shell.left_alone()


def test_a_run_can_be_seen_and_stopped_while_only_its_result_store_is_away(shell: Any) -> None:
    away = f"redis://127.0.0.1:{free_port()}"
    assert shell.call("run", shell.flow(GOING), "--detach").code == 0
    for command in (
        ["schedule", "add", shell.flow(GOING), "--every", "1h"],
        ["schedule", "list"],
        ["schedule", "show", "going"],
        ["schedule", "next", "going"],
        ["schedule", "pause", "going"],
        ["schedule", "resume", "going"],
        ["schedule", "remove", "going"],
        ["runs"],
        ["status", "last"],
        ["pause", "last"],
        ["resume", "last"],
        ["logs", "last"],
        ["stop", "last"],
    ):
        done = shell.call(*command, "--results", away)
        assert (done.code, done.err) == (0, ""), command
    assert shell.call("status", "last", "--json").document["status"] == "STOP"
    pruned = shell.call("prune", "--older-than", "0s", "--results", away)
    assert (pruned.code, len(shell.runs())) == (4, 1), "no run goes whose values would stay"
    counted = shell.call("prune", "--older-than", "0s", "--dry-run", "--results", away)
    assert (counted.code, counted.out) == (0, "1 run would be deleted; nothing was\n")
    shell.left_alone()


def test_what_is_said_to_do_next_keeps_the_result_store(shell: Any) -> None:
    ran = shell.call("run", shell.flow(BAD), "--results", "sqlite:///big file.db")
    assert ran.code == 1
    (again,) = [line for line in ran.out.splitlines() if "orderlines retry" in line]
    assert again.endswith("--store sqlite:///.orderlines/orderlines.db --results 'sqlite:///big file.db'")
    assert "--results" not in shell.call("status", "last").out


@pytest.mark.parametrize(
    ("results", "code", "told"),
    [
        ("big.db", 2, "--results: 'big.db' is not the URL of a store"),
        ("nosuch://x", 2, "nosuch"),
        ("sqlite:////no/such/folder/big.db", 4, "cannot open"),
    ],
)
def test_a_result_store_that_cannot_be_is_told_before_anything_runs(
    results: str, code: int, told: str, shell: Any
) -> None:
    ran = shell.call("run", shell.flow(FLOW), "--results", results)
    assert (ran.code, ran.out) == (code, "")
    assert told in ran.err
    assert "Traceback" not in ran.err
    assert shell.runs() == []


def test_limits_are_taken_from_the_file(shell: Any) -> None:
    (shell.folder / "orderlines.yaml").write_text("results: sqlite:///big.db\ninline_limit: 10\n", encoding="utf-8")
    below = shell.folder / "below"
    below.mkdir()
    flow = shell.flow("flow: f\nline: [{id: make, call: odd.fill, with: {size: 100}}]\n")
    command = [sys.executable, "-m", "orderlines.cli.main", "run", flow]
    ran = subprocess.run(command, cwd=below, check=True, capture_output=True, text=True, env=os.environ)
    assert "<102 bytes>" in ran.stdout
    assert kept(shell.folder / "big.db") == 1


# Pruning


@pytest.fixture
def store(shell: Any) -> str:
    return f"sqlite:///{shell.folder}/.orderlines/orderlines.db"


def test_old_runs_are_pruned_and_their_keys_are_kept(shell: Any) -> None:
    first = shell.call("run", shell.flow(SHORT), "--key", "k", "--json").document
    assert shell.call("run", shell.flow(BAD)).code == 1
    assert shell.call("prune", "--older-than", "30d").out == "0 runs deleted\n"
    assert shell.call("prune", "--older-than", "0s", "--dry-run").out == "2 runs would be deleted; nothing was\n"
    counted = shell.call("prune", "--older-than", "0s", "--status", "failure", "--dry-run", "--json").document
    assert counted == {"runs": 1, "flows": 0, "values": 0, "dry_run": True}
    assert len(shell.runs()) == 2
    pruned = shell.call("prune", "--older-than", "0s", "--status", "SUCCESS", "--json").document
    assert pruned == {"runs": 1, "flows": 0, "values": 0, "dry_run": False}
    assert [run["flow"] for run in shell.call("runs", "--json").document["runs"]] == ["bad"]
    joined = shell.call("run", shell.flow(SHORT), "--key", "k", "--json")
    assert joined.code == 0
    assert joined.document == {**first, "variables": None, "tasks": [], "pruned": True}
    other = shell.call("run", shell.flow(SHORT), "--key", "k", "--var", "n=1")
    assert (other.code, other.out) == (2, "")
    assert f"belongs to run {first['run']} with other variables" in other.err
    shown = shell.call("status", first["run"])
    assert "pruned: only its key is kept" in shown.out
    for command in (["retry"], ["skip"], ["signal"]):
        refused = shell.call(*command, first["run"], *(["add"] if command != ["retry"] else []))
        assert refused.code == 2, refused.err
        assert "Traceback" not in refused.err
    assert shell.call("logs", first["run"]).code == 0
    assert len(shell.runs()) == 1


def test_a_flow_that_nobody_names_goes_with_its_runs(shell: Any) -> None:
    for number in range(3):
        assert shell.call("run", shell.flow(SHORT.replace("a: 1", f"a: {number}"))).code == 0
    pruned = shell.call("prune", "--older-than", "0s")
    assert pruned.out == "3 runs deleted\n2 flows that no run names deleted\n"


def test_a_pruned_run_takes_its_large_values_along(shell: Any) -> None:
    results = ("--results", "sqlite:///big.db")
    assert shell.call("run", shell.flow(FLOW), *results).code == 0
    assert shell.call("run", shell.flow(FLOW)).code == 0
    assert shell.call("prune", "--older-than", "0s", "--json").document["runs"] == 2
    assert kept(shell.folder / "big.db") == kept(shell.folder / ".orderlines" / "orderlines.db") == 0


@pytest.mark.parametrize("age", ["x", "-1d", "99999d", ""])
def test_an_age_that_is_none_is_refused(age: str, shell: Any) -> None:
    ran = shell.call("prune", "--older-than", age)
    assert (ran.code, ran.out) == (2, "")
    assert "--older-than" in ran.err


def test_runs_go_on_while_others_are_pruned(shell: Any, store: str, tmp_path: Path) -> None:
    short, going = tmp_path / "short.yaml", tmp_path / "going.yaml"
    short.write_text(SHORT, encoding="utf-8")
    going.write_text(GOING, encoding="utf-8")
    os.makedirs(shell.folder / ".orderlines")  # noqa: PTH103 -- as the command does
    with orderlines.Engine(store) as engine:
        waiting = engine.start(orderlines.load(going))
        old = engine.start_many(orderlines.load(short), [{"n": number} for number in range(300)])
        for run in old:
            assert run.wait(60) == "SUCCESS"
        pruning = shell.begin("prune", "--older-than", "0s", "--json")
        new = []
        while pruning.poll() is None:
            new.append(engine.start(orderlines.load(short), {"n": 1}))
            assert new[-1].status in {"PENDING", "RUNNING", "SUCCESS"}
        pruned = json.loads(shell.finish(pruning).out)
        assert pruned["runs"] >= len(old)
        for run in new:
            until(lambda run=run: engine.store.run(run.name) is None or run.status == "SUCCESS", "it ends")  # type: ignore[misc]
        waiting.signal("go")
        assert waiting.wait(20) == "SUCCESS"
        assert {run.name for run in old}.isdisjoint(row.name for row in engine.store.runs(1_000))


def test_a_prune_that_is_killed_is_finished_by_the_next(shell: Any, store: str, tmp_path: Path) -> None:
    flow = tmp_path / "each.yaml"
    flow.write_text(
        "flow: each\nline: [{id: each, foreach: '${list}', line: [{id: a, call: demo.echo, with: {value: 1}}]}]\n"
        "vars: {list: []}\n",
        encoding="utf-8",
    )
    os.makedirs(shell.folder / ".orderlines")  # noqa: PTH103 -- as the command does
    with orderlines.Engine(store) as engine:
        run = engine.start(orderlines.load(flow), {"list": [1] * 3_000})
        assert run.wait(120) == "SUCCESS"
        number = run.row.id
        pruning = shell.begin("prune", "--older-than", "0s")
        until(lambda: engine.store.run(number) is None, "it is out of sight")
        pruning.kill()
        shell.finish(pruning)
    assert shell.call("prune", "--older-than", "1d").code == 0
    with closing(sqlite3.connect(shell.folder / ".orderlines" / "orderlines.db")) as db:
        for table in ("lines", "tasks", "joins", "runs"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table  # noqa: S608


def test_a_run_stays_while_its_large_values_cannot_be_deleted(shell: Any) -> None:
    (shell.folder / "orderlines.yaml").write_text("results: sqlite:///big.db\ninline_limit: 10\n", encoding="utf-8")
    shell.call("run", shell.flow("flow: f\nline: [{id: make, call: odd.fill, with: {size: 100}}]\n"))
    values = shell.folder / "big.db"
    whole = values.read_bytes()
    values.write_bytes(b"garbage" * 1_000)
    ran = shell.call("prune", "--older-than", "0s")
    assert (ran.code, ran.out) == (4, "")
    values.write_bytes(whole)
    assert len(shell.runs()) == 1
    assert shell.call("prune", "--older-than", "0s").out.startswith("1 run deleted")
    assert (shell.runs(), kept(values)) == ([], 0)
