from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest

import orderlines
from orderlines.plugins import registry
from orderlines.testing.bench import PATIENCE, lives, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SITE = Path(__file__).resolve().parent / "site"
MARK = "ORDERLINES_TEST_MARK"


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def kit() -> Iterator[None]:
    """Make the libraries ``kit``, ``meet`` and ``odd`` known, here and in the processes that a test starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SITE))
        patch.setenv("PYTHONPATH", str(SITE), prepend=os.pathsep)
        registry.cache_clear()
        yield
    registry.cache_clear()


@pytest.fixture
def beside(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes a flow of two lines that run to their ends on an executor, a bad call and a good one."""

    def write(executor: str, bad: dict[str, Any], good: dict[str, Any]) -> Path:
        lines = {"good": [{"id": "good", **good}], "bad": [{"id": "bad", **bad}]}
        gateway = {"executor": executor, "on_branch_failure": "wait", "lines": lines}
        path = tmp_path / "flow.json"
        path.write_text(json.dumps({"flow": "beside", "line": [{"id": "p", "parallel": gateway}]}), encoding="utf-8")
        return path

    return write


class Ran(NamedTuple):
    """How ``orderlines run --json`` ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        document: dict[str, Any] = json.loads(self.out)
        return document


class Shell:
    """The command line in a folder of its own, with the means to find every process that comes of it.

    Whatever a command starts inherits a mark in its environment, whichever session and parent it goes to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = uuid4().hex
        self._begun: list[subprocess.Popen[str]] = []

    def begin(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a command, as the installed script does."""
        command = [sys.executable, "-m", "orderlines.cli.entry", *map(str, arguments)]
        environment = {**os.environ, MARK: self.mark}
        process = subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._begun.append(process)
        return process

    def finish(self, process: subprocess.Popen[str]) -> Ran:
        """Wait for a command's end."""
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except BaseException:
            process.kill()
            raise
        return Ran(process.returncode, out, err)

    def call(self, *arguments: str | Path) -> Ran:
        """Run a command to its end."""
        return self.finish(self.begin(*arguments))

    def flow(self, text: str) -> Path:
        """Write a flow file."""
        path = self.folder / "flow.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def runs(self) -> list[str]:
        """Return the names of all runs, newest first."""
        return [run["run"] for run in self.call("runs", "--json").document["runs"]]

    def processes(self) -> list[int]:
        """Return the processes that come of the commands and live."""
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if self._is_ours(path)]

    def left_alone(self) -> None:
        """Assert that no process is left of any command.

        A command has ended for whoever called it just before the last of its processes are gone.
        """
        until(lambda: not self.processes(), "no process of the commands is left")

    def end(self) -> None:
        """End what is left."""
        for process in self.processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        for begun in self._begun:
            begun.communicate()

    def _is_ours(self, path: Path) -> bool:
        try:
            found = f"{MARK}={self.mark}".encode() in path.read_bytes().split(b"\0")
        except OSError:
            return False
        return found and lives(int(path.parent.name))


@pytest.fixture(params=["mariadb", "redis"])
def databases(request: pytest.FixtureRequest, private_server: Callable[[str], Any]) -> Callable[[], str]:
    """Return the URL of an empty store on a private server, at each call."""
    new_database: Callable[[], str] = private_server(request.param).new_database
    return new_database


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """The command line in an empty folder."""
    shell = Shell(tmp_path)
    yield shell
    shell.end()


@pytest.fixture
def names(shell: Shell) -> dict[str, str]:
    """The names of two runs that have ended, of the flows ``done`` and ``fails``, in the commands' default store."""
    folder = shell.folder / ".orderlines"
    folder.mkdir()
    done = "flow: done\nline: [{id: a, call: demo.echo, with: {value: 1}}]\n"
    fails = "flow: fails\nline: [{id: a, call: demo.fail, with: {message: no, times: 9}}]\n"
    with orderlines.Engine(f"sqlite:///{folder}/orderlines.db", "inline") as engine:
        runs = [engine.start(orderlines.load(shell.flow(text))) for text in (done, fails)]
        assert [run.wait(PATIENCE) for run in runs] == ["SUCCESS", "FAILURE"]
    return {"done": runs[0].name, "fails": runs[1].name}
