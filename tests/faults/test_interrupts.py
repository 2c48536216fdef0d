"""Ctrl-C ends a command that only looks, or waits, without a traceback; with ``--json`` there is one document."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orderlines.testing.bench import until

if TYPE_CHECKING:
    import subprocess

    from tests.conftest import Ran, Shell

pytestmark = pytest.mark.usefixtures("kit")
GATE = "flow: gate\nline: [{id: a, call: kit.speak, with: {text: said}}, {id: s, signal: go}]\n"
PRESSED = """
import os, signal, sys, weakref

class Pressing:
    def find_spec(self, name, path=None, target=None):
        if name == "{module}" and sys.argv[0].endswith("entry.py"):
            sys.meta_path.remove(self)
            if {lost}:
                held = set()
                kept = weakref.ref(held, press)
                del held  # which calls back: what is raised there is only printed
            else:
                press(None)

def press(_):
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(1000):
        pass

sys.meta_path.insert(0, Pressing())
"""
"""Has Ctrl-C come as a module is imported, in a callback of Python's own or not."""


@pytest.fixture
def name(shell: Shell) -> str:
    """A run that waits for a signal, driven by a process in the background."""
    started = shell.call("run", "--detach", shell.flow(GATE))
    assert started.code == 0, started.err
    run = started.out.strip()
    until(lambda: "WAITING" in shell.call("status", run).out, "it waits")
    return run


def reads(process: subprocess.Popen[str]) -> bool:
    """Return whether a process has opened the store."""
    try:
        opened = [str(each.readlink()) for each in Path(f"/proc/{process.pid}/fd").iterdir()]
    except OSError:
        return False
    return any(each.endswith("orderlines.db") for each in opened)


def interrupted(shell: Shell, *arguments: str) -> Ran:
    process = shell.begin(*arguments)
    until(lambda: reads(process), "it looks")
    process.send_signal(signal.SIGINT)
    return shell.finish(process)


@pytest.mark.parametrize(
    ("command", "module"), [("run", "orderlines.cli.run"), ("run", "orderlines.supervision.ahead"), ("runs", "click")]
)
def test_an_interrupt_while_the_command_is_being_imported_is_not_lost(
    command: str, module: str, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shell.folder / "sitecustomize.py").write_text(PRESSED.format(module=module, lost=command == "run"))
    monkeypatch.setenv("PYTHONPATH", str(shell.folder), prepend=os.pathsep)
    done = shell.call(command, *([shell.flow(GATE)] if command == "run" else []))
    assert (done.code, done.out) == (130, "")
    assert not (shell.folder / ".orderlines").exists()
    shell.left_alone()


@pytest.mark.parametrize("command", [["status", "--watch"], ["logs", "--follow"]])
def test_who_has_seen_enough_gets_no_traceback(command: list[str], name: str, shell: Shell) -> None:
    done = interrupted(shell, *command, name)
    assert done.code == 130
    assert done.err == "interrupted\n"


def test_one_document_says_that_nothing_came_of_it(name: str, shell: Shell) -> None:
    done = interrupted(shell, "status", "--watch", "--json", name)
    assert done.code == 130
    assert done.document == {"error": {"type": "Interrupted", "message": "interrupted"}}
    assert "Traceback" not in done.err


def test_a_log_in_json_is_whole(name: str, shell: Shell) -> None:
    following = shell.begin("logs", "--follow", "--json", name)
    assert following.stdout is not None
    head = following.stdout.readline()
    following.send_signal(signal.SIGINT)
    document = json.loads(head + following.stdout.read())
    done = shell.finish(following)
    assert done.code == 130
    assert (document["run"], [said["text"] for said in document["logs"]]) == (name, ["said"])
    assert "Traceback" not in done.err
