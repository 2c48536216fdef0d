"""Coroutine functions in the event loop of one child process."""

from __future__ import annotations

from orderlines.executors.shared import SharedChildExecutor


class AsyncioExecutor(SharedChildExecutor):
    """Runs calls of coroutine functions as tasks of one event loop, in a child process; plain functions are refused.

    To ask a call is to cancel its task; one that takes a ``context`` finds it ``stopping`` instead, and is cancelled
    only at the end of its grace. If that does not help, the child is killed: the calls that shared it are ``lost``, and
    a new child takes the next ones.
    """

    name = "asyncio"
    runs = "coroutines"
    entry = "orderlines.executors.asyncio_child:main"
    preload = ("orderlines.executors.asyncio_child",)
