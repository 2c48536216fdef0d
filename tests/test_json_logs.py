"""With ``--log-format json`` every line of standard error is a JSON object, whoever speaks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PLUGIN = """
from orderlines.plugins import ComponentsPlugin, hookimpl

ORDERLINES_API = 1

@hookimpl
def orderlines_components():
    return [ComponentsPlugin("loud", "loud.library")]

@hookimpl
def orderlines_task_changed(node, status):
    if node == "log" and status == "SUCCESS":
        raise ValueError("an observer fails")
"""
LIBRARY = """
import logging
import sys
import threading
import warnings

def speak(text: str) -> None:
    print(text)
    print(text, "on standard error", file=sys.stderr)
    sys.stdout.write("not\\nfinished")

def log(text: str, context) -> None:
    logging.getLogger("somebody").warning(text)
    context.logger.info("known")

async def later(text: str, context) -> None:
    log(text, context)

def crash(text: str) -> None:
    raise LookupError(text)

def aside(text: str) -> None:
    def other():
        print(text, file=sys.stderr)
        warnings.warn(text)
        raise RuntimeError(text)
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
"""
FLOW = """
flow: loud
line:
  - {id: speak, call: loud.speak, with: {text: "a \\"quoted\\" word"}}
  - {id: log, call: loud.log, with: {text: careful}}
  - id: both
    parallel: {lines: {a: [{id: inner, call: loud.speak, with: {text: deep}}]}}
  - {id: crash, call: loud.crash, with: {text: broken}}
