"""Flows through the Python interface, on real executors and the embedded store."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import orderlines
from orderlines.errors import OrderlinesError, UsageError
from orderlines.values import decode

FLOWS = Path(__file__).parent / "flows"
INDEX: list[dict[str, Any]] = [
    case for case in json.loads((FLOWS / "index.json").read_text(encoding="utf-8")) if not case.get("refused")
]


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Return the URL of an empty store."""
    return f"sqlite:///{tmp_path}/runs.db"


def _tasks(engine: orderlines.Engine, run: orderlines.Run) -> dict[str, Any]:
    return {kept.task.node: kept for kept in engine.store.tasks(run.row.id)}


@pytest.mark.parametrize("case", INDEX, ids=lambda case: case["file"])
def test_a_flow_of_the_original_comes_to_what_the_index_says(case: dict[str, Any], store: str) -> None:
    began = time.monotonic()
    with orderlines.Engine(store) as engine:
        run = engine.start(orderlines.load(FLOWS / case["file"]))
        assert run.wait(30) == case["status"], run.error
        took = time.monotonic() - began
        tasks = _tasks(engine, run)
        order = [kept.task.node for kept in engine.store.tasks(run.row.id) if kept.line == ""]
        variables, error = run.variables, run.error
    assert took < case.get("within", 30)
    assert {node: decode(tasks[node].task.result) for node in case.get("results", {})} == case.get("results", {})
    assert {name: variables[name] for name in case.get("variables", {})} == case.get("variables", {})
    assert {node: tasks[node].task.status for node in case.get("tasks", {})} == case.get("tasks", {})
    assert {node: tasks[node].task.attempt for node in case.get("attempts", {})} == case.get("attempts", {})
    assert not set(case.get("absent", ())) & set(tasks)
    assert order == case.get("order", order)
    if "error_node" in case:
        assert error is not None
        assert error["node"] == case["error_node"]


RECOVERED = """
flow: recovered
vars: {{n: 0}}
line:
  - {{id: a, call: demo.append, with: {{path: {log}, text: a}}}}
  - id: p
    parallel:
      executor: process
      lines:
        x:
          - {{id: x1, call: demo.append, with: {{path: {log}, text: x1}}}}
          - {{id: x2, call: demo.sleep, with: {{seconds: 0.5}}}}
        y: [{{id: y1, call: demo.add, with: {{a: 1, b: 2}}, set: {{n: "${{result}}"}}}}]
  - {{id: z, call: demo.append, with: {{path: {log}, text: "z${{n}}"}}}}
"""


def test_a_killed_engine_loses_nothing_and_repeats_nothing_recorded(store: str, tmp_path: Path) -> None:
    log, flow = tmp_path / "log", tmp_path / "flow.yaml"
    flow.write_text(RECOVERED.format(log=log), encoding="utf-8")
    code = f"import orderlines; e = orderlines.Engine({store!r}); e.start(orderlines.load({str(flow)!r})).wait()"
    with subprocess.Popen([sys.executable, "-c", code]) as victim:
        limit = time.monotonic() + 20
        while not (log.exists() and "x1" in log.read_text(encoding="utf-8")):
            assert time.monotonic() < limit
            assert victim.poll() is None
        os.kill(victim.pid, signal.SIGKILL)
    with orderlines.Engine(store) as engine:
        (run,) = engine.recover()
        assert run.wait(20) == "SUCCESS"
        assert run.variables == {"n": 3}
    lines = log.read_text(encoding="utf-8").split()
    assert lines.count("a") == 1
    assert lines[-1] == "z3"
    assert lines.count("z3") == 1


STUBBORN = """
flow: stubborn
line:
  - id: p
    parallel:
      executor: process
      lines:
        x: [{id: x1, call: demo.spin, with: {seconds: 60}}]
        y: [{id: y1, call: demo.hold, with: {seconds: 60}, grace: 0.2}]
"""


def test_a_stop_ends_a_spinning_call_and_one_that_ignores_sigterm(store: str, tmp_path: Path) -> None:
    flow = tmp_path / "flow.yaml"
    flow.write_text(STUBBORN, encoding="utf-8")
    with orderlines.Engine(store) as engine:
        run = engine.start(orderlines.load(flow))
        limit = time.monotonic() + 20
        while sum(line.status == "CALL" for line in engine.store.lines(run.row.id)) < 2:
            assert time.monotonic() < limit
        run.stop()
        assert run.wait(10) == "STOP"
        assert {node: kept.task.status for node, kept in _tasks(engine, run).items()} == dict.fromkeys(
            ("p", "x1", "y1"), "STOP"
        )


def test_a_key_starts_one_run_and_refuses_another_one(store: str) -> None:
    chain, group = orderlines.load(FLOWS / "chain.json"), orderlines.load(FLOWS / "variable_second_form.json")
    with orderlines.Engine(store) as engine:
        first = engine.start(chain, key="k")
        assert engine.start(chain, key="k").name == first.name
        assert engine.start(group, key="k").name != first.name
        with pytest.raises(orderlines.OrderlinesError, match="no variable"):
            engine.start(chain, {"unknown": 1})
        first.wait(20)


LATE = """\
flow: late
line:
  - id: p
    timeout: 0.2
    group:
      - {id: x, call: demo.sleep, with: {seconds: 0.6}}
"""


NEXT = "      - {id: y, call: demo.sleep, with: {seconds: 0}}\n"


