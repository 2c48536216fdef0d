"""Calls that share a child process, and in it one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.executors.children import ChildExecutor
from orderlines.processes.frames import pack

if TYPE_CHECKING:
    from orderlines.executors.base import Call
    from orderlines.processes.supervisor import SupervisedChild


class SharedChildExecutor(ChildExecutor):
    """Puts all calls into one child, a thousand at once; the server there asks a call by raising an exception in it."""

    slack = 0.25

    def default_concurrency(self) -> int:
        """Return 1,000."""
        return 1000

    def capacity(self) -> int:
        """Return the concurrency: all calls share one child."""
        return self.concurrency

    def ask(self, child: SupervisedChild, call: Call, grace: float) -> None:
        """Have the exception raised, or the context told."""
        child.send(pack(["end", call.id, grace]))
