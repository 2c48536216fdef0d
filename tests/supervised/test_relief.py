"""While an inline call keeps the driver's thread, other lines go on: the call ends only when one of them says so."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OPEN = "{id: o, call: acts.append, with: {log: GATE, line: x}, executor: thread}"
FLOW = """\
flow: beside
line:
  - id: p
    parallel:
      lines:
        a: [{id: long, call: acts.gate, with: {log: LOG, gate: GATE}, executor: inline}]
        b: [%s, %s]
"""
BY_ITSELF = {
    "calls": "{id: w, call: acts.append, with: {log: LOG, line: w}, executor: thread}",
    "a delay": "{id: w, delay: 0.2}",
    "a retry": "{id: w, call: acts.shaky, with: {log: LOG, line: w}, executor: thread, retry: {times: 2, delay: 0.2}}",
    "a timeout of a group": "{id: w, group: [{id: s, signal: never}], timeout: 0.2, on_error: {goto: o}}",
    "a timeout of a call": "{id: w, call: acts.spin, with: {log: LOG}, timeout: 0.2, on_error: {goto: o}}",
}
BY_COMMAND = {
    "a signal": ("signal", "w"),
    "a skip": ("skip", "w"),
}


@pytest.mark.parametrize("node", BY_ITSELF.values(), ids=BY_ITSELF.keys())
def test_what_comes_due_goes_on_beside_an_inline_call(node: str, shell: Any) -> None:
    done = shell.call("run", "--json", shell.flow(FLOW % (node, OPEN)))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", BY_COMMAND.values(), ids=BY_COMMAND.keys())
def test_what_people_ask_for_is_done_beside_an_inline_call(command: tuple[str, str], shell: Any) -> None:
    process = shell.start("run", "--json", shell.flow(FLOW % ("{id: w, signal: go}", OPEN)))
    shell.await_lines("gate")
    what, node = command
    asked = shell.call(what, shell.run(), node)
    assert asked.returncode == 0, asked.stderr
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err


def test_a_call_that_a_relief_could_begin_waits_for_the_driver_s_thread(shell: Any) -> None:
    """One inline call at a time, in one thread, whoever drives."""
    inline = "{id: o, call: acts.append, with: {log: LOG, line: o}, executor: inline}"
    process = shell.start("run", "--json", shell.flow(FLOW % ("{id: w, signal: go}", inline)))
    shell.await_lines("gate")
    shell.call("signal", shell.run(), "w")
    until(lambda: "w" in shell.done(), "the signal is taken")
    assert shell.lines() == ["gate"]
    shell.gate.touch()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert shell.lines() == ["gate", "o"]


_opened = threading.Event()


@orderlines.component
def hold() -> bool:
    """Return once another call has opened the way."""
    return _opened.wait(60)


@orderlines.component
def free() -> None:
    """Open the way."""
    _opened.set()


def test_another_run_of_the_same_program_goes_on_beside_an_inline_call(tmp_path: Path) -> None:
    first, second = orderlines.Flow("first"), orderlines.Flow("second")
    first.call("a", hold, executor="inline")
    second.call("a", free, executor="thread")
    _opened.clear()
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        held, freeing = engine.start(first.build()), engine.start(second.build())
        assert (freeing.wait(60), held.wait(60)) == ("SUCCESS", "SUCCESS")
        assert held.tasks()[0]["result"] is True


WAITING = """\
flow: waiting
line:
  - id: p
    parallel:
      executor: inline
      lines:
        a: [{id: long, call: acts.gate, with: {log: LOG, gate: GATE}}]
        b: [{id: x, call: acts.append, with: {log: LOG, line: x}}]
        c: [{id: y, call: acts.append, with: {log: LOG, line: y}, on_crash: fail}]
