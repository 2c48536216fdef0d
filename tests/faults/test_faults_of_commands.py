"""What a call may do to the command that runs it, and what the command's own death may do to its calls."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.capture import LIMIT
from orderlines.testing.bench import PATIENCE, until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran, Shell

    Beside = Callable[..., Path]
    Crash = Callable[[int, str, str], list[dict[str, Any]]]
    Begin = Callable[[Path, Callable[[], bool]], subprocess.Popen[str]]

pytestmark = pytest.mark.usefixtures("kit")
EXECUTORS = ["inline", "thread", "gevent", "process"]
APART = ["gevent", "process"]
"""Executors whose calls run in processes of their own."""
GOOD = {"call": "kit.add", "with": {"a": 1, "b": 2}}
MEGABYTES = 1_024 if os.environ.get("ORDERLINES_CHAOS") else 50


def tasks_of(done: Ran) -> dict[str, dict[str, Any]]:
    return {task["node"]: task for task in done.document["tasks"]}


def kept(shell: Shell) -> dict[str, Any]:
    """Return the one run as the store has it."""
    (name,) = shell.runs()
    return shell.call("status", "--json", name).document


def chain(shell: Shell, executor: str, call: dict[str, Any]) -> Path:
    """Write a flow of a call and one after it."""
    line = [{"id": "bad", **call}, {"id": "good", **GOOD}]
    return shell.flow(json.dumps({"flow": "chain", "executor": executor, "line": line}))


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize(
    ("name", "details", "message"),
    [
        ("exit_now", {"code": 3}, "exit code 3"),
        ("exit_now", {"code": 0}, "exit code 0"),
        ("crash", {}, "signal 11 (SIGSEGV)"),
        ("abort", {}, "signal 6 (SIGABRT)"),
    ],
)
def test_a_call_that_ends_its_process_is_a_failure_of_the_run(
    name: str, details: dict[str, Any], message: str, executor: str, shell: Shell, beside: Beside
) -> None:
    """os._exit, segfault, abort: failed attempt with code or signal, no neighbour harmed."""
    done = shell.call("run", "--json", beside(executor, {"call": f"kit.{name}", "with": details}, GOOD))
    assert done.code == 1, done.err
    tasks = tasks_of(done)
    assert (tasks["bad"]["status"], tasks["bad"]["error"]["type"]) == ("FAILURE", "ProcessDied")
    assert message in tasks["bad"]["error"]["message"]
    assert (tasks["good"]["status"], tasks["good"]["result"]) == ("SUCCESS", 3)
    assert done.document["error"]["node"] == "p"
    assert "Traceback" not in done.err
    shell.left_alone()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_what_a_call_prints_never_mixes_with_the_document(executor: str, shell: Shell) -> None:
    done = shell.call("run", "--json", chain(shell, executor, {"call": "kit.speak", "with": {"text": "to the log"}}))
    assert done.code == 0, done.err
    assert done.document["status"] == "SUCCESS"
    assert "to the log" in done.err
    shell.left_alone()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_call_that_prints_without_end_does_not_harm_the_run(executor: str, shell: Shell) -> None:
    """1 GB on standard output: log cut at a limit, with a mark; the run goes on."""
    done = shell.call("run", "--json", chain(shell, executor, {"call": "kit.shout", "with": {"megabytes": MEGABYTES}}))
    assert done.code == 0, done.err[-1000:]
    tasks = tasks_of(done)
    assert (tasks["bad"]["result"], tasks["good"]["result"]) == (MEGABYTES, 3)
    assert LIMIT < len(done.err) < LIMIT + 10_000
    assert "bytes left out" in done.err
    shell.left_alone()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_call_that_closes_its_output_changes_nothing(executor: str, shell: Shell) -> None:
    """Closes fd 1: the run goes on."""
    done = shell.call("run", "--json", chain(shell, executor, {"call": "kit.close_output"}))
    assert kept(shell)["status"] == "SUCCESS"
    assert done.code == 0, done.err
    assert [task["status"] for task in done.document["tasks"]] == ["SUCCESS", "SUCCESS"]
    shell.left_alone()


def test_a_call_that_cuts_its_driver_off_is_a_failure_and_no_hang(shell: Shell) -> None:
    done = shell.call("run", "--json", chain(shell, "inline", {"call": "kit.close_descriptors", "on_error": "skip"}))
    assert done.code == 0, done.err
    tasks = tasks_of(done)
    assert (tasks["bad"]["status"], tasks["bad"]["error"]["type"]) == ("SKIP", "ProcessDied")
    assert tasks["good"]["result"] == 3
    shell.left_alone()


@pytest.fixture
def begun(shell: Shell) -> Begin:
    """Return what starts a run and waits until something has happened in it."""

    def begin(flow: Path, happened: Callable[[], bool]) -> subprocess.Popen[str]:
        process = shell.begin("run", "--json", flow)
        until(lambda: happened() or process.poll() is not None, "the call has begun")
        return process

    return begin


@pytest.mark.parametrize(
    ("name", "executor"),
    [
        # only a main thread can ignore signals
        *(("ignore_signals", executor) for executor in APART),
        *((name, executor) for name in ("catch_everything", "spin", "spin_in_c") for executor in EXECUTORS),
    ],
)
def test_a_stop_ends_a_call_whatever_it_does(
    name: str, executor: str, shell: Shell, begun: Begin, tmp_path: Path
) -> None:
    """Ignores SIGTERM, a loop that never yields: gone at grace + 2 s."""
    mark = tmp_path / "started"
    call = {"call": f"kit.{name}", "with": {"started": str(mark)}, "grace": 0.3}
    process = begun(chain(shell, executor, call), mark.exists)
    (run,) = shell.runs()
    stopped = shell.call("stop", "--json", run)
    assert stopped.code == 0, stopped.err
    done = shell.finish(process)
    assert done.code == 3, done.err
    assert {node: task["status"] for node, task in tasks_of(done).items()} == {"bad": "STOP"}
    shell.left_alone()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_stop_ends_grandchildren_in_sessions_of_their_own(
    executor: str, shell: Shell, begun: Begin, tmp_path: Path
) -> None:
    """Starts grandchildren, `setsid` grandchildren: all gone."""
    folder = tmp_path / "family"
    folder.mkdir()
    call = {"call": "kit.leave_family", "with": {"folder": str(folder), "stay": True}, "grace": 0.3}
    process = begun(chain(shell, executor, call), lambda: len(list(folder.iterdir())) == 3)
    (run,) = shell.runs()
    assert shell.call("stop", "--json", run).code == 0
    done = shell.finish(process)
    assert done.code == 3, done.err
    shell.left_alone()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_grandchildren_do_not_outlive_their_run(executor: str, shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "family"
    folder.mkdir()
    call = {"call": "kit.leave_family", "with": {"folder": str(folder), "stay": False}}
    process = shell.begin("run", "--json", chain(shell, executor, call))
    until(lambda: process.poll() is not None, "the command ends")
    shell.left_alone()
    done = shell.finish(process)
    assert done.code == 0, done.err
    assert len(list(folder.iterdir())) == 3


@pytest.fixture
def crashed(shell: Shell, begun: Begin, tmp_path: Path) -> Crash:
    """Return what signals a command in the middle of a call, recovers the run, and returns its tasks."""
    path, go = tmp_path / "arrived", tmp_path / "go"

    def crash(number: int, executor: str, on_crash: str) -> list[dict[str, Any]]:
        call = {"call": "meet.begin", "with": {"path": str(path), "go": str(go)}, "on_crash": on_crash, "grace": 0.3}
        process = begun(chain(shell, executor, call), lambda: path.exists() and path.stat().st_size > 0)
        os.kill(process.pid, number)
        process.wait(PATIENCE)
        until(lambda: not shell.processes(), "the calls end with their engine")
        go.touch()
        recovered = shell.call("recover", "--json")
        document = kept(shell)
        assert [run["run"] for run in recovered.document["runs"]] == [document["run"]], recovered.err
        tasks: list[dict[str, Any]] = document["tasks"]
        released = 1 if number == signal.SIGTERM else 0
        assert path.stat().st_size == tasks[0]["attempt"] + released, "an attempt is one call, unless it was given back"
        shell.left_alone()
        return tasks

    return crash


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_call_in_flight_at_a_kill_runs_once_more(executor: str, crashed: Crash) -> None:
    """After the side effect, before the completion's commit: the only permitted repeat under `on_crash: rerun`."""
    bad, good = crashed(signal.SIGKILL, executor, "rerun")
    assert (bad["status"], bad["attempt"], bad["result"]) == ("SUCCESS", 2, 2)
    assert good["status"] == "SUCCESS"


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_call_in_flight_at_a_kill_never_runs_again_where_it_says_so(executor: str, crashed: Crash) -> None:
    """After the side effect, before the completion's commit: never again under `on_crash: fail`."""
    (bad,) = crashed(signal.SIGKILL, executor, "fail")
    assert (bad["status"], bad["attempt"], bad["error"]["type"]) == ("FAILURE", 1, "ProcessDied")
    assert "its process died" in bad["error"]["message"]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_call_in_flight_at_a_termination_is_released_and_not_failed(executor: str, crashed: Crash) -> None:
    """SIGTERM to the engine: nothing new is claimed, and what has not ended within its grace is released."""
    bad, good = crashed(signal.SIGTERM, executor, "rerun")
    assert (bad["status"], bad["attempt"], bad["result"]) == ("SUCCESS", 1, 2)
    assert good["status"] == "SUCCESS"
