"""Forking a supervised process off this very process, instead of off a spawner."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from orderlines.processes.descriptors import close_all_but
from orderlines.processes.keeper import keep
from orderlines.processes.supervisor import Exit, SupervisedChild
from orderlines.processes.worker import serve

if TYPE_CHECKING:
    from typing import Self


class ForkedChild(SupervisedChild):
    """A worker that shares all that this process has imported, with a keeper as any other has.

    Unlike other workers it is not told to die with its keeper, which takes 12 ms that count here: the end of its data
    socket tells it that this process has gone, and it may call
    :func:`orderlines.processes.prctl.die_with_parent` itself when it has time.

    *Must* only be started by a process of one thread, which has nothing open that a fork may not share (SQLite's files
    are such things): close it before.
    """

    def __init__(self, control: socket.socket, data: socket.socket, keeper: int) -> None:
        super().__init__(control, data)
        self._keeper = keeper

    @classmethod
    def start(cls, entry: str) -> Self:
        """Fork a keeper and its worker.

        :param entry: ``package.module:function``; called in the worker with the descriptor of its stream socket.
        """
        control, keepers = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        data, workers = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        watched = _watch_self()
        keeper = os.fork()
        if keeper == 0:
            _become_keeper(entry, keepers.fileno(), workers.fileno(), watched)
        for descriptor in (keepers, workers):
            descriptor.close()
        if watched is not None:
            os.close(watched)
        return cls(control, data, keeper)

    def give_up(self) -> None:
        """Kill the worker's group and the keeper, which does not tell the end: something holds it (SIGSTOP).

        No number is another process's by now: the keeper is this process's child, and has not reaped the worker.
        """
        for send in (os.killpg, os.kill):
            if self.pid is not None:
                with suppress(ProcessLookupError, PermissionError):
                    send(self.pid, signal.SIGKILL)
        os.kill(self._keeper, signal.SIGKILL)
        self.exit = Exit(None, left=True)

    def close(self) -> None:
        """Close both sockets and wait until the keeper has ended all that still lives."""
        super().close()
        os.waitpid(self._keeper, 0)


def _watch_self() -> int | None:
    try:
        return os.pidfd_open(os.getpid())
    except OSError:
        return None


def _become_keeper(entry: str, control: int, data: int, watched: int | None) -> NoReturn:
    code = 1
    try:
        close_all_but({control, data} if watched is None else {control, data, watched})
        keep(control, watched, lambda _: serve(entry, data), data)
        code = 0
    finally:
        os._exit(code)