"""


@pytest.fixture
def loud(install: Callable[[str, Mapping[str, str]], Path], monkeypatch: pytest.MonkeyPatch, shell: Any) -> Any:
    """The command line with a library that says much, and an observer that fails."""
    site = str(install("loud", {"plugin": PLUGIN, "library": LIBRARY}))
    monkeypatch.setenv("PYTHONPATH", site, prepend=os.pathsep)
    return shell


def lines_of(text: str) -> list[dict[str, Any]]:
    """Return the objects of a text; every line of it must be one, and say when, how important, who and what."""
    found = [json.loads(line) for line in text.splitlines()]
    for line in found:
        assert datetime.fromisoformat(line["ts"]).utcoffset() == timedelta(0)
        assert line["level"] in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}
        assert line["logger"]
        assert isinstance(line["message"], str)
    return found


def the(found: list[dict[str, Any]], message: str) -> dict[str, Any]:
    (line,) = [line for line in found if line["message"] == message]
    return line


@pytest.mark.parametrize("executor", ["inline", "thread", "process", "gevent"])
def test_all_that_a_failing_run_says_is_json(loud: Any, executor: str) -> None:
    before = datetime.now(UTC)
    ran = loud.call("run", loud.flow(FLOW), "--json", "--log-format", "json", "--executor", executor)
    assert (ran.code, ran.document["status"]) == (1, "FAILURE")
    found = lines_of(ran.err)
    call = {"run": ran.document["run"], "line": "/", "node": "speak", "visit": 1, "attempt": 1}
    printed = the(found, 'a "quoted" word')
    assert (printed["level"], printed["logger"]) == ("INFO", "orderlines.output")
    assert call.items() <= printed.items()
    assert before - timedelta(seconds=1) < datetime.fromisoformat(printed["ts"]) < datetime.now(UTC)
    assert the(found, 'a "quoted" word on standard error')["node"] == "speak"
    assert [line["node"] for line in found if line["message"] == "finished"] == ["speak", "inner"]
    assert the(found, "deep")["line"] == "/both#1/a"
    careful = the(found, "careful")
    assert (careful["level"], careful["logger"], careful["node"]) == ("WARNING", "somebody", "log")
    assert the(found, "known")["logger"] == "orderlines.component.loud.log"


def test_an_error_of_the_engine_is_one_object_with_its_traceback(loud: Any) -> None:
    found = lines_of(loud.call("run", loud.flow(FLOW), "--json", "--log-format=json").err)
    (error,) = [line for line in found if line["logger"] == "orderlines.plugins"]
    assert error["level"] == "ERROR"
    assert error["message"] == "orderlines_task_changed of loud failed"
    assert error["exception"].splitlines()[0] == "Traceback (most recent call last):"
    assert error["exception"].splitlines()[-1] == "ValueError: an observer fails"


def test_what_is_kept_of_an_attempt_is_the_same(loud: Any) -> None:
    flow = loud.flow(FLOW)
    kept = []
    for options in ((), ("--log-format", "json")):
        run = loud.call("run", flow, "--json", *options).document["run"]
        said = loud.call("logs", run, "--json").document["logs"]
        kept.append([{**line, "time": None, "text": line["text"].replace(run, "RUN")} for line in said])
    assert kept[0] == kept[1]
    assert len(kept[0]) > 8


def test_what_threads_and_warnings_say_is_json_too(loud: Any) -> None:
    flow = loud.flow("flow: aside\nline: [{id: a, call: loud.aside, with: {text: elsewhere}}]")
    ran = loud.call("run", flow, "--json", "--log-format", "json")
    assert ran.code == 0
    found = lines_of(ran.err)
    assert the(found, "elsewhere")["logger"] == "stderr"
    (uncaught,) = [line for line in found if line["level"] == "CRITICAL"]
    assert uncaught["message"] == "RuntimeError: elsewhere"
    assert uncaught["exception"].startswith("Traceback")


@pytest.mark.parametrize("how", ["option", "variable", "file"])
def test_it_is_chosen_by_an_option_a_variable_or_the_file(loud: Any, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "variable":
        monkeypatch.setenv("ORDERLINES_LOG_FORMAT", "json")
    if how == "file":
        (loud.folder / "orderlines.yaml").write_text("log_format: json\n", encoding="utf-8")
    options = ("--log-format", "json") if how == "option" else ()
    assert the(lines_of(loud.call("run", loud.flow(FLOW), "--json", *options).err), "careful")["node"] == "log"


def test_the_option_wins_and_text_stays_text(loud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLINES_LOG_FORMAT", "json")
    ran = loud.call("run", loud.flow(FLOW), "--json", "--log-format", "text")
    assert 'a "quoted" word\n' in ran.err
    assert "WARNING somebody: careful\n" in ran.err
    assert '{"ts"' not in ran.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("run", "nothing.yaml"), "error: nothing.yaml: cannot be read: No such file or directory"),
        (("run", "--bogus"), "Error: No such option '--bogus'."),
        (("recover",), "there is no store at sqlite:///.orderlines/orderlines.db"),
    ],
)
def test_what_is_wrong_is_told_as_json(loud: Any, arguments: tuple[str, ...], told: str) -> None:
    found = lines_of(loud.call(*arguments, "--log-format", "json").err)
    assert any(line["message"].startswith(told) for line in found), found


def test_problems_of_a_flow_have_a_level(loud: Any) -> None:
    wrong = loud.flow("flow: short\nline:\n- {id: a, call: loud.nothing}\n")
    (error,) = lines_of(loud.call("run", wrong, "--log-format", "json").err)
    assert (error["level"], ":3:" in error["message"]) == ("ERROR", True)
    line = "[{id: ID, call: demo.echo, with: {value: 1}, set: {x: '${result}'}}]"
    lines = f"{{a: {line.replace('ID', 'a')}, b: {line.replace('ID', 'b')}}}"
    doubtful = loud.flow(f"flow: short\nvars: {{x: 0}}\nline: [{{id: p, parallel: {{lines: {lines}}}}}]\n")
    found = lines_of(loud.call("run", doubtful, "--log-format", "json").err)
    assert {line["level"] for line in found if "warning: " in line["message"]} == {"WARNING"}


def test_a_program_has_logs_of_its_own(loud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLINES_LOG_FORMAT", "json")
    loud.flow("flow: short\nline: [{id: a, call: loud.speak, with: {text: plain}}]")
    program = "import orderlines; orderlines.run('flow.yaml')"
    ran = subprocess.run([sys.executable, "-c", program], cwd=loud.folder, capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("plain\nnot\nfinished\n", "plain on standard error\n")


def test_a_format_that_does_not_exist_is_refused(loud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = loud.flow(FLOW)
    (loud.folder / "orderlines.yaml").write_text("log_format: xml\n", encoding="utf-8")
    ran = loud.call("run", flow)
    assert (ran.code, "there is no such format of logs (write text or json)" in ran.err) == (2, True)
    monkeypatch.setenv("ORDERLINES_LOG_FORMAT", "xml")
    ran = loud.call("run", flow)
    assert (ran.code, ran.err) == (2, "error: ORDERLINES_LOG_FORMAT is 'xml'; write text or json\n")
    assert loud.call("run", flow, "--log-format", "xml").code == 2


@pytest.mark.parametrize("count", ["1", "2"])
def test_all_that_a_worker_says_is_json(
    loud: Any, private_server: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, count: str
) -> None:
    url = private_server("redis").new_database()
    monkeypatch.setenv("ORDERLINES_SIGNING_KEY", "a key of the tests")
    run = loud.call("run", loud.flow(FLOW), "--store", url, "--executor", "rq", "--detach", "--json").document["run"]
    ran = loud.call("worker", "--store", url, "--burst", "--count", count, "--log-format", "json")
    assert ran.code == 0
    found = lines_of(ran.err)
    careful = the(found, "careful")
    assert (careful["run"], careful["node"], careful["attempt"]) == (run, "log", 1)
    (error,) = [line for line in found if "exception" in line]
    assert error["worker"] == careful["worker"]
    assert str(careful["worker"]).count(".") >= 2


def test_what_calls_in_other_processes_of_a_worker_say_names_it(
    loud: Any, private_server: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = private_server("redis").new_database()
    monkeypatch.setenv("ORDERLINES_SIGNING_KEY", "a key of the tests")
    executors = ("inline", "gevent", "asyncio", "process")
    nodes = [
        f"  - {{id: {name}, call: loud.{'later' if name == 'asyncio' else 'log'}, with: {{text: {name}}},"
        f" executor: {name}}}"
        for name in executors
    ]
    flow = loud.flow("\n".join(["flow: apart", "line:", *nodes]))
    started = loud.call("run", flow, "--store", url, "--detach", "--executor", "rq")
    assert started.code == 0, started.err
    found = lines_of(loud.call("worker", "--store", url, "--burst", "--log-format", "json").err)
    (name,) = {the(found, executor).get("worker") for executor in executors}
    assert name is not None


def test_a_message_about_a_run_names_it_in_a_field(loud: Any) -> None:
    ran = loud.call("run", loud.flow(FLOW), "--json", "--log-format", "json")
    (begun,) = [line for line in lines_of(ran.err) if " goes on; watch it with: " in line["message"]]
    assert begun["run"] == ran.document["run"]


def test_all_that_a_scheduler_says_is_json(loud: Any) -> None:
    loud.call("schedule", "add", loud.flow(FLOW), "--name", "often", "--every", "1s")
    scheduler = loud.begin("scheduler", "--log-format", "json")
    until(lambda: loud.runs() != [] and loud.call("status", "last", "--json").document["status"] == "FAILURE", "it ran")
    scheduler.send_signal(signal.SIGTERM)
    found = lines_of(loud.finish(scheduler).err)
    assert found[0]["message"].startswith("serving the schedules of sqlite://")
    assert [line for line in found if line["message"] == "careful"]
    started = [line for line in found if line["message"].startswith("schedule:often:")]
    assert started
    assert all(f": run {line['run']} of loud" in line["message"] for line in started)
