"""Observers are told of what changes, after it is kept; what they raise harms no run."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.plugins import registry
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Install = Callable[[str, Mapping[str, str]], Path]

PLUGIN = """
from orderlines.plugins import hookimpl

ORDERLINES_API = 1
told = []
more = []
kinds = {}
lines = {}

@hookimpl
def orderlines_driver_begun():
    more.append("begun")

@hookimpl
def orderlines_driver_ended():
    more.append("ended")

@hookimpl
def orderlines_run_changed(run, flow, status, error, round, started, finished):
    told.append(("run", run, flow, status, error))
    more.append((status, round, started, finished))

@hookimpl
def orderlines_line_ended(run, flow, line, status, started, finished, error, round):
    more.append((line, status, finished, error, round))
    lines[line] = (started, finished)

@hookimpl
def orderlines_task_changed(
    run, line, node, visit, status, attempt, executor, started, finished, error, round, type, component
):
    told.append((line, node, visit, status, attempt, executor, started, finished, error))
    kinds[node] = (type, component, executor, round)
"""
FLOW = """
flow: watched
on_failure: {call: demo.echo, with: {value: sorry}}
line:
  - {id: twice, call: demo.fail, with: {message: once, times: 1}, retry: {times: 1, delay: 0}}
  - {id: nap, delay: 10ms}
  - id: both
    parallel:
      lines:
        a: [{id: left, call: demo.echo, with: {value: 1}}]
        b: [{id: off, call: demo.echo, with: {value: 2}, enabled: false}]
  - {id: bad, call: demo.fail, with: {message: at last, times: 9}}
"""


@pytest.fixture
def told(install: Install, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What the observers of an installed plugin have been told."""
    monkeypatch.syspath_prepend(str(install("watcher", {"plugin": PLUGIN})))
    registry.cache_clear()
    __import__("watcher.plugin")
    yield sys.modules["watcher.plugin"].told
    for name in [name for name in sys.modules if name.partition(".")[0] == "watcher"]:
        del sys.modules[name]
    registry.cache_clear()


def driven(tmp_path: Path) -> orderlines.Run:
    path = tmp_path / "flow.yaml"
    path.write_text(FLOW, encoding="utf-8")
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        run = engine.start(orderlines.load(path))
        run.wait(timeout=30)
    return run


def test_every_change_is_told_in_its_order(told: list[Any], tmp_path: Path) -> None:
    run = driven(tmp_path)
    assert [item[1:4] for item in told if item[0] == "run"] == [
        (run.name, "watched", "RUNNING"),
        (run.name, "watched", "FAILURE"),
    ]
    tasks = [(item[0], item[1], item[3], item[4]) for item in told if item[0] != "run"]
    assert [task for task in tasks if task[0] == ""] == [
        ("", "twice", "RUNNING", 1),
        ("", "twice", "RETRY", 1),
        ("", "twice", "RUNNING", 2),
        ("", "twice", "SUCCESS", 2),
        ("", "nap", "WAITING", 1),
        ("", "nap", "SUCCESS", 1),
        ("", "both", "WAITING", 1),
        ("", "both", "SUCCESS", 1),
        ("", "bad", "RUNNING", 1),
        ("", "bad", "FAILURE", 1),
        ("", "bad:on_failure", "RUNNING", 1),
        ("", "bad:on_failure", "SUCCESS", 1),
    ]
    assert [task for task in tasks if task[0] == "/both#1/a"] == [
        ("/both#1/a", "left", "RUNNING", 1),
        ("/both#1/a", "left", "SUCCESS", 1),
    ]
    assert [task for task in tasks if task[0] == "/both#1/b"] == [("/both#1/b", "off", "SKIP", 0)]


def test_what_is_told_is_what_is_kept(told: list[Any], tmp_path: Path) -> None:
    run = driven(tmp_path)
    assert json.loads(told[-1][4]) == run.error
    (first,) = [item for item in told if item[1] == "twice" and item[3] == "RETRY"]
    assert json.loads(first[8])["message"] == "once"
    (ended,) = [item for item in told if item[1] == "left" and item[3] == "SUCCESS"]
    assert ended[5] == "inline"
    assert ended[6] <= ended[7]


