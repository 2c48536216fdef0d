"""Threads and processes that use one store at the same moment."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import TYPE_CHECKING, Any, Self

from orderlines.testing.drivers.jobs import JOBS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.stores.base import Store

PATIENCE = 120.0
"""Seconds after which a process of the crowd hangs."""


class Peer:
    """A process that opens a store when it is told to, and does a job there."""

    def __init__(self, kind: type[Store], url: str, job: str, arguments: dict[str, Any]) -> None:
        command = [
            sys.executable,
            "-m",
            "orderlines.testing.drivers.peer",
            kind.__module__,
            kind.__qualname__,
            url,
            job,
        ]
        self._process = subprocess.Popen(  # noqa: S603 -- our own module
            [*command, json.dumps(arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        """Return it once it has started and waits."""
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            self.result()
        return self

    def __exit__(self, *_: object) -> None:
        """End it, whatever it does."""
        with self._process:
            self._process.kill()

    def go(self) -> None:
        """Let it begin."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        self._process.stdin.flush()

    def result(self) -> Any:
        """Wait for its end and return what its job returned."""
        out, err = self._process.communicate(timeout=PATIENCE)
        assert self._process.returncode == 0, err.decode(errors="replace")
        return json.loads(out)


def in_processes(store: Store, job: str, arguments: Sequence[dict[str, Any]]) -> list[Any]:
    """Do a job in a process of its own for each set of arguments, all at once, and return the results in order."""
    return crowd_at(type(store), store.url, job, arguments)


def crowd_at(kind: type[Store], url: str, job: str, arguments: Sequence[dict[str, Any]]) -> list[Any]:
    """Do as :func:`in_processes` for a store that nobody here has opened."""
    starting = [Peer(kind, url, job, each) for each in arguments]
    with ExitStack() as stack:
        peers = [stack.enter_context(peer) for peer in starting]
        for peer in peers:
            peer.go()
        return [peer.result() for peer in peers]


def in_threads(store: Store, job: str, arguments: Sequence[dict[str, Any]]) -> list[Any]:
    """Do a job in a thread for each set of arguments, all at once on one store object; return the results in order."""
    barrier = Barrier(len(arguments))

    def work(each: dict[str, Any]) -> Any:
        barrier.wait()
        return JOBS[job](store, **each)

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(work, arguments))
