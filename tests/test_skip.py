"""Nodes that are left out because somebody wishes it, wherever the line stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.errors import Refused
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Shell

    Start = Callable[[str], orderlines.Run]

pytestmark = pytest.mark.usefixtures("kit")
EXECUTORS = ["inline", "thread", "process", "gevent"]
LAST = "{id: last, call: demo.echo, with: {value: '${nodes.w.status} ${nodes.w.result}'}}"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return what starts a flow in an engine that drives it."""
    with orderlines.Engine(f"sqlite:///{tmp_path}/runs.db") as engine:

        def start(text: str) -> orderlines.Run:
            path = tmp_path / "flow.yaml"
            path.write_text(f"flow: x\n{text}\n", encoding="utf-8")
            return engine.start(orderlines.load(path))

        yield start


def statuses(run: orderlines.Run) -> list[str]:
    return [line.status for line in run.store.lines(run.row.id)]


def by_node(tasks: list[dict[str, Any]]) -> dict[str, tuple[str, Any]]:
    return {task["node"]: (task["status"], task["result"]) for task in tasks}


@pytest.mark.parametrize(
    ("waits", "status"),
    [
        ("signal: go", ["SIGNAL"]),
        ("delay: 1h", ["TIME"]),
        ("call: demo.fail, with: {message: no, times: 9}, retry: {times: 9, delay: 1h}", ["RETRY"]),
        ("foreach: [1, 2], line: [{id: i, delay: 1h}]", ["JOIN", "TIME", "TIME"]),
        ("parallel: {lines: {a: [{id: i, foreach: [1], line: [{id: j, signal: go}]}]}}", ["JOIN", "JOIN", "SIGNAL"]),
    ],
)
def test_a_node_that_waits_is_skipped(waits: str, status: list[str], start: Start) -> None:
    run = start(f"line: [{{id: w, {waits}}}, {LAST}]")
    until(lambda: statuses(run) == status, "it waits")
    run.skip("w")
    assert run.wait(30) == "SUCCESS"
    tasks = by_node(run.tasks())
    assert (tasks["w"], tasks["last"]) == (("SKIP", None), ("SUCCESS", "SKIP null"))


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_call_in_flight_is_ended_and_skipped(executor: str, shell: Shell) -> None:
    call = f"{{id: w, call: meet.begin, with: {{path: {shell.folder}/arrived, go: {shell.folder}/go}}, grace: 300ms}}"
    process = shell.begin("run", "--json", shell.flow(f"flow: x\nexecutor: {executor}\nline: [{call}, {LAST}]\n"))
    until((shell.folder / "arrived").exists, "the call has begun")
    (name,) = shell.runs()
    assert shell.call("skip", name, "w").code == 0
    done = shell.finish(process)
    assert done.code == 0, done.err
    assert by_node(done.document["tasks"]) == {"w": ("SKIP", None), "last": ("SUCCESS", "SKIP null")}
    assert (shell.folder / "arrived").stat().st_size == 1
    shell.left_alone()


def test_one_of_several_lines_is_named(start: Start) -> None:
    run = start(f"line: [{{id: w, foreach: [1, 2], line: [{{id: s, signal: go}}]}}, {LAST}]")
    until(lambda: statuses(run) == ["JOIN", "SIGNAL", "SIGNAL"], "both wait")
    with pytest.raises(Refused, match="w#1/0/s, w#1/1/s"):
        run.skip("s")
    for place in range(2):
        run.skip(f"w#1/{place}/s")
    assert run.wait(30) == "SUCCESS"
    assert by_node(run.tasks())["last"] == ("SUCCESS", "SUCCESS [null, null]")


def test_while_a_run_is_paused_a_node_is_skipped_and_nothing_begins(start: Start) -> None:
    run = start(f"line: [{{id: w, signal: go}}, {LAST}]")
    until(lambda: statuses(run) == ["SIGNAL"], "it waits")
    run.pause()
    run.skip("w")
    until(lambda: by_node(run.tasks()) == {"w": ("SKIP", None)}, "it is skipped")
    until(lambda: run.store.lines(run.row.id)[0].owner is None, "the driver has let go")
    assert (run.status, run.store.lines(run.row.id)[0].halt) == ("PAUSED", 1)
    run.skip("last")
    assert run.wait(30) == "SUCCESS"
    assert by_node(run.tasks()) == {"w": ("SKIP", None), "last": ("SKIP", None)}


