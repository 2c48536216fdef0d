"""A store in a folder that cannot be written to is looked at all the same, where nothing can be missed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Shell

    Begin = Callable[..., subprocess.Popen[str]]

DONE = f"flow: done\nline: [{{id: a, call: demo.echo, with: {{value: {'large' * 20_000}}}}}]\n"
GATE = "flow: gate\nline: [{id: s, signal: go}]\n"
UNPRIVILEGED = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)  # what lets root write everywhere is gone after the exec
os.execv(sys.executable, [sys.executable, "-m", "orderlines.cli.entry", *sys.argv[1:]])
"""


@pytest.fixture
def folder(shell: Shell) -> Path:
    """The folder of the store, which holds a run that has succeeded."""
    assert shell.call("run", shell.flow(DONE)).code == 0
    return shell.folder / ".orderlines"


@pytest.fixture
def begin(folder: Path) -> Iterator[Begin]:
    """Return what begins a command that cannot write to that folder."""
    begun = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        folder.chmod(0o555)
        command = [sys.executable, "-c", UNPRIVILEGED, *arguments]
        process = subprocess.Popen(
            command, cwd=folder.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        begun.append(process)
        return process

    yield begin
    folder.chmod(0o755)
    for process in begun:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("command", ["runs", "status last", "status last --watch", "status last --json", "logs last"])
def test_what_is_kept_is_shown(command: str, folder: Path, begin: Begin, shell: Shell) -> None:
    found, kept = shell.call(*command.split()), sorted(folder.iterdir())
    assert [path.name for path in kept] == [".gitignore", "orderlines.db"]
    assert shell.finish(begin(*command.split())) == found
    assert sorted(folder.iterdir()) == kept


@pytest.mark.parametrize("command", ["retry last", "run flow.yaml", "run flow.yaml --detach", "recover"])
def test_nothing_is_driven_there(command: str, folder: Path, begin: Begin, shell: Shell) -> None:
    done = shell.finish(begin(*command.split()))
    assert (done.code, f"{folder.name}/orderlines.db cannot be written to" in done.err) == (4, True), done.err


def test_nothing_is_asked_for_there(folder: Path, begin: Begin, shell: Shell) -> None:
    name = left_waiting(shell)
    done = shell.finish(begin("stop", name))
    assert (done.code, f"{folder.name}/orderlines.db cannot be written to" in done.err) == (4, True), done.err


def test_what_others_write_meanwhile_is_seen(begin: Begin, shell: Shell) -> None:
    name = left_waiting(shell)
    watching = begin("status", name, "--watch")
    assert watching.stdout is not None
    assert watching.stdout.readline().startswith(f"run {name}")
    assert shell.call("signal", name, "s").code == 0
    assert shell.call("recover").code == 0
    done = shell.finish(watching)
    assert (done.code, "s#1  SUCCESS\n" in done.out) == (0, True), done.err


def test_what_still_is_in_the_log_is_not_left_out(folder: Path, begin: Begin, shell: Shell) -> None:
    """To read that, SQLite writes a file beside it."""
    (folder / "copy.db").write_bytes((folder / "orderlines.db").read_bytes())
    (folder / "copy.db-wal").write_bytes(b"")
    done = shell.finish(begin("runs", "--store", "sqlite:///.orderlines/copy.db"))
    assert done.code == 4
    assert (
        "cannot open .orderlines/copy.db: .orderlines cannot be written to, which SQLite does even to read" in done.err
    )
    assert "copy the file, and copy.db-wal with it" in done.err


def left_waiting(shell: Shell) -> str:
    """Begin a run that waits for a signal, and have it given back."""
    process = shell.begin("run", shell.flow(GATE))
    until(lambda: "WAITING" in shell.call("status", "last").out, "it waits")
    process.terminate()
    assert shell.finish(process).code == 143
    return shell.runs()[0]
