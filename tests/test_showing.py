"""What people are told of a run: what it waits for, why something did not run, and what to do when it has failed."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.cli.following import Pieces
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Shell

WAITS = """
flow: waits
vars: {who: nobody}
line:
  - id: p
    parallel:
      lines:
        a: [{id: hour, delay: 1h}]
        b: [{id: sign, signal: approved, timeout: 2h}]
        c: [{id: again, call: demo.fail, with: {message: boo, times: 9}, retry: {times: 3, delay: 1h}}]
"""
FAILS = "flow: fails\nline: [{id: b, call: demo.fail, with: {message: boo, times: 9}}]\n"
SUB = "flow: outer\nline: [{id: enter, flow: ./sub.yaml}]\n"
GRAPH = """
flow: g
line:
  - id: g
    graph:
      on_branch_failure: wait
      nodes:
        - {id: a, call: demo.fail, with: {message: boo, times: 9}}
        - {id: b, call: demo.echo, with: {value: 1}}
        - {id: c, after: [a, b], call: demo.echo, with: {value: 1}}
        - {id: d, after: [c], call: demo.echo, with: {value: 1}}
        - {id: e, after: [b], call: demo.echo, with: {value: 1}}
"""
STORE = "sqlite:///.orderlines/orderlines.db"


def tasks_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {task["node"]: task for task in document["tasks"]}


def on_a_terminal(shell: Shell, *arguments: str) -> str:
    """Run a command to its end on a terminal of 80 columns, and return what it shows, without control sequences."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "orderlines.cli.main", *arguments]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    with subprocess.Popen(command, cwd=shell.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        shown = b"".join(_read(ours))
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", shown.decode())


def _read(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:  # nobody has the other end any more
            return
        if not piece:
            return
        yield piece


@pytest.mark.parametrize(
    ("leader", "code"),
    [
        pytest.param([], 74, id="no signal"),  # What was to be shown is lost.
        pytest.param(["setsid", "--ctty", "sh", "-c", "trap '' HUP; exec \"$@\"", "-"], 74, id="ignored"),
        pytest.param(["setsid", "--ctty"], 143, id="hang-up"),
    ],
)
def test_a_terminal_may_go_in_the_middle_of_a_run(leader: list[str], code: int, shell: Shell) -> None:
    flow = shell.flow("flow: f\nline: [{id: a, signal: go}, {id: b, call: demo.echo, with: {value: 1}}]")
    ours, theirs = pty.openpty()
    command = [*leader, sys.executable, "-m", "orderlines.cli.main", "run", str(flow)]
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(
        command, cwd=shell.folder, env=environment, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, text=True
    ) as process:
        os.close(theirs)
        shown = b""
        while b"signal" not in shown:
            shown += os.read(ours, 65536)
        os.close(ours)
        if code == 143:
            process.wait(60)
        assert shell.call("signal", "last", "a").code == 0
        _, told = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in told) == (code, False)
    status = shell.call("status", "last", "--json").document["status"]
    assert status == ("RUNNING" if code == 143 else "SUCCESS")


@pytest.fixture
def waiting(shell: Shell) -> Shell:
    """The folder of a run whose lines all wait."""
    shell.begin("run", shell.flow(WAITS))

    def waits() -> bool:
        done = shell.call("status", "last", "--json")
        tasks = {} if done.code else tasks_of(done.document)
        return [tasks.get(node, {}).get("status") for node in ("hour", "sign", "again")] == ["WAITING"] * 2 + ["RETRY"]

    until(waits, "all lines wait")
    return shell


def test_a_task_that_waits_says_for_what(waiting: Shell) -> None:
    document = waiting.call("status", "last", "--json").document
    tasks = tasks_of(document)
    for node, hours in {"hour": 1, "sign": 2, "again": 1}.items():
        waits = datetime.fromisoformat(tasks[node]["until"]) - datetime.fromisoformat(tasks[node]["started"])
        assert waits.total_seconds() == pytest.approx(3600 * hours, abs=60), node
    assert [tasks[node].get("signal") for node in ("hour", "sign", "again")] == [None, "approved", None]
    assert (tasks["again"]["attempt"], tasks["again"]["error"]["message"]) == (1, "boo")
    assert document["variables"] == {"who": "nobody"}
    text = waiting.call("status", "last").out
    assert re.search(r"hour  WAITING  [\dmin. ]+ s  until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n", text)
    assert re.search(r"sign  WAITING  [\dmin. ]+ s  for the signal approved  until [\d :-]+ UTC\n", text)
    assert re.search(r"again  RETRY  [\dmin. ]+ s  next attempt at [\d :-]+ UTC  \w+: boo\n", text)