@pytest.mark.parametrize("node", ["bad", "each#1/0/bad"])
def test_what_is_below_a_failure_that_was_skipped_stays(node: str, start: Start) -> None:
    bad = "{id: bad, call: demo.fail, with: {message: no, times: '${99 if item == 1 else 0}'}}"
    run = start(
        f"line: [{{id: each, foreach: [1, 2], on_branch_failure: wait, on_error: skip, line: [{bad}]}},"
        " {id: b, call: demo.fail, with: {message: later, times: 1}}]"
    )
    assert run.wait(30) == "FAILURE"
    with pytest.raises(Refused, match="bad"):
        run.skip(node)
    run.skip("b")
    run.retry()
    assert run.wait(30) == "SUCCESS"


@pytest.mark.parametrize("ends", ["is stopped", "is out of time"])
def test_what_is_below_a_failure_that_led_elsewhere_stays(ends: str, start: Start, tmp_path: Path) -> None:
    held = f"call: meet.begin, executor: thread, with: {{path: {tmp_path}/arrived, go: {tmp_path}/go}}"
    timeout = "timeout: 2s\n" if ends == "is out of time" else ""
    run = start(
        f"{timeout}vars: {{x: 0}}\nline: [{{id: each, foreach: [1], on_error: {{goto: b}},"
        f" line: [{{id: bad, {held}, set: {{x: '${{1 / x}}'}}}}]}}, {{id: b, call: demo.echo, with: {{value: 1}}}}]"
    )
    until((tmp_path / "arrived").exists, "the call has begun")
    run.pause()
    (tmp_path / "go").touch()
    until(lambda: statuses(run) == ["READY", "FAILURE"], "it is left at what comes next")
    if ends == "is stopped":
        run.stop()
    assert run.wait(30) == {"is stopped": "STOP", "is out of time": "FAILURE"}[ends]
    with pytest.raises(Refused, match="bad"):
        run.skip("each#1/0/bad")
    run.retry()
    assert run.wait(30) == "SUCCESS"
    assert by_node(run.tasks())["b"] == ("SUCCESS", 1)


@pytest.mark.parametrize("node", ["a", "g"])
def test_in_a_failed_run_the_node_is_skipped_once_it_is_retried(node: str, start: Start) -> None:
    run = start(
        "line: [{id: g, group: [{id: a, call: demo.fail, with: {message: no, times: 99}}]},"
        " {id: last, call: demo.echo, with: {value: '${nodes.g.status}'}}]"
    )
    assert run.wait(30) == "FAILURE"
    run.skip(node)
    assert run.status == "FAILURE"
    run.retry()
    assert run.wait(30) == "SUCCESS"
    assert by_node(run.tasks())[node] == ("SKIP", None)
    assert by_node(run.tasks())["last"] == ("SUCCESS", "SUCCESS" if node == "a" else "SKIP")


@pytest.mark.parametrize(
    ("node", "told"), [("nobody", "has no node 'nobody'"), ("last", "no line of run"), ("w/s", "has no node 's'")]
)
def test_where_no_line_stands_nothing_is_skipped(node: str, told: str, start: Start) -> None:
    run = start(f"line: [{{id: w, signal: go}}, {LAST}]")
    until(lambda: statuses(run) == ["SIGNAL"], "it waits")
    with pytest.raises(Refused, match=told):
        run.skip(node)
    run.signal("w")
    assert run.wait(30) == "SUCCESS"
    with pytest.raises(Refused, match="has succeeded"):
        run.skip("w")


def test_what_says_where_to_go_on_is_not_skipped(start: Start) -> None:
    run = start("line: [{id: d, signal: go}, {id: s, switch: [{else: e}]}, {id: e, end: }]")
    until(lambda: statuses(run) == ["SIGNAL"], "it waits")
    run.pause()
    run.skip("d")
    until(lambda: [task["status"] for task in run.tasks()] == ["SKIP"], "it is skipped")
    with pytest.raises(Refused, match="where the line goes on"):
        run.skip("s")
    run.resume()
    assert run.wait(30) == "SUCCESS"


def test_a_skip_outlives_the_engine(shell: Shell) -> None:
    process = shell.begin("run", shell.flow(f"flow: x\nline: [{{id: w, signal: go}}, {LAST}]\n"))
    until(lambda: bool(shell.runs()), "it is accepted")
    (name,) = shell.runs()
    until(lambda: "WAITING" in shell.call("status", name).out, "it waits")
    process.kill()
    process.wait()
    until(lambda: not shell.processes(), "the driver has ended with its command")
    done = shell.call("skip", name, "w")
    assert done.code == 0
    assert "orderlines recover" in done.err
    recovered = shell.call("recover", "--json")
    assert [run["status"] for run in recovered.document["runs"]] == ["SUCCESS"]
