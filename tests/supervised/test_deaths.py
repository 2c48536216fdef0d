"""What is left of a run when a process of it is killed: all of it."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.processes.proc import descendants, read_stat
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GATE = """\
flow: gate
line:
  - {id: a, call: acts.append, with: {log: LOG, line: a}}
  - {id: b, call: acts.gate, with: {log: LOG, gate: GATE}}
"""
POISON = """\
flow: poison
line:
  - id: p
    parallel:
      executor: inline
      lines:
        x: [{id: x, call: acts.append, with: {log: LOG, line: x}}]
        bad: [{id: bad, call: acts.%s, on_error: skip}]
        y: [{id: y, call: acts.append, with: {log: LOG, line: y}}]
        z: [{id: z, call: acts.append, with: {log: LOG, line: z}}]
"""
CHAIN = """\
flow: chain
line:
  - {id: a, call: acts.append, with: {log: LOG, line: a}}
  - {id: p, parallel: {lines: {x: [{id: x, call: acts.append, with: {log: LOG, line: x}}],
                               y: [{id: y, call: acts.append, with: {log: LOG, line: y}, executor: process}]}}}
  - {id: z, call: acts.append, with: {log: LOG, line: z}}
"""
DEATHS = ["leave, with: {log: LOG, code: 3}", "crash, with: {log: LOG}"]


def attempts(document: Any) -> dict[str, int]:
    return {task["node"]: task["attempt"] for task in document["tasks"]}


def parent(pid: int) -> int:
    stat = read_stat(pid)
    assert stat is not None
    return stat.parent


def kill_driver(shell: Any) -> None:
    (driver,) = shell.drivers()
    os.kill(driver, signal.SIGKILL)


def kill_keeper(shell: Any) -> None:
    (driver,) = shell.drivers()
    os.kill(parent(driver), signal.SIGKILL)


def hold_keeper(shell: Any) -> None:
    """Stop the keeper, which can then tell no end of the driver; it is killed in the test."""
    (driver,) = shell.drivers()
    os.kill(parent(driver), signal.SIGSTOP)


def hold_keeper_and_kill_driver(shell: Any) -> None:
    hold_keeper(shell)
    kill_driver(shell)


def take_lease(shell: Any) -> None:
    (driver,) = shell.store.drivers()
    shell.store.dismiss([driver.id])


@pytest.mark.parametrize("strike", [kill_driver, kill_keeper, hold_keeper_and_kill_driver, take_lease])
def test_another_driver_goes_on(strike: Callable[[Any], None], shell: Any) -> None:
    process = shell.start("run", "--json", shell.flow(GATE))
    shell.await_lines("a", "gate")
    strike(shell)
    shell.await_lines("a", "gate", "gate")
    shell.gate.touch()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert attempts(json.loads(out)) == {"a": 1, "b": 2}
    assert shell.drivers() == []


def test_a_keeper_that_is_held_keeps_no_run_from_its_end(shell: Any) -> None:
    process = shell.start("run", "--json", shell.flow(GATE))
    shell.await_lines("a", "gate")
    family = descendants(process.pid)
    hold_keeper(shell)
    shell.gate.touch()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert attempts(json.loads(out)) == {"a": 1, "b": 1}
    until(lambda: all((stat := read_stat(pid)) is None or stat.dead for pid in family), "nothing is left")


@pytest.mark.parametrize("again", [["recover"], ["run", "flow.yaml", "--key", "k"]], ids=["recover", "the same key"])
def test_nothing_is_left_of_a_killed_command_but_its_run(again: list[str], shell: Any) -> None:
    process = shell.start("run", shell.flow(GATE), "--key", "k")
    shell.await_lines("a", "gate")
    family = descendants(process.pid)
    process.kill()
    until(lambda: all((stat := read_stat(pid)) is None or stat.dead for pid in family), "all have ended")
    shell.gate.touch()
    done = shell.call(*again)
    assert done.returncode == 0, done.stderr
    document = shell.read("status", shell.run())
    assert document["status"] == "SUCCESS"
    assert attempts(document) == {"a": 1, "b": 2}
    assert shell.lines() == ["a", "gate", "gate"]


@pytest.mark.parametrize("call", DEATHS, ids=["os._exit", "SIGSEGV"])
def test_a_call_that_brings_its_process_down_fails_and_its_neighbours_do_not(call: str, shell: Any) -> None:
    done = shell.call("run", "--json", shell.flow(POISON % call))
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    status = {task["node"]: task["status"] for task in document["tasks"]}
    assert status == {"p": "SUCCESS", "x": "SUCCESS", "y": "SUCCESS", "z": "SUCCESS", "bad": "SKIP"}
    (bad,) = (task for task in document["tasks"] if task["node"] == "bad")
    assert bad["error"]["type"] == "ProcessDied"
    assert shell.lines().count(call.partition(",")[0]) == attempts(document)["bad"] == 3
    for node in "xyz":
        assert 1 <= shell.lines().count(node) <= attempts(document)[node]


@pytest.mark.parametrize("call", DEATHS, ids=["os._exit", "SIGSEGV"])
def test_a_call_that_may_run_at_most_once_does(call: str, shell: Any) -> None:
    done = shell.call(
        "run", "--json", shell.flow(f"flow: once\nline:\n  - {{id: a, call: acts.{call}, on_crash: fail}}\n")
    )
    assert done.returncode == 1, done.stderr
    assert attempts(json.loads(done.stdout)) == {"a": 1}
    assert len(shell.lines()) == 1


def test_an_on_failure_call_that_brings_its_process_down_ends(shell: Any) -> None:
    head = "flow: sad\non_failure: {call: acts.crash, with: {log: LOG}}\n"
    text = f"{head}line:\n  - {{id: a, call: demo.fail, with: {{message: no, times: 9}}}}\n"
    done = shell.call("run", "--json", shell.flow(text))
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert {task["node"]: task["status"] for task in document["tasks"]} == {"a": "FAILURE", "a:on_failure": "FAILURE"}
    assert document["error"]["message"] == "no"
    assert shell.lines() == ["crash"] * 3


def test_drivers_that_end_before_a_step_are_not_started_for_ever(shell: Any) -> None:
    done = shell.call("run", shell.flow("flow: deep\nline:\n  - {id: a, abyss: exit}\n"))
    assert done.returncode == 2
    assert "again and again: exit code 7" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_joins_a_run_ends_with_it(shell: Any) -> None:
    command = ["run", "--json", shell.flow(GATE), "--key", "k"]
    first = shell.start(*command)
    shell.await_lines("a", "gate")
    second = shell.start(*command)
    until(lambda: len(shell.drivers()) == 2, "both drive")
    shell.gate.touch()
    told = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    assert json.loads(told[0]) == json.loads(told[1])
    assert shell.lines() == ["a", "gate"]


def test_who_joins_a_run_takes_over(shell: Any) -> None:
    command = ["run", "--json", shell.flow(GATE), "--key", "k"]
    first = shell.start(*command)
    shell.await_lines("a", "gate")
    second = shell.start(*command)
    until(lambda: len(shell.drivers()) == 2, "both drive")
    first.kill()
    shell.await_lines("a", "gate", "gate")
    shell.gate.touch()
    out, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    assert attempts(json.loads(out)) == {"a": 1, "b": 2}


@pytest.mark.parametrize("when", ["before", "after"])
def test_no_kill_of_the_driver_at_a_commit_is_noticed(when: str, shell: Any, tmp_path: Path) -> None:
    """Engine killed before and after each commit, under a supervisor: another driver goes on at once."""
    number, killed = 0, tmp_path / "killed"
    while number == 0 or killed.exists():
        number += 1
        killed.unlink(missing_ok=True)
        shell.log.unlink(missing_ok=True)
        shell.environment.update(KILL=f"{number} {when}", KILLED=str(killed))
        url = f"killing:///{tmp_path}/{number}.db"
        done = shell.call("run", "--json", "--store", url, shell.flow(CHAIN))
        assert done.returncode == 0, (number, done.stderr)
        for node, most in attempts(json.loads(done.stdout)).items():
            assert node == "p" or 1 <= shell.lines().count(node) <= most
    assert number > 4


NESTED = """\
flow: nested
vars: {n: 1}
line:
  - {id: s, call: acts.append, with: {log: LOG, line: s}, set: {n: 2}}
  - id: p
    parallel:
      lines:
        x: [{id: g, group: [{id: x, call: acts.gate, with: {log: LOG, gate: GATE}}]}]
        y: [{id: y, delay: 1h}]
        z: [{id: e, foreach: [1, 2, 3], as: i, limit: 1, line: [{id: w, signal: go}]}]