def test_the_command_that_is_shown_sends_the_signal(waiting: Shell) -> None:
    name = waiting.runs()[0]
    told = waiting.call("status", "last").out.splitlines()[-1]
    assert told == f"p#1/b/sign goes on with: orderlines signal {name} 'p#1/b/sign' --store {STORE}"
    assert waiting.call("pause", "last").code == 0
    assert waiting.call("signal", name, "p#1/b/sign").code == 0
    assert re.search(r"sign  WAITING  [\dmin. ]+ s  its signal has come\n", waiting.call("status", "last").out)
    assert waiting.call("resume", "last").code == 0
    until(lambda: "sign  SUCCESS" in waiting.call("status", "last").out, "it has gone on")


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["lines", "json"])
def test_without_a_terminal_a_run_is_named_while_it_goes_on(options: list[str], shell: Shell) -> None:
    process = shell.begin("run", *options, shell.flow("flow: w\nline: [{id: s, signal: go}]\n"))
    stderr = process.stderr
    assert stderr is not None
    until(lambda: bool(select.select([stderr], [], [], 0)[0]), "something is said")
    told = stderr.readline()
    (name,) = shell.runs()
    assert told == f"run {name} goes on; watch it with: orderlines status {name} --watch --store {STORE}\n"
    assert shell.call("stop", name).code == 0
    ended = shell.finish(process)
    assert ended.code == 3
    assert (ended.document["run"] if options else ended.out.split()[-1]) == name


@pytest.mark.parametrize("flow", [FAILS, SUB], ids=["own", "sub-flow"])
def test_a_failure_is_told_the_same_everywhere(flow: str, shell: Shell) -> None:
    (shell.folder / "sub.yaml").write_text(FAILS, encoding="utf-8")
    ran = shell.call("run", shell.flow(flow))
    name = shell.runs()[0]
    error = next(line for line in ran.out.splitlines() if line.startswith("error at "))
    told = [
        shell.call("status", "last").out,
        shell.call("status", "last", "--watch").out,
        ran.out,
        on_a_terminal(shell, "status", "last", "--watch"),
        shell.call("retry", "last").out,
        on_a_terminal(shell, "retry", "last"),
    ]
    for text in told:
        lines = text.splitlines()
        place = next(number for number, line in enumerate(lines) if line.startswith("last lines of "))
        assert lines[place - 1] == error, text
        assert "Traceback (most recent call last):" in lines[place + 1]
        assert f"once that is mended: orderlines retry {name} --store {STORE}" in lines[place:]
    assert ran.code == 1


def test_what_a_graph_did_not_run_is_told_with_the_reason(shell: Shell) -> None:
    assert shell.call("run", shell.flow(GRAPH)).code == 1
    done = shell.call("status", "last", "--json").document
    tasks = tasks_of(done)
    assert (tasks["e"]["status"], "c" in tasks, "d" in tasks) == ("SUCCESS", False, False)
    assert tasks["g"]["not_run"] == [{"node": "c", "because": ["a"]}, {"node": "d", "because": ["a"]}]
    assert "2 not run as a did not succeed: c, d" in shell.call("status", "last").out


@pytest.mark.usefixtures("kit")
@pytest.mark.parametrize("executor", ["inline", "process"])
def test_what_is_printed_above_the_tree_is_whole(executor: str, shell: Shell) -> None:
    """A pipe hands over 64 KB at once, which may end within a character; this is three times as much."""
    text = "\u5bbd" * 60_000
    node = {"id": "a", "call": "kit.tell_and_wait", "with": {"text": text, "path": "."}, "executor": executor}
    shown = on_a_terminal(shell, "run", str(shell.flow(json.dumps({"flow": "wide", "line": [node]}))))
    assert shown.count("\u5bbd") == len(text)
    assert "\\x" not in shown


def test_a_line_waits_a_moment_for_its_end() -> None:
    pieces = Pieces()
    wide = "\u5bbd".encode()
    assert pieces.add(b"one\ntw" + wide[:1], 0.0) == "one\n"
    assert pieces.add(wide[1:] + b"o\nth", 0.2) == "tw\u5bbdo\n"
    assert pieces.add(b"r", 0.4) == ""
    assert pieces.add(b"ee", 0.6) == "three"
    assert pieces.add(b"", 0.9) == ""
    assert pieces.add(b"four" + wide[:2], 1.0) == ""
    assert pieces.add(b"", 1.1, last=True) == "four\\xe5\\xae"
