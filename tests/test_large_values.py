"""Large values leave the rows, come back where they are needed, and are missed where they are gone."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.errors import OrderlinesError, Refused, StoreUnavailable
from orderlines.stores.references import MARK
from orderlines.stores.sqlite import SQLiteStore
from orderlines.stores.sqlite.results import SQLiteResults
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orderlines.stores.base import Store

pytestmark = pytest.mark.usefixtures("kit")
SIZE = 200_000
HUGE = 50_000_000
USED = """
flow: used
vars: {{big: null, n: {size}}}
line:
  - {{id: make, executor: {executor}, call: odd.fill, with: {{size: "${{n}}"}}, set: {{big: "${{result}}"}}}}
  - {{id: measure, executor: {executor}, call: odd.measure, with: {{value: "${{nodes.make.result}}"}}}}
  - {{id: again, executor: {executor}, call: odd.measure, with: {{value: "${{big}}"}}}}
"""
SHAPES = """
flow: shapes
vars: {items: [], got: null}
line:
  - {id: make, call: odd.fill, with: {size: 200000, text: a}}
  - {id: each, foreach: "${items}", limit: 2, line: [{id: one, call: odd.measure, with: {value: "${item}"}}]}
  - id: branches
    parallel:
      lines:
        x: [{id: x, call: odd.measure, with: {value: "${nodes.make.result}"}, set: {got: "${nodes.make.result}"}}]
        y: [{id: y, call: odd.fill, with: {size: 200000, text: y}}]
  - id: dag
    graph:
      nodes:
        - {id: first, call: odd.fill, with: {size: 300000, text: g}, set: {passed: "${result}"}}
        - {id: second, after: [first], call: odd.measure, with: {value: "${passed}"}}
  - {id: told, signal: go}
  - {id: heard, call: odd.measure, with: {value: "${nodes.told.result}"}}
  - {id: last, call: odd.measure, with: {value: "${got}"}}
"""
HELD = """
flow: held
vars: {big: null}
line:
  - {id: make, call: odd.fill, with: {size: 200000}, set: {big: "${result}"}}
  - {id: go, signal: go}
  - {id: use, call: odd.measure, with: {value: "${big}"}}
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/runs.db"


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Any]:
    def load(text: str) -> Any:
        path = tmp_path / "flow.yaml"
        path.write_text(text, encoding="utf-8")
        return orderlines.load(path)

    return load


def results_of(run: orderlines.Run) -> dict[str, Any]:
    return {task["node"]: task["result"] for task in run.tasks()}


def largest_row(path: Path) -> int:
    """Return the length of the longest text in the rows of an SQLite store."""
    with closing(sqlite3.connect(path)) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = [
            (table, row[1])
            for table in tables
            if table != "large_values"
            for row in db.execute("SELECT * FROM pragma_table_info(?)", (table,))
        ]
        lengths = [
            db.execute(f"SELECT coalesce(max(length({column})), 0) FROM {table}").fetchone()[0]  # noqa: S608
            for table, column in columns
        ]
    longest: int = max(lengths)
    return longest


def left_whole(store: Store, run: orderlines.Run) -> None:
    """Sweep what no row names, and read back all that one does."""
    store.sweep(0.0)
    texts = [store.whole(text) for text in store.marked(run.row.id, MARK)]
    assert texts
    assert store.sweep(0.0) == 0


@pytest.mark.parametrize("executor", ["inline", "process", "gevent"])
def test_a_result_of_50_mb_is_used_by_later_nodes(
    executor: str, url: str, tmp_path: Path, load: Callable[..., Any]
) -> None:
    with orderlines.Engine(url) as engine:
        run = engine.start(load(USED.format(executor=executor, size=HUGE)))
        assert run.wait(120) == "SUCCESS", run.error
        results = results_of(run)
        assert (len(results["make"]), results["measure"], results["again"]) == (HUGE, HUGE, HUGE)
        assert run.variables == {"big": "x" * HUGE, "n": HUGE}
        left_whole(engine.store, run)
    assert largest_row(tmp_path / "runs.db") < 2_000


