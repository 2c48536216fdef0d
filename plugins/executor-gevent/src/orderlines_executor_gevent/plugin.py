"""What this distribution offers to orderlines."""

from __future__ import annotations

from orderlines.plugins import ExecutorPlugin, hookimpl

ORDERLINES_API = 1


@hookimpl
def orderlines_executors() -> list[ExecutorPlugin]:
    """Return the executor ``gevent``."""
    target = "orderlines_executor_gevent.executor:GeventExecutor"
    return [ExecutorPlugin("gevent", target, "call", "kill", "process", "functions")]