@pytest.mark.parametrize("more", ["", NEXT], ids=["last", "not last"])
def test_what_comes_late_does_not_win(store: str, tmp_path: Path, more: str) -> None:
    """In a program's own process an inline call runs to its end: the node around it is out of time all the same."""
    flow = tmp_path / "flow.yaml"
    flow.write_text(LATE + more, encoding="utf-8")
    with orderlines.Engine(store) as engine:
        run = engine.start(flow)
        assert run.wait(20) == "FAILURE"
        assert run.error is not None
        assert (run.error["node"], run.error["type"]) == ("p", "Timeout")
        assert {node: kept.task.status for node, kept in _tasks(engine, run).items()} == {"p": "FAILURE", "x": "STOP"}


def test_the_first_run_of_an_engine_ends_at_its_timeout(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else wakes the driver: not a written lease, not another driver."""
    monkeypatch.setenv("ORDERLINES_LEASE", "1h")
    flow = orderlines.Flow("late", timeout=0.5)
    flow.call("x", "demo.hold", with_={"seconds": 60}, executor="process", grace=0)
    with orderlines.Engine(store) as engine:
        assert engine.start(flow).wait(20) == "FAILURE"


def test_an_executor_that_is_not_there_is_refused(store: str) -> None:
    flow = orderlines.load(FLOWS / "chain.json")
    with orderlines.Engine(store, executor="nowhere") as engine:
        with pytest.raises(orderlines.OrderlinesError, match="nowhere"):
            engine.start(flow)
        assert engine.store.runs(10) == []


def test_a_closed_engine_accepts_nothing(store: str) -> None:
    flow = orderlines.load(FLOWS / "chain.json")
    with orderlines.Engine(store) as engine:
        run = engine.start(flow)
        run.wait(30)
    for begin in (lambda: engine.start(flow), engine.recover):
        with pytest.raises(UsageError, match="has been closed"):
            begin()
    assert [row.name for row in engine.store.runs(10)] == [run.name]


def test_who_waits_for_a_run_of_a_closed_engine_is_told(store: str, tmp_path: Path) -> None:
    path = tmp_path / "slow.yaml"
    path.write_text(
        "flow: slow\nline: [{id: s, call: demo.sleep, with: {seconds: 60}, executor: process, grace: 0.1}]\n"
    )
    with orderlines.Engine(store) as engine:
        run = engine.start(orderlines.load(path))
    with pytest.raises(OrderlinesError, match=r"kept but not driven on: .* closed"):
        run.wait(30)


ADDS = "flow: adds\nvars: {n: 1}\nline: [{id: a, call: demo.add, with: {a: '${n}', b: 2}, set: {n: '${result}'}}]\n"


@pytest.mark.parametrize(("executor", "what"), [("inline", "waits until it returns"), ("thread", "leaves it running")])
def test_a_host_program_is_told_once_what_a_stop_comes_to(
    store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, executor: str, what: str
) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text(ADDS, encoding="utf-8")
    with caplog.at_level("INFO", "orderlines"), orderlines.Engine(store, executor) as engine:
        for _ in range(2):
            assert engine.start(path).wait(30) == "SUCCESS"
    (said,) = [record.message for record in caplog.records if "cannot be ended" in record.message]
    assert f"on the executor {executor!r} in this process" in said
    assert what in said
    assert "`executor: process`" in said


def test_calls_that_can_be_ended_need_no_word(store: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "orderlines"), orderlines.Engine(store, "process") as engine:
        assert engine.start(orderlines.load(FLOWS / "chain.json")).wait(30) == "SUCCESS"
    assert [record.message for record in caplog.records if "cannot be ended" in record.message] == []


def test_a_flow_may_be_a_file_or_built(store: str, tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text(ADDS, encoding="utf-8")
    built = orderlines.Flow("built")
    built.call("a", "demo.echo", with_={"value": 1})
    with orderlines.Engine(store) as engine:
        for flow in (path, str(path), built, built.build(), orderlines.load(path)):
            assert engine.start(flow).wait(30) == "SUCCESS"
        runs = engine.start_many(path, iter([{"n": 2}, {"n": 3}]))
        for run in runs:
            run.wait(30)
    assert [run.variables["n"] for run in runs] == [4, 5]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda engine, path: engine.start(5), "no flow but int: give what `orderlines.load` returns, or the path"),
        (lambda engine, path: engine.start(None), "no flow but NoneType"),
        (lambda engine, path: engine.start(path, vars=5), "a mapping, such as {'name': value}, not as 5"),
        (lambda engine, path: engine.start(path, vars=[]), r"a mapping, such as {'name': value}, not as \[\]"),
        (lambda engine, path: engine.start_many(path, 5), "a list with the variables of each run"),
        (lambda engine, path: engine.start_many(path, {"n": 5}), "a list with the variables of each run"),
        (lambda engine, path: engine.start(path.with_suffix(".no")), "flow.no"),
    ],
)
def test_what_cannot_be_started_is_refused_with_what_to_give(store: str, tmp_path: Path, wrong: Any, told: str) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text(ADDS, encoding="utf-8")
    with orderlines.Engine(store) as engine:
        with pytest.raises(UsageError, match=told):
            wrong(engine, path)
        assert engine.store.runs(10) == []


def test_a_run_shows_its_name_and_what_is_known_of_its_status(store: str) -> None:
    with orderlines.Engine(store) as engine:
        run = engine.start(orderlines.load(FLOWS / "chain.json"))
        assert re.fullmatch(rf"<Run {run.name} last seen (PENDING|RUNNING)>", repr(run))
        run.wait(30)
        assert repr(run) == f"<Run {run.name} SUCCESS>"
        assert repr(engine.find(run.name)) == repr(run)
    Path(store.removeprefix("sqlite:///")).unlink()
    assert repr(run) == f"<Run {run.name} SUCCESS>"