@pytest.mark.parametrize("elsewhere", [False, True])
def test_large_values_go_through_every_shape_of_flow(
    elsewhere: bool, url: str, tmp_path: Path, load: Callable[..., Any]
) -> None:
    results = f"sqlite:///{tmp_path}/big.db" if elsewhere else None
    items = ["i" * SIZE * number for number in (1, 2, 3)]
    flow = load(SHAPES)
    with orderlines.Engine(url, results=results) as first:
        run = first.start(flow, {"items": items})
        until(lambda: any(line.status == "SIGNAL" for line in first.store.lines(run.row.id)), "it waits for its signal")
    with orderlines.Engine(url, results=results) as second:
        (again,) = second.recover()
        again.signal("go", "s" * SIZE)
        assert again.wait(60) == "SUCCESS", again.error
        found = results_of(again)
        assert found["each"] == [SIZE, 2 * SIZE, 3 * SIZE]
        assert (found["x"], found["second"], found["heard"], found["last"]) == (SIZE, 300_000, SIZE, SIZE)
        assert again.variables == {"items": items, "got": "a" * SIZE, "passed": "g" * 300_000}
        left_whole(second.store, again)
    assert largest_row(tmp_path / "runs.db") < 10_000
    assert (tmp_path / "big.db").exists() == elsewhere
    # whoever reads needs to be told of no result store: the rows say where values are
    with orderlines.Engine(url) as third:
        assert results_of(third.find(run.name))["y"] == "y" * SIZE


def test_two_engines_share_large_values(url: str, load: Callable[..., Any]) -> None:
    flow = load(
        "flow: both\nline:\n"
        "  - {id: each, foreach: [1, 2, 3, 4, 5, 6], limit: 3, line: [{id: one, executor: process, call: odd.fill,"
        " with: {size: 100000, text: '${str(item)}'}}]}\n"
    )
    with orderlines.Engine(url) as one, orderlines.Engine(url) as two:
        runs = one.start_many(flow, [{}] * 4)
        others = two.recover()
        assert [run.wait(60) for run in (*runs, *others)] == ["SUCCESS"] * (4 + len(others))
        for run in runs:
            assert results_of(two.find(run.name))["each"] == [f"{number}" * 100_000 for number in range(1, 7)]


def spoil(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute(statement).rowcount > 0
        db.commit()


def held(engine: orderlines.Engine, flow: Any, **given: Any) -> orderlines.Run:
    run = engine.start(flow, given)
    until(lambda: any(line.status == "SIGNAL" for line in engine.store.lines(run.row.id)), "it waits for its signal")
    return run


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE large_values SET body = CAST('\"y' || substr(CAST(body AS TEXT), 3) AS BLOB)", "has been changed"),
        ("UPDATE large_values SET body = substr(body, 1, 1000)", "has been changed"),
        ("DELETE FROM large_values", "is gone"),
    ],
)
def test_a_value_that_is_changed_or_lost_fails_the_line_that_needs_it(
    statement: str, told: str, url: str, tmp_path: Path, load: Callable[..., Any]
) -> None:
    with orderlines.Engine(url) as engine:
        run = held(engine, load(HELD))
    spoil(tmp_path / "runs.db", statement)
    with orderlines.Engine(url) as engine:
        (run,) = engine.recover()
        run.signal("go")
        assert run.wait(20) == "FAILURE"
        assert run.error is not None
        assert (run.error["node"], run.error["type"]) == ("go", "ValueLost")
        assert told in run.error["message"]
        assert f"of run {run.name}" in run.error["message"]
        with pytest.raises(OrderlinesError, match=told):
            _ = run.variables
        shown = results_of(run)
        assert told in shown["make"]["$lost"]
        # nor does another round go on with what is left
        run.retry()
        assert run.wait(20) == "FAILURE"
        assert run.error is not None
        assert told in run.error["message"]
        # but one that makes the value anew does
        run.retry(from_="make")
        run.signal("go")
        assert run.wait(20) == "SUCCESS"
        assert run.variables == {"big": "x" * 200_000}


def test_a_lost_value_fails_a_branch_and_no_other_run(url: str, tmp_path: Path, load: Callable[..., Any]) -> None:
    text = (
        "flow: branch\nvars: {big: null}\nline:\n"
        "  - {id: p, parallel: {on_branch_failure: wait, lines: {\n"
        "      x: [{id: make, call: odd.fill, with: {size: 200000}, set: {big: '${result}'}}, {id: go, signal: go},\n"
        "          {id: use, call: odd.measure, with: {value: '${big}'}}],\n"
        "      y: [{id: go2, signal: go2}, {id: other, call: odd.measure, with: {value: ok}}]}}}\n"
    )
    with orderlines.Engine(url) as engine:
        run = engine.start(load(text))
        until(lambda: sum(line.status == "SIGNAL" for line in engine.store.lines(run.row.id)) == 2, "both wait")
        other = held(engine, load(HELD))
    spoil(tmp_path / "runs.db", f"DELETE FROM large_values WHERE run = '{run.name}'")  # noqa: S608
    with orderlines.Engine(url) as engine:
        for each in engine.recover():
            each.signal("go")
        run = engine.find(run.name)
        run.signal("go2")
        assert engine.find(other.name).wait(20) == "SUCCESS"
        assert run.wait(20) == "FAILURE"
        tasks = {task["node"]: task for task in run.tasks()}
        assert (tasks["go"]["status"], tasks["go"]["error"]["type"]) == ("FAILURE", "ValueLost")
        assert tasks["other"]["result"] == 2


