"""What may not be used in a fork of the process that made it."""

from __future__ import annotations

import os
from typing import Final

from orderlines.errors import Forked


class _Process:
    """This process; a fork takes note that it is another one, so that nobody on the path of a step asks the kernel.

    :ivar pid: its number.
    """

    __slots__ = ("pid",)

    def __init__(self) -> None:
        self.look()

    def look(self) -> None:
        """Ask the kernel."""
        self.pid = os.getpid()


PROCESS: Final = _Process()
os.register_at_fork(after_in_child=PROCESS.look)


class Home:
    """The process that something was made in; a fork has its memory, and neither its threads nor its locks.

    :param what: what was made, for the message.
    """

    __slots__ = ("_pid", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        self._pid = PROCESS.pid

    def left(self) -> bool:
        """Return whether this process is another one."""
        return PROCESS.pid != self._pid

    def check(self) -> None:
        """Let only the process itself pass.

        :raises Forked: this is another one.
        """
        if PROCESS.pid != self._pid:
            raise Forked(
                f"{self._what} belongs to process {self._pid}, and this is process {PROCESS.pid}, a fork of it: "
                "make the engine after the fork, or start the process by the method `spawn`"
            )