"""


def test_a_run_whose_plugin_is_gone_can_be_stopped_and_retried_once_it_is_back(shell: Any) -> None:
    process = shell.start("run", shell.flow(NESTED))
    shell.await_lines("s", "gate")
    family = descendants(process.pid)
    process.kill()
    until(lambda: all((stat := read_stat(pid)) is None or stat.dead for pid in family), "all have ended")
    shell.environment["ORDERLINES_PLUGINS_DENY"] = "acts"
    refused = shell.call("recover")
    assert (refused.returncode, "acts" in refused.stderr) == (2, True)
    shell.store.wish(1, "stop")
    recovered = shell.call("recover")
    assert recovered.returncode == 0, recovered.stderr
    assert recovered.stdout.split()[1] == "STOP"
    (run,) = shell.store.runs(2)
    assert json.loads(run.variables) == {"n": 2}
    del shell.environment["ORDERLINES_PLUGINS_DENY"]
    shell.gate.touch()
    again = shell.start("retry", run.name)
    shell.await_lines("s", "gate", "gate")
    shell.call("stop", run.name)
    again.communicate(timeout=60)
    tasks = {kept.task.node: kept.task.status for kept in shell.store.tasks(1)}
    assert tasks == {**dict.fromkeys("sxg", "SUCCESS"), **dict.fromkeys("pyew", "STOP")}
