"""Runs that are paused, resumed, signalled and stopped from another process while they go on."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.acceptance import new_run
from orderlines.draining import Drainer
from orderlines.engine import open_store
from orderlines.errors import OrderlinesError, UnknownRun
from orderlines.flow.load import load_text
from orderlines.plugins import registry
from orderlines.stores.sqlite import SQLiteStore
from orderlines.testing.bench import until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Shell

    from orderlines.stores.base import Store

EXECUTORS = ["inline", "thread", "process", "gevent"]
GATE = """
flow: gate
vars: {who: nobody}
line:
  - {id: gate, signal: approved, set: {who: "${result.by}"}}
  - {id: log, call: demo.append, with: {path: log, text: "${who}"}}
"""
DONE = "flow: done\nline: [{id: a, call: demo.echo, with: {value: 1}}]\n"

pytestmark = pytest.mark.usefixtures("kit")


class Begun:
    """A run that a command drives in another process, seen through its store."""

    def __init__(self, shell: Shell, store: Store, process: subprocess.Popen[str]) -> None:
        self.shell = shell
        self.store = store
        self.process = process

    @property
    def name(self) -> str:
        """Its name."""
        return self.store.runs(1)[0].name

    def stands(self, status: str, path: str = "", *, free: bool = False) -> bool:
        """Return whether a line has a status, and no owner where it is to be ``free``."""
        lines = [line for run in self.store.runs(1) for line in self.store.lines(run.id)]
        return any(line.path == path and line.status == status and not (free and line.owner) for line in lines)

    def wait(self, status: str, path: str = "", *, free: bool = False) -> None:
        """Wait until a line has a status."""
        until(lambda: self.stands(status, path, free=free), f"line {path or '/'} is {status}")

    def ask(self, *arguments: str) -> dict[str, Any]:
        """Run a command on it in a third process, and return the document."""
        done = self.shell.call(arguments[0], self.name, *arguments[1:], "--json")
        assert done.code == 0, done.err
        return done.document

    def end(self) -> tuple[int, dict[str, Any]]:
        """Wait for the end of the command that drives it."""
        done = self.shell.finish(self.process)
        assert done.out, done.err
        return done.code, done.document


@pytest.fixture
def begin(shell: Shell) -> Iterator[Callable[[str], Begun]]:
    """Return what starts a run in another process."""
    opened: list[Store] = []

    def begin(text: str) -> Begun:
        path = shell.flow(text)
        (shell.folder / ".orderlines").mkdir()
        opened.append(open_store(f"sqlite:///{shell.folder}/.orderlines/orderlines.db"))
        return Begun(shell, opened[0], shell.begin("run", "--json", path))

    yield begin
    for store in opened:
        store.close()


def chain(folder: Path, executor: str) -> str:
    """Return a flow whose first call lasts until it may go, and whose second leaves a mark."""
    line = [
        {"id": "hold", "call": "meet.begin", "with": {"path": f"{folder}/arrived", "go": f"{folder}/go"}},
        {"id": "log", "call": "demo.append", "with": {"path": f"{folder}/log", "text": "x"}},
    ]
    return json.dumps({"flow": "chain", "executor": executor, "line": line})


@pytest.mark.parametrize("executor", EXECUTORS)
def test_while_a_run_is_paused_what_goes_on_ends_and_nothing_begins(
    executor: str, begin: Callable[[str], Begun], tmp_path: Path
) -> None:
    run = begin(chain(tmp_path, executor))
    until((tmp_path / "arrived").exists, "the first call has begun")
    paused = run.ask("pause")
    assert (paused["status"], [task["status"] for task in paused["tasks"]]) == ("PAUSED", ["RUNNING"])
    (tmp_path / "go").touch()
    run.wait("READY", free=True)
    shown = run.ask("status")
    assert (shown["status"], [task["status"] for task in shown["tasks"]]) == ("PAUSED", ["SUCCESS"])
    assert not (tmp_path / "log").exists()
    assert run.ask("resume")["status"] in {"RUNNING", "SUCCESS"}  # it may have ended before it is shown
    code, document = run.end()
    assert (code, [task["attempt"] for task in document["tasks"]]) == (0, [1, 1])
    assert (tmp_path / "log").read_text(encoding="utf-8").split() == ["x"]


@pytest.mark.parametrize("address", ["gate", "approved"])
def test_a_signal_from_another_process_is_the_result_of_the_node(address: str, begin: Callable[[str], Begun]) -> None:
    run = begin(GATE)
    run.wait("SIGNAL")
    run.ask("signal", address, "--data", '{"by": "ana"}')
    code, document = run.end()
    assert (code, document["variables"]) == (0, {"who": "ana"})


def test_a_key_stands_for_one_signal(begin: Callable[[str], Begun]) -> None:
    run = begin(GATE)
    run.wait("SIGNAL")
    run.ask("pause")
    run.ask("signal", "gate", "--data", '{"by": "ana"}', "--key", "k")
    again = run.shell.call("signal", run.name, "gate", "--data", '{"by": "bob"}', "--key", "k")
    assert (again.code, "'k'" in again.err) == (0, True)
    run.ask("resume")
    assert run.end()[1]["variables"] == {"who": "ana"}


def test_a_run_whose_lines_all_wait_is_stopped_at_once(begin: Callable[[str], Begun]) -> None:
    run = begin(GATE)
    run.wait("SIGNAL")
    assert run.ask("stop")["status"] == "STOP"
    assert run.end()[0] == 3


@pytest.mark.parametrize("path", ["", "/f#1/0"])
def test_lines_are_told_apart_by_their_address(path: str, begin: Callable[[str], Begun]) -> None:
    run = begin("flow: two\nline: [{id: f, foreach: [1, 2], line: [{id: s, signal: go}]}]\n")
    for place in (0, 1):
        run.wait("SIGNAL", f"/f#1/{place}")
    refused = run.shell.call("signal", run.name, "s")
    assert refused.code == 2
    assert "f#1/0/s, f#1/1/s" in refused.err
    for place in (0, 1):
        run.ask("signal", f"f#1/{place}/s")
    assert run.end()[0] == 0


@pytest.mark.parametrize(
    ("node", "told"), [("log", "does not wait for signals"), ("gat", "gate"), ("f#1/0/nobody", "nobody")]
)
def test_a_signal_that_nothing_waits_for_is_refused(node: str, told: str, begin: Callable[[str], Begun]) -> None:
    run = begin(GATE)
    run.wait("SIGNAL")
    refused = run.shell.call("signal", "--json", run.name, node)
    assert (refused.code, refused.document["error"]["type"]) == (2, "Refused")
    assert told in refused.document["error"]["message"]
    assert told in refused.err
    run.ask("stop")


@pytest.mark.parametrize("data", ["{", "NaN", "ana", "1e999", "[-1e400]", "[" * 2_000, "[" * 100_000])
def test_data_that_is_no_json_is_refused(data: str, begin: Callable[[str], Begun]) -> None:
    run = begin(GATE)
    run.wait("SIGNAL")
    refused = run.shell.call("signal", run.name, "gate", "--data", data)
    assert (refused.code, "--data" in refused.err, "Traceback" in refused.err) == (2, True, False)
    run.ask("stop")


@pytest.mark.parametrize("command", [["pause"], ["resume"], ["signal", "a"]], ids=lambda command: command[0])
def test_a_run_that_has_ended_says_so(command: list[str], shell: Shell) -> None:
    assert shell.call("run", shell.flow(DONE)).code == 0
    (name,) = shell.runs()
    done = shell.call(command[0], "--json", name, *command[1:])
    assert (done.code, done.document["error"]["type"]) == (2, "Refused")
    assert "has ended" in done.err


def test_stop_says_that_the_run_had_ended(shell: Shell) -> None:
    assert shell.call("run", shell.flow(DONE)).code == 0
    done = shell.call("stop", *shell.runs())
    assert done.code == 0
    assert "had ended as SUCCESS" in done.err


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_a_run_that_is_to_stop_is_neither_paused_nor_resumed(command: str, begin: Callable[[str], Begun]) -> None:
    run = begin(GATE)
    run.wait("SIGNAL")
    run.process.terminate()
    run.process.wait()
    run.store.wish(run.store.runs(1)[0].id, "stop")
    done = run.shell.call(command, run.name)
    assert done.code == 2
    assert "is to stop" in done.err


def test_a_resumed_run_without_a_driver_says_how_to_go_on(begin: Callable[[str], Begun]) -> None:
    run = begin(GATE)
    run.wait("SIGNAL")
    run.ask("pause")
    run.process.terminate()
    run.process.wait()
    done = run.shell.call("resume", run.name)
    assert done.code == 0
    assert "orderlines recover --store" in done.err


def test_a_run_is_controlled_from_python_as_well(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text(GATE.replace("path: log", f"path: {tmp_path}/log"), encoding="utf-8")
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        run = engine.start(orderlines.load(path))
        run.pause()
        assert run.status == "PAUSED"
        with pytest.raises(OrderlinesError, match="log"):
            run.signal("log")
        assert run.signal("gate", {"by": "ana"}, key="k")
        assert not run.signal("gate", {"by": "bob"}, key="k")
        run.resume()
        assert (run.wait(30), run.variables) == ("SUCCESS", {"who": "ana"})
        for act in (run.pause, run.resume):
            with pytest.raises(OrderlinesError, match="has ended"):
                act()
        with pytest.raises(UnknownRun):
            orderlines.Run(engine.store, "nobody").pause()


def test_a_handle_reads_the_flow_of_its_run_for_the_first_signal_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SQLiteStore(f"sqlite:///{tmp_path}/runs.db")) as store:
        flow = load_text("flow: x\nline: [{id: f, foreach: [1, 2, 3], line: [{id: s, signal: go}]}]", registry()).flow
        run = orderlines.Run(store, store.accept(new_run(flow, {}, None, None)).name)
        bodies = [store.flow(flow.digest)]
        monkeypatch.setattr(store, "flow", lambda digest: bodies.pop())
        for place in range(3):
            assert run.signal(f"f#1/{place}/s")


def test_a_run_that_cannot_be_read_back_is_stopped_all_the_same(shell: Shell) -> None:
    """What was kept of it is damaged: two lines are open, over the items of a list that has one."""
    each = 'line: [{id: each, foreach: "${items}", line: [{id: gate, signal: go}]}]\n'
    assert shell.call("run", "--detach", shell.flow(f"flow: x\nvars: {{items: [1, 2]}}\n{each}")).code == 0
    until(lambda: shell.call("status", "last").out.count("WAITING") == 3, "both lines wait")
    shell.end()
    with closing(sqlite3.connect(shell.folder / ".orderlines" / "orderlines.db", isolation_level=None)) as store:
        store.execute("UPDATE runs SET vars = replace(vars, '[1,2]', '[1]')")
        store.execute("UPDATE lines SET vars = replace(vars, '[1,2]', '[1]')")
    assert shell.call("signal", "last", "each#1/1/gate").code == 0
    stuck = shell.call("recover")
    assert (stuck.code, "cannot be driven on" in stuck.err) == (2, True)
    assert shell.call("stop", "last").code == 0
    assert shell.call("recover").code == 0
    (kept,) = shell.call("runs", "--json").document["runs"]
    assert kept["status"] == "STOP"


@pytest.mark.parametrize("executor", ["thread", "process", "gevent"])
def test_what_ends_while_its_worker_leaves_is_recorded_though_its_run_has_just_been_paused(
    executor: str, tmp_path: Path
) -> None:
    store = SQLiteStore(f"sqlite:///{tmp_path}/runs.db")
    flow = load_text(chain(tmp_path, executor), registry()).flow
    run = store.accept(new_run(flow, {}, None, None)._replace(queue="default"))
    worker = Drainer(SQLiteStore(store.url), registry(), ["default"])

    def begun() -> bool:
        worker.drain(time.monotonic() + 0.05)
        return (tmp_path / "arrived").exists()

    until(begun, "the first call has begun")
    store.wish(run.id, "pause")
    (tmp_path / "go").touch()
    worker.close()
    worker.part()
    assert [(kept.task.node, kept.task.status) for kept in store.tasks(run.id)] == [("hold", "SUCCESS")]
    worker.store.close()
    store.close()
