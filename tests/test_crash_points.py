"""Every crash point: an engine is killed before and after each of its commits, and another one goes on."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import orderlines

if TYPE_CHECKING:
    from pathlib import Path

LEAST = 3
"""Commits that even the shortest of the flows takes: so many kills must have hit."""

VICTIM = """
import os, signal, sys
import orderlines
from orderlines.stores.sqlite import SQLiteStore

url, flow, number, when = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]

class Killing(SQLiteStore):
    commits = 0

    def commit(self, driver, steps):
        Killing.commits += 1
        if Killing.commits == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = super().commit(driver, steps)
        if Killing.commits == number and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return done

with orderlines.Engine(Killing(url)) as engine:
    engine.start(orderlines.load(flow), key="once").wait(30)
"""


def node(log: Path, name: str, more: str = "") -> str:
    return f"{{id: {name}, call: demo.append, with: {{path: {log}, text: {name}}}{more}}}"


def chain(log: Path) -> str:
    return f"[{node(log, 'a')}, {node(log, 'b')}, {node(log, 'c')}]"


def parallel(log: Path) -> str:
    lines = f"{{x: [{node(log, 'x1')}, {node(log, 'x2')}], y: [{node(log, 'y1')}]}}"
    return f"[{node(log, 'a')}, {{id: p, parallel: {{limit: 1, lines: {lines}}}}}, {node(log, 'z')}]"


def group(log: Path) -> str:
    return f"[{{id: g, group: [{node(log, 'a')}, {node(log, 'b')}]}}, {node(log, 'z')}]"


def switch(log: Path) -> str:
    branch = "{id: s, switch: [{when: '${1 > 2}', goto: b}, {else: c}]}"
    return f"[{node(log, 'a')}, {branch}, {node(log, 'b', ', next: end')}, {node(log, 'c')}]"


def retry(log: Path) -> str:
    shaky = "{id: shaky, call: demo.fail, with: {message: no, times: 1}, retry: {times: 5, delay: 10ms}}"
    return f"[{node(log, 'a')}, {shaky}, {node(log, 'z')}]"


SHAPES = {"chain": chain, "parallel": parallel, "group": group, "switch": switch, "retry": retry}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_kill_at_a_commit_loses_or_repeats_recorded_work(shape: str, when: str, tmp_path: Path) -> None:
    number = 0
    killed = True
    while killed:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        log, flow, url = folder / "log", folder / "flow.yaml", f"sqlite:///{folder}/runs.db"
        flow.write_text(f"flow: {shape}\nline: {SHAPES[shape](log)}\n", encoding="utf-8")
        command = [sys.executable, "-c", VICTIM, url, str(flow), str(number), when]
        killed = subprocess.run(command, check=False).returncode != 0
        check(url, flow, log)
    assert number > LEAST


def check(url: str, flow: Path, log: Path) -> None:
    with orderlines.Engine(url) as engine:
        run = engine.start(orderlines.load(flow), key="once")
        assert run.wait(20) == "SUCCESS", run.error
        tasks = list(engine.store.tasks(run.row.id))
        assert len(engine.store.runs(10)) == 1
        assert engine.store.lines(run.row.id)[0].status == "SUCCESS"
    visits = [(kept.line, kept.task.node, kept.task.visit) for kept in tasks]
    assert len(visits) == len(set(visits))
    done = log.read_text(encoding="utf-8").split()
    appended = {kept.task.node: kept.task.attempt for kept in tasks if kept.task.node in done}
    # a task in flight at the kill may run once more, as its attempts say; none runs after its completion was recorded
    for name, attempts in appended.items():
        assert 1 <= done.count(name) <= attempts
