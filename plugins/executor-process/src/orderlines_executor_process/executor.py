"""One warm child process for each call at a time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from orderlines.executors.children import ChildExecutor
from orderlines.settings import default_memory_limit

if TYPE_CHECKING:
    from orderlines.executors.base import Call
    from orderlines.processes.supervisor import SupervisedChild


class ProcessExecutor(ChildExecutor):
    """Runs each call in a process that has no other.

    Asking is SIGTERM to the process group: a call that takes a ``context`` finds it ``stopping``, any other one ends by
    the signal's default action. A call that was ended takes its process with it, and everything that it started.
    """

    name = "process"
    entry = "orderlines_executor_process.child:main"
    pipes = True
    preload = ("orderlines_executor_process.child", "orderlines.capture.records")
    """The second: a call may be the first to import Python's logging, and its records are taken all the same."""

    def start(self) -> None:
        """Start the first child.

        :raises UsageError: what the settings say of the children's memory is wrong: better told here than by them.
        """
        default_memory_limit()
        super().start()

    def default_concurrency(self) -> int:
        """Return the number of processors."""
        return os.cpu_count() or 1

    def capacity(self) -> int:
        """Return 1."""
        return 1

    def ask(self, child: SupervisedChild, call: Call, grace: float) -> None:
        """Send SIGTERM, and SIGKILL after ``grace`` seconds."""
        child.end(grace)
