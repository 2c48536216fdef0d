"""Branches really run at the same time: each only succeeds once it has seen the others."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.values import decode

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Shell

pytestmark = pytest.mark.usefixtures("kit")
AT_ONCE = ["gevent", "process", "thread"]
MANY = 1_000


def meeting(path: Path, executors: list[str], *, call: str = "meet.wait", seconds: float = 20, **more: Any) -> str:
    """Return a flow whose branches all have to meet, one for each executor."""
    arguments = {"path": str(path), "count": len(executors), "seconds": seconds}
    lines = {
        f"l{number}": [{"id": f"c{number}", "call": call, "with": arguments, "executor": executor}]
        for number, executor in enumerate(executors)
    }
    return json.dumps({"flow": "meeting", "line": [{"id": "p", "parallel": {"lines": lines, **more}}]})


def ran(folder: Path, flow: str) -> tuple[str, str | None, list[Any]]:
    """Run a flow in this process and return its status, its error's text and the results of its calls."""
    path = folder / "flow.json"
    path.write_text(flow, encoding="utf-8")
    with orderlines.Engine(f"sqlite:///{folder}/runs.db") as engine:
        run = engine.start(orderlines.load(path))
        status = run.wait(60)
        tasks = [kept.task for kept in engine.store.tasks(run.row.id) if kept.task.node != "p"]
    return (
        status,
        None if run.error is None else run.error["message"],
        [decode(task.result or "null") for task in tasks],
    )


@pytest.mark.parametrize("executor", AT_ONCE)
def test_two_branches_run_at_once(executor: str, tmp_path: Path) -> None:
    status, error, results = ran(tmp_path, meeting(tmp_path / "met", [executor] * 2))
    assert (status, error) == ("SUCCESS", None)
    assert len(results) == 2
    assert (os.getpid() in results) == (executor == "thread")


@pytest.mark.parametrize("executor", AT_ONCE)
def test_two_branches_of_a_command_run_at_once(executor: str, shell: Shell, tmp_path: Path) -> None:
    done = shell.call("run", "--json", shell.flow(meeting(tmp_path / "met", [executor] * 2)))
    assert done.code == 0, done.err
    assert [task["status"] for task in done.document["tasks"]] == ["SUCCESS"] * 3
    shell.left_alone()


def test_branches_on_different_executors_run_at_once(tmp_path: Path) -> None:
    status, error, results = ran(tmp_path, meeting(tmp_path / "met", AT_ONCE))
    assert (status, error) == ("SUCCESS", None)
    assert len(set(results)) == 3


def test_inline_branches_run_one_after_the_other(tmp_path: Path) -> None:
    status, error, _ = ran(tmp_path, meeting(tmp_path / "met", ["inline"] * 2, seconds=0.1))
    assert status == "FAILURE"
    assert "1 of 2 have come" in str(error)


@pytest.mark.parametrize("executor", AT_ONCE)
def test_no_more_branches_run_at_once_than_the_limit_says(executor: str, tmp_path: Path) -> None:
    status, error, _ = ran(tmp_path, meeting(tmp_path / "met", [executor] * 2, seconds=0.3, limit=1))
    assert status == "FAILURE"
    assert "1 of 2 have come" in str(error)


def test_two_branches_keep_two_processes_busy_at_once(tmp_path: Path) -> None:
    status, error, results = ran(tmp_path, meeting(tmp_path / "met", ["process"] * 2, call="meet.spin"))
    assert (status, error) == ("SUCCESS", None)
    assert len({*results, os.getpid()}) == 3


def test_two_branches_of_a_command_keep_two_processes_busy_at_once(shell: Shell, tmp_path: Path) -> None:
    done = shell.call("run", "--json", shell.flow(meeting(tmp_path / "met", ["process"] * 2, call="meet.spin")))
    assert done.code == 0, done.err
    results = [task["result"] for task in done.document["tasks"] if task["node"] != "p"]
    assert len(set(results)) == 2
    shell.left_alone()


def test_a_thousand_greenlets_run_at_once(tmp_path: Path) -> None:
    status, error, results = ran(tmp_path, meeting(tmp_path / "met", ["gevent"] * MANY))
    assert (status, error) == ("SUCCESS", None)
    assert len(results) == MANY
    assert len(set(results)) == 1
