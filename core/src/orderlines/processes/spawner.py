"""The outermost process: a fresh interpreter that forks a keeper for each slot.

It is started once for an executor and stays tiny and single-threaded: a fork of it is cheap and holds no lock of the
driver, however many threads or greenlets that has. As a sub-reaper it also gets what a killed keeper leaves.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from orderlines.processes.descriptors import close_all_but
from orderlines.processes.keeper import SWEEP, keep
from orderlines.processes.prctl import become_subreaper
from orderlines.processes.proc import descendants, read_stat
from orderlines.processes.reaping import drain, kill, reap, sweep, wake_on_child
from orderlines.processes.worker import work

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUEST = 65536
"""The longest request, in bytes."""


def main(connection: int, driver: int, preload: str) -> None:
    """Serve one driver until it closes the connection or dies.

    :param connection: descriptor of the SEQPACKET socket on which requests come.
    :param driver: the driver's process id.
    :param preload: modules, separated by commas, to import before the first fork.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    become_subreaper()
    watched = watch_parent(driver)
    _preload(filter(None, preload.split(",")))
    Spawner(socket.socket(fileno=connection), watched).run()


def watch_parent(parent: int) -> int | None:
    """Return a pidfd of the parent, or ``None`` where the kernel has none; ends this process if it has died already."""
    try:
        watched = os.pidfd_open(parent)
    except ProcessLookupError:
        sys.exit(0)
    except OSError:
        return None
    if os.getppid() != parent:
        sys.exit(0)
    return watched


class Spawner:
    """Forks keepers on request and takes note of their end."""

    def __init__(self, connection: socket.socket, driver: int | None) -> None:
        self._connection = connection
        self._driver = driver
        self._woken = wake_on_child()
        self._keepers: set[int] = set()

    def run(self) -> None:
        """Return when the driver has gone and nothing of its slots is left."""
        poll = select.poll()
        for descriptor in (self._connection.fileno(), self._woken, self._driver):
            if descriptor is not None:
                poll.register(descriptor, select.POLLIN)
        serving = True
        while serving:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._woken in ready:
                drain(self._woken)
                self._take_note()
            serving = self._driver not in ready
            if serving and self._connection.fileno() in ready:
                serving = self._serve()
        self._finish()

    def _serve(self) -> bool:
        """Take one request; return whether there may be more."""
        try:
            text, passed, _, _ = socket.recv_fds(self._connection, REQUEST, 3)
        except OSError:
            return False
        if not text:
            return False
        request = json.loads(text)
        pid = os.fork()
        if pid == 0:
            self._become_keeper(request, *passed)
        self._keepers.add(pid)
        for descriptor in passed:
            os.close(descriptor)
        return True

    def _become_keeper(self, request: dict[str, str], control: int, data: int, output: int | None = None) -> NoReturn:
        code = 1
        try:
            kept = {each for each in (control, data, output, self._driver) if each is not None}
            self._connection.detach()
            close_all_but(kept)
            sys.path[:] = request["path"]
            keep(control, self._driver, lambda keeper: work(keeper, request["entry"], data, output), data)
            code = 0
        finally:
            os._exit(code)

    def _take_note(self) -> None:
        """Reap; what is our child and no keeper was left by a keeper that died, and is killed."""
        ended, _ = reap()
        failed = [pid for pid, status in ended.items() if pid in self._keepers and status != 0]
        self._keepers.difference_update(ended)
        if failed:
            self._kill_orphans()

    def _kill_orphans(self) -> None:
        me = os.getpid()
        for pid in descendants(me):
            stat = read_stat(pid)
            if stat is not None and stat.parent == me and pid not in self._keepers:
                for orphan in (*descendants(pid), pid):
                    kill(orphan)

    def _finish(self) -> None:
        """Let the keepers end by themselves, which they do at once, and sweep after them."""
        limit = time.monotonic() + SWEEP
        while reap()[1] and time.monotonic() < limit:
            time.sleep(0.002)
        sweep(SWEEP)


def _preload(names: Iterable[str]) -> None:
    for name in names:
        try:
            import_module(name)
        except Exception:  # noqa: BLE001, S112 -- the worker meets the same error, and there it can be told
            continue
