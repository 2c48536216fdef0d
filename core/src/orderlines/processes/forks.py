"""What may not be used in a fork of the process that made it."""

from __future__ import annotations

import os

from orderlines.errors import Forked


class Home:
    """The process that something was made in; a fork has its memory, and neither its threads nor its locks.

    :param what: what was made, for the message.
    """

    __slots__ = ("_pid", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        self._pid = os.getpid()

    def left(self) -> bool:
        """Return whether this process is another one."""
        return os.getpid() != self._pid

    def check(self) -> None:
        """Let only the process itself pass.

        :raises Forked: this is another one.
        """
        if os.getpid() != self._pid:
            raise Forked(
                f"{self._what} belongs to process {self._pid}, and this is process {os.getpid()}, a fork of it: "
                "make the engine after the fork, or start the process by the method `spawn`"
            )