def test_the_run_waits_while_the_result_store_is_away(url: str, tmp_path: Path, load: Callable[..., Any]) -> None:
    big, away = tmp_path / "big.db", tmp_path / "away.db"
    with orderlines.Engine(url, results=f"sqlite:///{big}") as engine:
        run = held(engine, load(HELD))
    big.rename(away)
    big.mkdir()
    with pytest.raises(OrderlinesError, match="cannot open"):
        orderlines.Engine(url, results=f"sqlite:///{big}")
    big.rmdir()
    away.rename(big)
    with orderlines.Engine(url) as engine:
        (run,) = engine.recover()
        run.signal("go")
        assert run.wait(20) == "SUCCESS"


def test_what_is_above_the_cap_fails_its_task(
    url: str, load: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERLINES_VALUE_LIMIT", "100KB")
    text = (
        "flow: cap\nvars: {big: null}\nline:\n"
        "  - {id: fits, call: odd.fill, with: {size: 102398}}\n"
        "  - {id: gathered, foreach: [1, 2], line: [{id: half, call: odd.fill, with: {size: 60000}}], on_error: skip}\n"
        "  - {id: bad, call: odd.fill, with: {size: 102399}}\n"
    )
    with orderlines.Engine(url) as engine:
        run = engine.start(load(text))
        assert run.wait(20) == "FAILURE"
        tasks = {task["node"]: task for task in run.tasks()}
        assert len(tasks["fits"]["result"]) == 102_398
        assert tasks["gathered"]["status"] == "SKIP"
        assert run.error == tasks["bad"]["error"]
        assert run.error is not None
        assert run.error["type"] == "ValueTooLarge"
        told = "the result of node 'bad' is 102,401 bytes as text; at most 102,400 are kept (value_limit)"
        assert run.error["message"] == told
        with pytest.raises(Refused, match=r"of flow 'cap' are .* bytes as text; at most 102,400"):
            engine.start(load(text), {"big": "x" * 102_400})


def test_no_password_is_written_into_rows(url: str, tmp_path: Path, load: Callable[..., Any]) -> None:
    vault = f"vault://somebody:secret@{tmp_path}/vault.db"
    with orderlines.Engine(url, results=vault) as engine:
        run = held(engine, load(HELD))
        content = b"".join(each.read_bytes() for each in tmp_path.glob("*.db*"))
    assert b"secret" not in content
    assert f"vault://{tmp_path}/vault.db".encode() in content
    with orderlines.Engine(url) as engine, pytest.raises(StoreUnavailable) as caught:
        engine.find(run.name).tasks()
    assert str(caught.value) == (
        f"large values of run {run.name} are in vault://{tmp_path}/vault.db; name it with --results, and with its"
        " password if it has one: access denied"
    )
    with orderlines.Engine(url, results=vault) as engine:
        assert results_of(engine.find(run.name))["make"] == "x" * SIZE


def test_a_store_that_no_plugin_offers_keeps_values_in_its_rows(
    url: str, tmp_path: Path, load: Callable[..., Any]
) -> None:
    store = SQLiteStore(url)
    store.url = "made-by-hand:"
    with orderlines.Engine(store) as engine:
        run = engine.start(load(USED.format(executor="inline", size=SIZE)))
        assert run.wait(20) == "SUCCESS", run.error
        assert run.variables == {"big": "x" * SIZE, "n": SIZE}
    store.close()
    assert largest_row(tmp_path / "runs.db") > SIZE


KILLED = """
import os, signal, sys
import orderlines
from orderlines.stores.sqlite import SQLiteStore

url, flow = sys.argv[1:]

class Killing(SQLiteStore):
    def commit(self, driver, steps):
        if any(task.result and task.result.startswith("&") for step in steps for task in step.tasks):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().commit(driver, steps)

with orderlines.Engine(Killing(url)) as engine:
    engine.start(orderlines.load(flow), key="k").wait(20)
"""


def test_a_value_whose_commit_was_lost_is_swept(url: str, tmp_path: Path, load: Callable[..., Any]) -> None:
    flow = load("flow: f\nline: [{id: odd, call: odd.chance, with: {size: 100000}}]\n")
    command = [sys.executable, "-c", KILLED, url, str(tmp_path / "flow.yaml")]
    assert subprocess.run(command, check=False).returncode < 0
    with orderlines.Engine(url) as engine:
        run = engine.start(flow, key="k")
        assert run.wait(20) == "SUCCESS"
        results = SQLiteResults(url)
        identity = engine.store.identity()
        (old,) = results.old(identity, 0.0)
        assert len(old.digests) == 2  # each attempt has returned another one
        assert engine.store.sweep(3_600.0) == 0
        assert engine.store.sweep(0.0) == 1
        left_whole(engine.store, run)
        results.close()
