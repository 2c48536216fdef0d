"""Standard streams that are closed, full, or that nobody reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from orderlines.testing.bench import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Shell

    Redirected = Callable[[str], subprocess.CompletedProcess[str]]

WARNED = {
    "process_info": {"process_name": "warned"},
    "nodes": [{"task_id": 1, "task_type": "start", "next_id": None, "prev_id": 1}],
}
"""A flow with a warning."""
UNWRITABLE = "error: standard output cannot be written: No space left on device\n"


@pytest.fixture
def redirected(tmp_path: Path) -> Redirected:
    """Run ``orderlines`` in a shell that redirects its streams; ``FLOW`` stands for a flow file."""
    (tmp_path / "flow.json").write_text(json.dumps(WARNED), encoding="utf-8")

    def run(words: str) -> subprocess.CompletedProcess[str]:
        command = f"set -o pipefail; {sys.executable} -m orderlines.cli.entry {words}"
        return subprocess.run(
            ["bash", "-c", command.replace("FLOW", "flow.json")],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip

    return run


@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words", ["run FLOW", "run FLOW --json", "runs", "plugins"])
def test_a_closed_stream_changes_nothing(words: str, streams: str, redirected: Redirected) -> None:
    done = redirected(f"{words} {streams}")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("streams", ["<&- >&- 2>&-", "2>/dev/full"])
def test_a_run_is_the_same_whoever_sees_it(streams: str, redirected: Redirected, shell: Shell) -> None:
    assert redirected(f"run FLOW {streams}").returncode == 0
    (name,) = shell.runs()
    assert shell.call("status", "--json", name).document["status"] == "SUCCESS"


@pytest.mark.parametrize(
    "words",
    ["run FLOW", "run FLOW --json", "runs --json", "plugins", "validate FLOW", "--help", "run -h", "--version",
     "completion bash"],
)  # fmt: skip
def test_output_that_finds_no_room_is_one_message(words: str, redirected: Redirected) -> None:
    done = redirected(f"{words} >/dev/full")
    assert done.returncode == 74
    assert done.stderr.endswith(UNWRITABLE)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["run flow.json", "run flow.json --json", "runs --json", "plugins"])
def test_output_that_has_lost_its_reader_is_no_failure(words: str, redirected: Redirected, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "orderlines.cli.entry", *words.split()]
    try:
        done = subprocess.run(
            command, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, timeout=PATIENCE
        )
    finally:
        os.close(writing)
    assert done.returncode == 141
    assert "error" not in done.stderr
    assert "Traceback" not in done.stderr


CLOSING = """
import os

import orderlines


@orderlines.component
def close(numbers: list) -> None:
    for number in numbers:
        os.close(number)


@orderlines.component
def write(text: str) -> None:
    for number in (1, 2):
        os.write(number, f"{text} {number}\\n".encode())
    print(text, "printed")
"""


@pytest.mark.parametrize("numbers", [[1], [2], [1, 2]], ids=str)
@pytest.mark.parametrize("executor", ["inline", "thread", "gevent", "process"])
def test_the_call_after_one_that_closes_the_streams_has_them(executor: str, numbers: list[int], shell: Shell) -> None:
    (shell.folder / "closing.py").write_text(CLOSING, encoding="utf-8")
    closing = {"id": "close", "call": "closing.close", "with": {"numbers": numbers}}
    writing = {"id": "write", "call": "closing.write", "with": {"text": "after"}}
    flow = shell.flow(json.dumps({"flow": "closing", "executor": executor, "line": [closing, writing]}))
    done = shell.call("run", "--import", "closing", "--json", flow)
    assert done.code == 0, done.out
    texts = [line["text"] for line in shell.call("logs", "last", "--node", "write", "--json").document["logs"]]
    assert "after printed" in texts
    if len(numbers) == 1:
        assert "after 1" in done.err
        assert "after 2" in done.err
