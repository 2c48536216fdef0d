"""`orderlines run` drives in a process that it can end: stops, time-outs and SIGTERM, whatever the call does."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.processes.proc import descendants, read_stat
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Iterable

INLINE = "flow: one\nline:\n  - {id: a, call: acts.%s, with: {log: LOG}, grace: %s}\n"
CALLS = [
    pytest.param("spin", "5", ["spin"], id="spins"),
    pytest.param("ignore", "0.2", ["ignore"], id="ignores"),
    pytest.param("obey", "5", ["obey", "obeyed"], id="takes a context"),
]
GATE = """\
flow: gate
line:
  - {id: a, call: acts.gate, with: {log: LOG, gate: GATE}%s}
  - {id: z, call: acts.append, with: {log: LOG, line: z}}
"""


def await_end(pids: Iterable[int]) -> None:
    """Wait until none of these processes lives."""

    def gone() -> bool:
        stats = map(read_stat, pids)
        return all(stat is None or stat.dead for stat in stats)

    until(gone, "all processes have ended")


def told(document: Any) -> dict[str, tuple[str, int]]:
    return {task["node"]: (task["status"], task["attempt"]) for task in document["tasks"]}


@pytest.mark.parametrize(("call", "grace", "lines"), CALLS)
def test_stop_ends_an_inline_call(call: str, grace: str, lines: list[str], shell: Any) -> None:
    process = shell.start("run", "--json", shell.flow(INLINE % (call, grace)))
    shell.await_lines(call)
    family = descendants(process.pid)
    stopped = shell.call("stop", "--json", shell.run())
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert json.loads(out) == json.loads(stopped.stdout)
    assert told(json.loads(out)) == {"a": ("STOP", 1)}
    assert shell.lines() == lines
    await_end(family)


@pytest.mark.parametrize(("call", "grace", "lines"), CALLS)
def test_ctrl_c_ends_an_inline_call(call: str, grace: str, lines: list[str], shell: Any) -> None:
    process = shell.start("run", "--json", shell.flow(INLINE % (call, grace)))
    shell.await_lines(call)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert told(json.loads(out)) == {"a": ("STOP", 1)}
    assert shell.lines() == lines


def test_a_second_ctrl_c_does_not_wait_for_the_grace(shell: Any) -> None:
    process = shell.start("run", "--json", shell.flow(INLINE % ("ignore", "1h")))
    shell.await_lines("ignore")
    process.send_signal(signal.SIGINT)
    assert "goes on" in process.stderr.readline()
    assert "press Ctrl-C again" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert told(json.loads(out)) == {"a": ("STOP", 1)}


@pytest.mark.parametrize(("call", "grace", "lines"), CALLS)
def test_a_runs_timeout_ends_an_inline_call(call: str, grace: str, lines: list[str], shell: Any) -> None:
    head = "timeout: 1s\non_failure: {call: acts.append, with: {log: LOG, line: '${error.type}'}}\n"
    done = shell.call("run", "--json", shell.flow(head + INLINE % (call, grace)))
    document = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    assert (document["status"], document["error"]["type"]) == ("FAILURE", "Timeout")
    assert told(document) == {"a": ("STOP", 1), "a:on_failure": ("SUCCESS", 1)}
    assert shell.lines() == [*lines, "Timeout"]


def test_a_stop_spares_the_context_of_a_call_behind_which_others_wait(shell: Any) -> None:
    lines = "x: [{id: x, call: acts.obey, with: {log: LOG}}], y: [{id: y, call: acts.spin, with: {log: LOG}}]"
    process = shell.start(
        "run", "--json", shell.flow(f"flow: two\nline:\n  - {{id: p, parallel: {{lines: {{{lines}}}}}}}\n")
    )
    shell.await_lines("obey")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert shell.lines() == ["obey", "obeyed"]
    tasks = {"y": ("STOP", 1), **told(json.loads(out))}  # Of what was taken back before the stop nothing is told.
    assert {node: status for node, (status, _) in tasks.items()} == dict.fromkeys("pxy", "STOP")


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_sigterm_gives_a_call_back(executor: str, shell: Any) -> None:
    """SIGTERM to the engine: `run` ends with 143 and the command that recovers."""
    process = shell.start("run", "--json", shell.flow(GATE % f", grace: 0.2, executor: {executor}"))
    shell.await_lines("gate")
    family = descendants(process.pid)
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert out == ""
    assert f"orderlines recover --store {shell.url}" in err
    await_end(family)
    (line,) = shell.store.lines(1)
    assert (line.owner, line.attempt, line.crashes) == (None, 1, 0)
    shell.gate.touch()
    assert shell.call("recover").returncode == 0
    document = shell.read("status", shell.run())
    assert document["status"] == "SUCCESS"
    assert told(document) == {"a": ("SUCCESS", 1), "z": ("SUCCESS", 1)}
    assert shell.lines() == ["gate", "gate", "z"]


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_call_that_ends_within_its_grace_is_recorded(executor: str, shell: Any) -> None:
    first = f"{{id: a, call: acts.linger, with: {{log: LOG, seconds: 1}}, grace: 60, executor: {executor}}}"
    then = "{id: b, call: acts.gate, with: {log: LOG, gate: GATE}, grace: 0.2}"
    process = shell.start("run", shell.flow(f"flow: two\nline:\n  - {first}\n  - {then}\n"))
    shell.await_lines("linger")
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert [(kept.task.node, kept.task.status) for kept in shell.store.tasks(1)] == [("a", "SUCCESS")]
    shell.gate.touch()
    assert shell.call("recover").returncode == 0
    assert told(shell.read("status", shell.run())) == {"a": ("SUCCESS", 1), "b": ("SUCCESS", 1)}
    assert shell.lines().count("linger") == 1


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_sigterm_fails_a_call_that_may_run_at_most_once(executor: str, shell: Any) -> None:
    process = shell.start("run", shell.flow(GATE % f", grace: 0.2, executor: {executor}, on_crash: fail"))
    shell.await_lines("gate")
    process.terminate()
    assert process.wait(60) == 143
    shell.call("recover")
    document = shell.read("status", shell.run())
    assert document["status"] == "FAILURE"
    assert document["error"]["message"] == "it was ended with its engine"
    assert told(document) == {"a": ("FAILURE", 1)}
    assert shell.lines() == ["gate"]


@pytest.mark.parametrize("act", ["shout, with: {log: LOG, lines: 2000}", "shut, with: {log: LOG}"])
def test_standard_output_holds_the_document_alone(act: str, shell: Any) -> None:
    after = "{id: b, call: acts.shout, with: {log: LOG, lines: 1}}"
    done = shell.call("run", "--json", shell.flow(f"flow: loud\nline:\n  - {{id: a, call: acts.{act}}}\n  - {after}\n"))
    assert json.loads(done.stdout)["tasks"][0]["status"] == "SUCCESS"


def orphan(shell: Any, text: str, *lines: str) -> str:
    """Return the name of a run whose command was killed."""
    process = shell.start("run", shell.flow(text))
    shell.await_lines(*lines)
    family = descendants(process.pid)
    process.kill()
    await_end(family)
    return str(shell.run())


def test_recover_does_not_wait_for_a_paused_run(shell: Any) -> None:
    name = orphan(shell, GATE % "", "gate")
    shell.call("pause", name)
    done = shell.call("recover")
    assert (done.returncode, done.stdout.split()[1]) == (0, "PAUSED")
    assert f"orderlines resume {name} --store {shell.url}" in done.stderr
    shell.call("resume", name)
    shell.gate.touch()
    assert shell.call("recover").stdout.split()[1] == "SUCCESS"


def test_recover_leaves_a_run_that_is_paused_meanwhile_once_its_call_is_recorded(shell: Any) -> None:
    name = orphan(shell, GATE % "", "gate")
    process = shell.start("recover")
    shell.await_lines("gate", "gate")
    shell.call("pause", name)
    shell.gate.touch()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out.split()[1]) == (0, "PAUSED"), err
    assert [(kept.task.node, kept.task.status) for kept in shell.store.tasks(1)] == [("a", "SUCCESS")]


def test_recover_says_what_a_run_waits_for(shell: Any) -> None:
    lines = "- {id: a, call: acts.append, with: {log: LOG, line: a}}\n  - {id: w, signal: go}"
    name = orphan(shell, f"flow: one\nline:\n  {lines}\n", "a")
    process = shell.start("recover")
    assert f"run {name} waits for a signal at w" in process.stderr.readline()
    shell.call("signal", name, "w")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out.split()[1]) == (0, "SUCCESS"), err


@pytest.mark.parametrize("interrupts", [1, 2])
def test_ctrl_c_of_recover_gives_the_runs_back(interrupts: int, shell: Any) -> None:
    grace = {1: "0.2", 2: "1h"}[interrupts]
    name = orphan(shell, INLINE % ("ignore", grace), "ignore")
    process = shell.start("recover", "--json")
    shell.await_lines("ignore", "ignore")
    process.send_signal(signal.SIGINT)
    assert "press Ctrl-C again" in process.stderr.readline()
    if interrupts > 1:
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert f"orderlines recover --store {shell.url}" in err
    row = shell.store.run(name)
    assert (row.status, row.wish) == ("RUNNING", None)
    (line,) = shell.store.lines(1)
    assert (line.owner, line.attempt, line.state) == (None, 2, "released")
