"""Many calls in one monkey-patched child process."""

from __future__ import annotations

from orderlines.executors.shared import SharedChildExecutor


class GeventExecutor(SharedChildExecutor):
    """Runs calls as greenlets of a child process; the process that it is used in is never patched.

    To ask a call is to raise :class:`orderlines_executor_gevent.serving.CallEnded` in its greenlet; one that takes a
    ``context`` finds it ``stopping`` instead, and the exception only comes at the end of its grace. If that does not
    help, the child is killed: the calls that shared it are ``lost``, and a new child takes the next ones.

    Coroutine functions are refused: event loops and greenlets do not share a thread.
    """

    name = "gevent"
    runs = "functions"
    entry = "orderlines_executor_gevent.child:main"
