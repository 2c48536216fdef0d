"""What this distribution offers to orderlines."""

from __future__ import annotations

from orderlines.plugins import CommandPlugin, ExecutorPlugin, hookimpl

ORDERLINES_API = 1


@hookimpl
def orderlines_executors() -> list[ExecutorPlugin]:
    """Return the executor ``rq``."""
    return [ExecutorPlugin("rq", "orderlines_executor_rq.executor:RQExecutor", "line", "kill", "remote")]


@hookimpl
def orderlines_commands() -> list[CommandPlugin]:
    """Return the commands ``worker`` and ``workers``."""
    return [
        CommandPlugin("worker", "orderlines_executor_rq.serve_command:command", "Serve lines of runs as a worker."),
        CommandPlugin("workers", "orderlines_executor_rq.list_command:command", "List workers and their queues."),
    ]
