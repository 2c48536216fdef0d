"""Workers under test as people start them: the command, a store, flows, and what their calls have witnessed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rq_posts import wait_for

from orderlines.acceptance import new_run, pinned_in
from orderlines.engine import Engine
from orderlines.flow.load import load_data
from orderlines.plugins import registry
from orderlines.processes.proc import descendants
from orderlines.testing.witness import read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines.engine import Run
    from orderlines.flow.model import Flow
    from orderlines.stores.base import Store
    from orderlines.testing.witness import Said

KEY = "a key of the tests, long enough"
PLUGIN = (
    "from orderlines.plugins import *\nORDERLINES_API = 1\n"
    "@hookimpl\ndef orderlines_components():\n    return [\n"
    "        ComponentsPlugin('witness', 'orderlines.testing.witness'),\n"
    "        ComponentsPlugin('stubborn', 'orderlines.testing.misbehaving'),\n    ]\n"
    "@hookimpl\ndef orderlines_executors():\n"
    "    return [ExecutorPlugin('clumsy', 'planted.clumsy:Clumsy', 'call', 'none', 'thread')]\n"
)
CLUMSY = (
    "from pathlib import Path\nfrom orderlines.executors.thread import ThreadExecutor\n"
    "class Clumsy(ThreadExecutor):\n    name = 'clumsy'\n"
    "    def submit(self, call):\n"
    "        if not Path('clumsy').exists():\n"
    "            Path('clumsy').touch()\n            raise OSError('no process can be begun')\n"
    "        super().submit(call)\n"
)
"""An executor that fails with the first call which it is given."""


class Worker:
    """``orderlines worker``, as a process."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """Kill it, as it stands, and see that nothing is left of it."""
        self._end(signal.SIGKILL)

    def end(self) -> int:
        """Ask it to end, and return its exit code."""
        self._end(signal.SIGTERM)
        return self.process.returncode

    def _end(self, number: int) -> None:
        below = descendants(self.process.pid)
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(30)
        wait_for(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in below), "nothing is left of a worker")


class Plant:
    """A store, a queue, workers of both, and an engine that starts runs and waits for them.

    :param site: where the plugins are that are installed for the test.
    :param reached: the URL under which workers and commands reach the store, if that is another one.
    """

    def __init__(self, folder: Path, store: str, queue: str, site: Path, reached: str | None = None) -> None:
        self.folder = folder
        self.url = store
        self.queue = queue
        self.log = folder / "witness.jsonl"
        self.go = folder / "go"
        self.workers: list[Worker] = []
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("ORDERLINES_")}
        self.env |= {
            "PYTHONPATH": os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "ORDERLINES_SIGNING_KEY": KEY, "ORDERLINES_STORE": reached or store, "ORDERLINES_QUEUE": queue,
        }  # fmt: skip
        self.engine = Engine(store, executor="rq", queue=queue)

    @property
    def store(self) -> Store:
        return self.engine.store

    def worker(self, *arguments: str, **env: str) -> Worker:
        """Start a worker; it is not waited for."""
        log = self.folder / f"worker{len(self.workers)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "orderlines.cli.main", "worker", *arguments],
                stdout=output, stderr=output, env={**self.env, **env}, cwd=self.folder, start_new_session=True,
            )  # fmt: skip
        self.workers.append(Worker(process, log))
        return self.workers[-1]

    def call(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "orderlines.cli.main", *arguments],
            capture_output=True, text=True, env={**self.env, **env}, cwd=self.folder, check=False, timeout=60,
        )  # fmt: skip

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "orderlines.cli.main", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env, cwd=self.folder,
        )  # fmt: skip

    def node(self, name: str, *, wait: bool = False, **fields: Any) -> dict[str, Any]:
        """Return a node that leaves its lines in the file, and ends once the file ``go`` is there if it waits."""
        given = {"log": str(self.log), "text": name, **({"wait": str(self.go)} if wait else {})}
        return {"id": name, "call": "witness.act", "with": given, **fields}

    def flow(self, *nodes: Mapping[str, Any], **fields: Any) -> Flow:
        return load_data({"flow": "planted", "line": list(nodes), **fields}, registry()).flow

    def file(self, *nodes: Mapping[str, Any], **fields: Any) -> str:
        """Write a flow to a file, and return its path."""
        path = self.folder / "flow.json"
        path.write_text(json.dumps({"flow": "planted", "line": list(nodes), **fields}), encoding="utf-8")
        return str(path)

    def start(self, *nodes: Mapping[str, Any], **fields: Any) -> Run:
        return self.engine.start(self.flow(*nodes, **fields))

    def start_unrung(self, *nodes: Mapping[str, Any]) -> str:
        """Let the store accept a run for workers, and tell nobody."""
        run = new_run(pinned_in(self.store, self.flow(*nodes), registry()), {}, None, "rq")
        return self.store.accept(run._replace(queue="default")).name

    def said(self, what: str, node: str | None = None) -> list[Said]:
        return [each for each in read(self.log) if each.what == what and node in {None, each.node}]

    def wait_said(self, what: str, node: str, count: int = 1, seconds: float = 30.0) -> None:
        wait_for(lambda: len(self.said(what, node)) >= count, f"{count} x {node} {what}s: {self.told()}", seconds)

    def let_go(self) -> None:
        """Let the calls end that wait."""
        self.go.touch()

    def told(self) -> str:
        return "\n".join(worker.said for worker in self.workers)

    def close(self) -> None:
        self.let_go()
        for worker in self.workers:
            worker.end()
        self.engine.close()
        self.store.close()


def within(seconds: float, condition: Callable[[], object], what: str) -> float:
    """Return how long it took until a condition held."""
    begun = time.monotonic()
    wait_for(condition, what, seconds)
    return time.monotonic() - begun
