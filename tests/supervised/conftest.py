from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.engine import open_store
from orderlines.processes.proc import read_stat
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orderlines.stores.base import Store

PLUGIN = """\
from orderlines.plugins import *
ORDERLINES_API = 1

@hookimpl
def orderlines_components():
    return [ComponentsPlugin("acts", "acts.library")]

@hookimpl
def orderlines_node_types():
    return [NodeTypePlugin("abyss", "abyss", "acts.nodes:Abyss")]

@hookimpl
def orderlines_stores():
    return [StorePlugin("killing", "acts.stores:Killing")]
"""
LIBRARY = """\
import os, signal, sys, time

def act(log, line):
    with open(log, "a") as file:
        file.write(line + "\\n")

def append(log: str, line: str) -> None:
    act(log, line)

def shaky(log: str, line: str) -> None:
    if not os.path.exists(log + ".tried"):
        act(log + ".tried", line)
        raise ValueError("not yet")
    act(log, line)

def gate(log: str, gate: str) -> None:
    act(log, "gate")
    while not os.path.exists(gate):
        time.sleep(0.005)

def linger(log: str, seconds: float) -> None:
    act(log, "linger")
    time.sleep(seconds)

def spin(log: str) -> None:
    act(log, "spin")
    while True:
        pass

def ignore(log: str) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    act(log, "ignore")
    while True:
        time.sleep(0.05)

def obey(log: str, context) -> str:
    act(log, "obey")
    while not context.stopping:
        time.sleep(0.005)
    act(log, "obeyed")
    return "in good order"

def leave(log: str, code: int) -> None:
    act(log, "leave")
    os._exit(code)

def crash(log: str) -> None:
    act(log, "crash")
    os.kill(os.getpid(), signal.SIGSEGV)

def shout(log: str, lines: int) -> None:
    for _ in range(lines):
        print("x" * 1000)
        os.write(1, b"raw\\n")
    act(log, "shout")

def shut(log: str) -> None:
    os.close(1)
    act(log, "shut")
"""
NODES = """\
import os
from orderlines.nodes.base import NodeType

class Abyss(NodeType):
    name = key = "abyss"

    def read(self, value, path, reader):
        return {"how": value}

    def enter(self, settings, scope):
        if settings["how"] == "exit":
            os._exit(7)
        raise RuntimeError("no way")
"""
STORES = """\
import os, signal
from orderlines.stores.sqlite import SQLiteStore

class Killing(SQLiteStore):
    scheme = "killing"
    commits = 0

    def __init__(self, url):
        super().__init__("sqlite:" + url.partition(":")[2])
        number, _, self.when = os.environ["KILL"].partition(" ")
        self.number = int(number)

    def commit(self, driver, steps):
        Killing.commits += 1
        self.kill("before")
        done = super().commit(driver, steps)
        self.kill("after")
        return done

    def kill(self, when):
        if Killing.commits == self.number and self.when == when:
            try:
                os.close(os.open(os.environ["KILLED"], os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)
"""


class Shell:
    """A folder in which the command line is called, with a plugin whose components misbehave.

    :ivar log: the file to which those components write a line when they begin.
    :ivar gate: the file that ``acts.gate`` waits for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.gate = folder / "gate"
        self.url = f"sqlite:///{folder}/runs.db"
        self.environment = {**os.environ, "ORDERLINES_STORE": self.url}
        self._started: list[subprocess.Popen[str]] = []
        self._store: Store | None = None

    def use(self, site: Path) -> None:
        """Let commands see what is installed in a folder."""
        self.environment["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(site), self.environment.get("PYTHONPATH", "")])
        )

    def flow(self, text: str) -> Path:
        """Write a flow; ``LOG`` and ``GATE`` in it stand for the files."""
        path = self.folder / "flow.yaml"
        path.write_text(text.replace("LOG", str(self.log)).replace("GATE", str(self.gate)), encoding="utf-8")
        return path

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Begin a command; it is killed at the end of the test at the latest."""
        command = [sys.executable, "-m", "orderlines.cli.main", *map(str, arguments)]
        process = subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdin=-3, stdout=-1, stderr=-1, text=True
        )
        self._started.append(process)
        return process

    def call(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=100)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def read(self, *arguments: str | Path) -> Any:
        """Return the document that a command prints."""
        return json.loads(self.call(*arguments, "--json").stdout)

    def lines(self) -> list[str]:
        """Return what the components have written."""
        return self.log.read_text(encoding="utf-8").split() if self.log.exists() else []

    def await_lines(self, *expected: str) -> None:
        """Wait until the components have written these lines, in whatever order."""
        until(lambda: sorted(self.lines()) == sorted(expected), f"{expected}")

    def done(self) -> list[str]:
        """Return the nodes whose tasks of the only run are recorded."""
        (row,) = self.store.runs(2)
        return [kept.task.node for kept in self.store.tasks(row.id)]

    @property
    def store(self) -> Store:
        if self._store is None:
            self._store = open_store(self.url)
        return self._store

    def run(self) -> str:
        """Return the name of the only run."""
        (row,) = self.store.runs(2)
        return row.name

    def drivers(self) -> list[int]:
        """Return the process ids of the drivers."""
        return [driver.identity.pid for driver in self.store.drivers()]

    def close(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()
        if self._store is not None:
            self._store.close()


def dead(pid: int) -> bool:
    """Return whether a process has ended."""
    stat = read_stat(pid)
    return stat is None or stat.dead


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def shell(tmp_path: Path, install: Callable[[str, Mapping[str, str]], Path]) -> Iterator[Shell]:
    """A folder in which the command line is called."""
    shell = Shell(tmp_path)
    shell.use(install("acts", {"plugin": PLUGIN, "library": LIBRARY, "nodes": NODES, "stores": STORES}))
    yield shell
    shell.close()
