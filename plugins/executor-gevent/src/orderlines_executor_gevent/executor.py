"""Many calls in one monkey-patched child process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.executors.children import ChildExecutor
from orderlines.processes.frames import pack

if TYPE_CHECKING:
    from orderlines.executors.base import Call
    from orderlines.processes.supervisor import SupervisedChild


class GeventExecutor(ChildExecutor):
    """Runs calls as greenlets of a child process; the process that it is used in is never patched.

    To ask a call is to raise :class:`orderlines_executor_gevent.serving.CallEnded` in its greenlet; one that takes a
    ``context`` finds it ``stopping`` instead, and the exception only comes at the end of its grace. If that does not
    help, the child is killed: the calls that shared it are ``lost``, and a new child takes the next ones.
    """

    name = "gevent"
    entry = "orderlines_executor_gevent.child:main"
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