"""


def test_calls_that_wait_for_the_driver_s_thread_do_not_begin_in_a_paused_run(shell: Any) -> None:
    process = shell.start("run", "--json", shell.flow(WAITING))
    shell.await_lines("gate")
    shell.call("pause", shell.run())

    def calling() -> list[str]:
        return [line.path for line in shell.store.lines(shell.store.runs(1)[0].id) if line.status == "CALL"]

    until(lambda: calling() == ["/p#1/a"], "what waits is taken back")
    shell.gate.touch()
    until(lambda: shell.done() == ["long"], "what goes on is recorded")
    assert shell.lines() == ["gate"]
    shell.call("resume", shell.run())
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert sorted(shell.lines()) == ["gate", "x", "y"]
    assert {task["node"]: task["attempt"] for task in json.loads(out)["tasks"]} == dict.fromkeys(
        ("p", "long", "x", "y"), 1
    )


def test_calls_behind_a_long_one_have_not_begun(shell: Any) -> None:
    """They are not shown as going on, and the death of the process is none of theirs."""
    process = shell.start("run", "--json", shell.flow(WAITING))
    shell.await_lines("gate")

    def running() -> list[str]:
        return [task["node"] for task in shell.read("status", "last")["tasks"] if task["status"] == "RUNNING"]

    until(lambda: running() == ["long"], "only what goes on is shown as that")
    process.kill()
    process.communicate()
    shell.gate.touch()
    assert shell.call("recover").returncode == 0
    attempts = {task["node"]: task["attempt"] for task in shell.read("status", "last")["tasks"]}
    assert attempts == {"p": 1, "long": 2, "x": 1, "y": 1}


_engine: list[orderlines.Engine] = []
_tried: list[str] = []


@orderlines.component
def pause(number: int) -> None:
    """Pause the first run, at the moment at which this call begins, and keep the thread until others are held back."""
    store = _engine[0].store
    store.wish(number, "pause")
    until(lambda: {line.status for line in store.lines(number)} == {"JOIN", "CALL", "READY"}, "none has begun")


@orderlines.component
def act(name: str) -> None:
    """Take note of a call."""
    _tried.append(name)


def _behind(flow: orderlines.Flow, first: Callable[[int], None]) -> orderlines.Flow:
    with flow.parallel("p", executor="inline") as parallel:
        with parallel.line("a") as line:
            line.call("first", first, with_={"number": 1})
        for name in "xy":
            with parallel.line(name) as line:
                line.call(name, act, with_={"name": name})
    return flow


def test_a_pause_that_comes_before_they_are_held_back_makes_no_attempt_of_them(tmp_path: Path) -> None:
    """The driver does not know of it yet when it writes that they have not begun."""
    _tried.clear()
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        _engine[:] = [engine]
        run = engine.start(_behind(orderlines.Flow("pausing"), pause).build())
        assert run.row.id == 1
        until(
            lambda: [task["node"] for task in run.tasks() if task["status"] == "SUCCESS"] == ["first"], "it is paused"
        )
        assert not _tried
        engine.store.resume(1)
        assert run.wait(60) == "SUCCESS"
        assert sorted(_tried) == ["x", "y"]
        assert {task["attempt"] for task in run.tasks()} == {1}


@orderlines.component
def linger(number: int) -> None:
    """Keep the thread until others are held back."""
    store = _engine[0].store
    until(lambda: len([line for line in store.lines(number) if line.status == "CALL"]) == 1, "none has begun")


def test_what_is_held_back_stays_with_its_driver(tmp_path: Path) -> None:
    """Nobody has to claim it and to read what it knows."""
    _tried.clear()
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        _engine[:] = [engine]
        run = engine.start(_behind(orderlines.Flow("waiting"), linger).build())
        assert (run.wait(60), run.row.id) == ("SUCCESS", 1)
        assert sorted(_tried) == ["x", "y"]
        assert len({line.epoch for line in engine.store.lines(1) if line.parent is not None}) == 1


TELLING = """\
flow: telling
line:
  - id: p
    parallel:
      executor: inline
      on_branch_failure: wait
      lines:
        a:
          - {id: q, call: acts.append, with: {log: LOG, line: q}}
          - {id: long, call: acts.gate, with: {log: LOG, gate: GATE}}
        b:
          - id: bad
            call: acts.shaky
            with: {log: LOG, line: bad}
            on_failure: {call: acts.append, with: {log: LOG, line: told}}
    on_error: skip
"""


def test_an_on_failure_call_behind_a_long_one_has_not_begun(shell: Any) -> None:
    process = shell.start("run", "--json", shell.flow(TELLING))
    shell.await_lines("q", "gate")

    def standing() -> list[tuple[str, int]]:
        return [(line.status, line.attempt) for line in shell.store.lines(1) if line.path == "/p#1/b"]

    until(lambda: standing() == [("HANDLER", 0)], "it is held back")
    shell.gate.touch()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert shell.lines() == ["q", "gate", "told"]
    told = [task for task in json.loads(out)["tasks"] if task["node"] == "bad:on_failure"]
    assert [(task["status"], task["attempt"]) for task in told] == [("SUCCESS", 1)]
