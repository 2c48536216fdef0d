"""What a host program is told at the start: which executors cannot end what they run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from orderlines.logger import logger

if TYPE_CHECKING:
    from orderlines.executors.base import Executor


class Cautions:
    """Says of each executor once, in the log, what a stop comes to there; for an engine in a program's own process.

    The command line needs none of it: there the driver's process is ended where a call does not end.
    """

    def __init__(self) -> None:
        self._told: set[str] = set()

    def tell(self, executor: Executor) -> None:
        """Take note of an executor that has been started."""
        if executor.interrupt != "none" or executor.name in self._told:
            return
        self._told.add(executor.name)
        # Who has not imported `logging` has not asked to see this: it would cost 10 ms to say it to nobody.
        if "logging" in sys.modules:
            logger().info(_STOP, executor.name, _WAITS if executor.polls else _LEAVES)


_STOP = (
    "calls run on the executor %r in this process, and one that runs cannot be ended from outside: "
    "a stop, or the run's timeout, %s; give what must be stoppable `executor: process` or `gevent`"
)
_WAITS = "waits until it returns"
_LEAVES = "leaves it running, and nobody hears its result"