@pytest.fixture
def watcher(told: list[Any]) -> Any:
    """The module of the plugin."""
    return sys.modules["watcher.plugin"]


def test_a_driver_tells_of_its_beginning_and_its_end(watcher: Any, tmp_path: Path) -> None:
    driven(tmp_path)
    assert (watcher.more[0], watcher.more[-1]) == ("begun", "ended")


def test_the_ends_of_lines_are_told_and_the_times_of_runs(watcher: Any, tmp_path: Path) -> None:
    run = driven(tmp_path)
    begun, *lines, ended = watcher.more[1:-1]
    left, off = sorted(lines)
    assert [left[:2], off[:2]] == [("/both#1/a", "SUCCESS"), ("/both#1/b", "SUCCESS")]
    finished = {task["node"]: task["finished"] for task in run.tasks()}
    assert datetime.fromtimestamp(left[2], UTC).isoformat() == finished["left"]
    started = {task["node"]: task["started"] for task in run.tasks()}
    assert datetime.fromtimestamp(watcher.lines["/both#1/a"][0], UTC).isoformat() == started["left"]
    assert begun[:2] == ("RUNNING", 1)
    assert begun[3] is None
    assert ended == ("FAILURE", 1, begun[2], ended[3])
    assert begun[2] < left[2] < ended[3]


def test_a_line_that_began_in_another_process_is_told_to_have_begun_with_the_node_that_opened_it(
    watcher: Any, tmp_path: Path
) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text(
        "flow: moved\nline:\n- id: both\n  parallel:\n    lines:\n"
        "      a: [{id: go, call: demo.echo, with: {value: 1}}, {id: wait, signal: on}]\n",
        encoding="utf-8",
    )
    store = f"sqlite:///{tmp_path}/runs.db"
    with orderlines.Engine(store) as engine:
        run = engine.start(path)
        until(lambda: any(task["node"] == "wait" for task in run.tasks()), "the line waits")
    with orderlines.Engine(store) as engine:
        engine.recover()
        again = engine.find(run.name)
        again.signal("wait")
        assert again.wait(timeout=30) == "SUCCESS"
        started = {task["node"]: task["started"] for task in again.tasks()}
    assert datetime.fromtimestamp(watcher.lines["/both#1/a"][0], UTC).isoformat() == started["both"] < started["go"]


def test_what_the_flow_says_of_a_node_is_told(watcher: Any, tmp_path: Path) -> None:
    driven(tmp_path)
    assert watcher.kinds == {
        "twice": ("common", "demo.fail", "inline", 1),
        "nap": ("delay", None, None, 1),
        "both": ("parallel", None, None, 1),
        "left": ("common", "demo.echo", "inline", 1),
        "off": ("common", "demo.echo", None, 1),
        "bad": ("common", "demo.fail", "inline", 1),
        "bad:on_failure": (None, "demo.echo", "inline", 1),
    }


def test_each_round_of_a_run_has_a_number(watcher: Any, tmp_path: Path) -> None:
    run = driven(tmp_path)
    watcher.more.clear()
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        again = engine.find(run.name)
        again.retry()
        again.wait(timeout=30)
    assert [item[:2] for item in watcher.more[1:-1]] == [("FAILURE", 2)]
    assert watcher.kinds["bad"][3] == 2


def test_an_observer_that_raises_harms_no_run_and_is_logged(
    install: Install, monkeypatch: pytest.MonkeyPatch, shell: Any
) -> None:
    place = install("breaker", {"plugin": PLUGIN.replace('told.append(("run"', 'raise SystemExit(("run"')})
    monkeypatch.setenv("PYTHONPATH", str(place), prepend=os.pathsep)
    ran = shell.call("run", shell.flow("flow: calm\nline: [{id: a, call: demo.echo, with: {value: 1}}]"), "--json")
    assert (ran.code, ran.document["status"]) == (0, "SUCCESS")
    assert "orderlines_run_changed of breaker" in ran.err
