"""What calls say: kept with their attempts, shown by commands, followed from another process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.testing.bench import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Shell

pytestmark = pytest.mark.usefixtures("kit")
EXECUTORS = ["inline", "thread", "gevent", "process"]


def chain(shell: Shell, executor: str, *calls: dict[str, Any]) -> Path:
    """Write a flow of calls, one after the other."""
    line = [{"id": f"n{number}", **call} for number, call in enumerate(calls, 1)]
    return shell.flow(json.dumps({"flow": "chain", "executor": executor, "line": line}))


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"call": f"kit.{name}", "with": arguments}


def run(shell: Shell, path: Path) -> str:
    """Run a flow, and return its run's name."""
    done = shell.call("run", "--json", path)
    name: str = done.document["run"]
    return name


def logs(shell: Shell, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shell.call("logs", "--json", *arguments).document["logs"]
    return found


def test_the_log_of_one_line(shell: Shell) -> None:
    inside = [{"id": "n", "call": "kit.speak", "with": {"text": "said ${item}"}}]
    each = {"id": "f", "foreach": [1, 2], "line": inside}
    name = run(shell, shell.flow(json.dumps({"flow": "each", "line": [each]})))
    for address in ("f#1/1/n", "/f#1/1/n"):
        assert [line["text"] for line in logs(shell, name, "--node", address)] == ["said 2"]
    refused = shell.call("logs", name, "--node", "f#1/2/n")
    assert (refused.code, "no line 'f#1/2'" in refused.err) == (2, True)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_what_calls_say_is_kept_in_order_with_node_and_level(executor: str, shell: Shell) -> None:
    name = run(shell, chain(shell, executor, call("tell", text="one"), call("noop"), call("speak", text="two")))
    lines = logs(shell, name)
    assert [(line["node"], line["level"], line["text"]) for line in lines] == [
        ("n1", None, "one printed"),
        ("n1", None, "one on standard error"),
        ("n1", None, "one as bytes"),
        ("n1", "INFO", "orderlines.component.kit.tell: one told the context"),
        ("n1", "WARNING", "some.library: one warned"),
        ("n1", None, "one without an end"),
        ("n3", None, "two"),
    ]
    assert all((line["line"], line["visit"], line["attempt"]) == ("", 1, 1) for line in lines)
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    assert [line["text"] for line in logs(shell, name, "--node", "n3")] == ["two"]
    assert logs(shell, name, "--node", "n2") == []
    shown = shell.call("logs", name, "--node", "n1").out.splitlines()
    assert shown[4].endswith(" n1: WARNING some.library: one warned")


@pytest.mark.parametrize("executor", EXECUTORS)
def test_the_traceback_is_the_last_of_a_failed_attempt(executor: str, shell: Shell) -> None:
    retried = {**call("tell_and_fail", text="so far"), "retry": {"times": 1, "delay": 0}}
    name = run(shell, chain(shell, executor, retried))
    for attempt in (1, 2):
        said = [line for line in logs(shell, name) if line["attempt"] == attempt]
        assert (said[0]["text"], said[0]["level"]) == ("so far", None)
        assert said[1]["text"] == "Traceback (most recent call last):"
        assert said[-1]["text"] == "ValueError: on purpose"
    shown = shell.call("logs", name).out
    assert " n1 (attempt 2): so far" in shown
    status = shell.call("status", name).out.splitlines()
    assert "last lines of n1:" in status
    (advice,) = [place for place, line in enumerate(status) if line.startswith("once that is mended: ")]
    assert status[advice - 1] == "  ERROR ValueError: on purpose"
    assert status.count("  so far") == 1


def test_status_shows_the_last_lines_of_the_call_that_failed_below_a_gateway(shell: Shell) -> None:
    bad = [{"id": "bad", **call("tell_and_fail", text="line\n" * 30)}]
    good = [{"id": "good", **call("speak", text="not this")}]
    gateway = {"on_branch_failure": "wait", "lines": {"good": good, "bad": bad}}
    path = shell.flow(json.dumps({"flow": "beside", "line": [{"id": "p", "parallel": gateway}]}))
    status = shell.call("status", run(shell, path)).out.splitlines()
    place = status.index("last lines of p#1/bad/bad:")
    (advice,) = [number for number, line in enumerate(status) if line.startswith("once that is mended: ")]
    assert advice - place - 1 == 20
    assert "not this" not in "\n".join(status[place:])


@pytest.mark.parametrize("executor", EXECUTORS)
def test_another_process_follows_until_the_run_is_final(executor: str, shell: Shell, tmp_path: Path) -> None:
    go = tmp_path / "go"
    flow = chain(shell, executor, call("tell_and_wait", text="first", path=str(go)), call("speak", text="second"))
    running = shell.begin("run", "--json", flow)
    until(lambda: bool((tmp_path / ".orderlines").exists() and shell.runs()), "the run is kept")
    (name,) = shell.runs()
    following = shell.begin("logs", "--follow", name)
    assert following.stdout is not None
    assert following.stdout.readline().endswith(" n1: first\n")
    go.touch()
    assert following.stdout.readline().endswith(" n2: second\n")
    assert shell.finish(following).code == 0
    assert shell.finish(running).code == 0


def test_following_in_json_gives_one_document(shell: Shell) -> None:
    name = run(shell, chain(shell, "inline", call("speak", text="it")))
    document = shell.call("logs", "--follow", "--json", name).document
    assert (document["run"], [line["text"] for line in document["logs"]]) == (name, ["it"])


def test_a_call_whose_process_dies_leaves_what_it_said(shell: Shell) -> None:
    name = run(shell, chain(shell, "process", call("tell_and_exit", text="last words", code=3)))
    assert [line["text"] for line in logs(shell, name)] == ["last words"]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_an_engine_that_is_killed_leaves_what_its_calls_said(executor: str, shell: Shell, tmp_path: Path) -> None:
    flow = chain(shell, executor, call("tell_and_wait", text="it", path=str(tmp_path / "go")))
    running = shell.begin("run", "--json", flow)
    until(lambda: bool((tmp_path / ".orderlines").exists() and shell.runs()), "the run is kept")
    (name,) = shell.runs()
    until(lambda: logs(shell, name) != [], "what it said is kept")
    running.kill()
    running.communicate()
    assert [line["text"] for line in logs(shell, name)] == ["it"]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_progress_is_shown_while_the_call_goes_on(executor: str, shell: Shell, tmp_path: Path) -> None:
    go = tmp_path / "go"
    running = shell.begin("run", "--json", chain(shell, executor, call("report_and_wait", path=str(go))))
    until(lambda: bool((tmp_path / ".orderlines").exists() and shell.runs()), "the run is kept")
    (name,) = shell.runs()
    until(lambda: "3/10 files" in shell.call("status", name).out, "the progress is shown")
    (task,) = shell.call("status", "--json", name).document["tasks"]
    assert task["progress"] == {"done": 3, "total": 10, "text": "files"}
    go.touch()
    (task,) = shell.finish(running).document["tasks"]
    assert "progress" not in task


def test_an_unknown_run_has_no_log(shell: Shell) -> None:
    done = shell.call("logs", "nothing")
    assert (done.code, done.out) == (2, "")
    assert "no run 'nothing'" in done.err


LOGS_AT_THE_TOP = """
import logging

import orderlines


@orderlines.component
def warn() -> None:
    logging.getLogger("x").warning("w")
"""
LOGS_INSIDE = """
import orderlines


@orderlines.component
def warn() -> None:
    import logging

    logging.getLogger("x").warning("w")
"""


@pytest.mark.parametrize(
    ("executor", "source"),
    [*((executor, LOGS_AT_THE_TOP) for executor in EXECUTORS), ("process", LOGS_INSIDE)],
)
def test_whoever_first_imports_logging_its_records_keep_level_and_name(
    executor: str, source: str, shell: Shell
) -> None:
    (shell.folder / "logging_calls.py").write_text(source, encoding="utf-8")
    shell.call("run", "--import", "logging_calls", chain(shell, executor, {"call": "logging_calls.warn"}))
    assert [(line["level"], line["text"]) for line in logs(shell, "last")] == [("WARNING", "x: w")]


PIECES = """
import sys

import orderlines


@orderlines.component
def dribble(length: int) -> None:
    for _ in range(length // 1000):
        sys.stdout.write("x" * 1000)
    sys.stdout.write(" the end\\n")
    sys.stdout.write("another line\\n")
    sys.stdout.flush()
"""


BARE = """
import sys

import orderlines


@orderlines.component
def bar() -> None:
    for step in range(5):
        sys.stderr.write(f"\\r{25 * step:3d}%|{'#' * step:4}| {step}/4")
    sys.stderr.write("\\n")
    sys.stderr.flush()
    sys.stdout.buffer.write(b"caf\\xe9\\n")
    print("dos\\r\\nnul\\0 \\x1b[31mred\\x1b[0m")
    sys.stdout.flush()
"""


@pytest.mark.parametrize("executor", EXECUTORS)
def test_what_is_no_plain_text_is_kept_so_that_it_can_be_read(executor: str, shell: Shell) -> None:
    (shell.folder / "bare.py").write_text(BARE, encoding="utf-8")
    shell.call("run", "--import", "bare", chain(shell, executor, {"call": "bare.bar"}))
    kept = ["100%|####| 4/4", "caf\ufffd", "dos", "nul\0 \x1b[31mred\x1b[0m"]
    assert [line["text"] for line in logs(shell, "last")] == kept
    shown = [line.partition(": ")[2] for line in shell.call("logs", "last").out.splitlines()]
    assert shown == [*kept[:3], "nul\\x00 \\x1b[31mred\\x1b[0m"]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_long_line_is_one_entry_however_it_is_printed(executor: str, shell: Shell) -> None:
    (shell.folder / "pieces.py").write_text(PIECES, encoding="utf-8")
    call = {"call": "pieces.dribble", "with": {"length": 300_000}}
    shell.call("run", "--import", "pieces", chain(shell, executor, call, {**call, "with": {"length": 3_000_000}}))
    whole, last = [line["text"] for line in logs(shell, "last", "--node", "n1")]
    assert whole == "x" * 300_000 + " the end"
    assert last == "another line"
    first, rest, last = [line["text"] for line in logs(shell, "last", "--node", "n2")]
    assert first.startswith("x" * 700_000)
    assert first.endswith(" bytes left out ...]")
    assert rest.endswith("x the end")
    assert last == "another line"
