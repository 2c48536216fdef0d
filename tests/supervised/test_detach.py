"""`orderlines run --detach` leaves a run to a process in the background."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orderlines.processes.proc import read_stat
from orderlines.testing.bench import until

GATE = """\
flow: gate
line:
  - {id: a, call: acts.gate, with: {log: LOG, gate: GATE}, grace: 0.2}
  - {id: b, call: acts.append, with: {log: LOG, line: b}}
"""
LOUD = "flow: loud\nline:\n  - {id: a, call: acts.shout, with: {log: LOG, lines: 1}}\n"


def process_in_background(told: str) -> int:
    """Return the id of the process that the command tells of."""
    return int(told.split()[1])


def await_end(pid: int) -> None:
    until(lambda: (stat := read_stat(pid)) is None or stat.dead, "it has ended")


def test_a_detached_run_goes_on_by_itself(shell: Any) -> None:
    done = shell.call("run", "--detach", shell.flow(GATE))
    assert done.returncode == 0, done.stderr
    pid, name = process_in_background(done.stderr), shell.run()
    assert done.stdout == f"{name}\n"
    assert os.getsid(pid) != os.getsid(0)
    assert str(Path(f"/proc/{pid}/fd/0").readlink()) == os.devnull
    assert shell.store.run(name).status not in {"SUCCESS", "FAILURE"}
    shell.gate.touch()
    await_end(pid)
    assert shell.store.run(name).status == "SUCCESS"
    assert shell.lines() == ["gate", "b"]
    assert [path.name for path in (shell.folder / ".orderlines").iterdir()] == [".gitignore"]
    assert shell.drivers() == []


def test_a_detached_run_outlives_its_terminal(shell: Any) -> None:
    flow = shell.flow(GATE)
    command = f"{sys.executable} -m orderlines.cli.main run --detach {flow}; echo $$ > shell; exec sleep 1000"
    code = f"import pty; pty.spawn(['sh', '-c', {command!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=shell.folder, env=shell.environment, stdin=-3, stdout=-3
    ) as terminal:
        left = shell.folder / "shell"
        until(lambda: left.exists() and left.read_text(encoding="utf-8").endswith("\n"), "the command has returned")
        shell.await_lines("gate")
        terminal.kill()
    await_end(int(left.read_text(encoding="utf-8")))
    shell.gate.touch()
    until(lambda: shell.store.run(shell.run()).status == "SUCCESS", "it has ended well")
    until(lambda: shell.drivers() == [], "its driver has ended")
    assert shell.lines() == ["gate", "b"]


def test_a_detached_run_is_told_as_a_document(shell: Any) -> None:
    document = shell.read("run", "--detach", shell.flow(GATE))
    assert (document["run"], document["status"], document["tasks"]) == (shell.run(), "PENDING", [])
    assert json.loads(shell.call("stop", "--json", document["run"]).stdout)["status"] == "STOP"


def test_what_is_printed_goes_to_the_log(shell: Any) -> None:
    done = shell.call("run", "--detach", shell.flow(LOUD))
    await_end(process_in_background(done.stderr))
    log = shell.folder / ".orderlines" / f"{shell.run()}.log"
    assert log.read_text(encoding="utf-8").split() == ["x" * 1000, "raw"]
    assert str(log) in done.stderr


def test_stop_ends_a_detached_run(shell: Any) -> None:
    done = shell.call("run", "--detach", shell.flow(GATE))
    shell.await_lines("gate")
    assert shell.read("stop", shell.run())["status"] == "STOP"
    await_end(process_in_background(done.stderr))


def test_sigterm_gives_a_detached_run_back(shell: Any) -> None:
    done = shell.call("run", "--detach", shell.flow(GATE))
    shell.await_lines("gate")
    pid = process_in_background(done.stderr)
    os.kill(pid, signal.SIGTERM)
    await_end(pid)
    log = shell.folder / ".orderlines" / f"{shell.run()}.log"
    assert f"orderlines recover --store {shell.url}" in log.read_text(encoding="utf-8")
    shell.gate.touch()
    assert shell.call("recover").returncode == 0
    document = shell.read("status", shell.run())
    assert [(task["status"], task["attempt"]) for task in document["tasks"]] == [("SUCCESS", 1)] * 2


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        pytest.param("flow: bad\nline: [{id: a, call: acts.nobody}]\n", 2, "nobody", id="invalid flow"),
        pytest.param("flow: bad\nline: []\n", 2, "line", id="empty line"),
    ],
)
def test_an_invalid_flow_is_not_kept(text: str, code: int, told: str, shell: Any) -> None:
    done = shell.call("run", "--detach", shell.flow(text))
    assert done.returncode == code
    assert told in done.stderr
    assert done.stdout == ""
    assert not (shell.folder / "runs.db").exists()
    assert not (shell.folder / ".orderlines").exists()


def test_a_run_that_has_ended_needs_no_process(shell: Any) -> None:
    command = ["run", shell.flow(LOUD), "--key", "k"]
    shell.call(*command)
    done = shell.call(*command, "--detach")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{shell.run()}\n", "")


def test_a_log_that_cannot_be_written_is_told(shell: Any) -> None:
    (shell.folder / ".orderlines").write_text("no folder", encoding="utf-8")
    done = shell.call("run", "--detach", shell.flow(GATE))
    assert done.returncode == 2
    assert "go on with: orderlines recover" in done.stderr
    assert "Traceback" not in done.stderr
