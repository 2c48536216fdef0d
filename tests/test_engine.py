"""Flows through the Python interface, on real executors and the embedded store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import orderlines
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


def test_a_run_that_cannot_be_driven_says_so_and_is_kept(store: str) -> None:
    flow = orderlines.load(FLOWS / "chain.json")
    with orderlines.Engine(store, executor="nowhere") as engine:
        run = engine.start(flow)
        with pytest.raises(orderlines.OrderlinesError, match="nowhere"):
            run.wait(20)
        assert run.status == "PENDING"
