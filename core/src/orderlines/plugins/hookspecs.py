"""The hooks that a plugin may implement.

The registering hooks (``orderlines_<plural>``) take nothing and return descriptors; each is called at most once a
process, when something that a plugin may provide is first asked for. The observers are called after each commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pluggy import HookspecMarker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orderlines.plugins.descriptors import (
        CommandPlugin,
        ComponentsPlugin,
        ExecutorPlugin,
        NodeTypePlugin,
        SchedulerPlugin,
        StorePlugin,
        StrategyPlugin,
    )

hookspec: Final = HookspecMarker("orderlines")


@hookspec
def orderlines_node_types() -> Iterable[NodeTypePlugin]:
    """Return node types.

    Called once, before the first flow is read. What is returned decides which keys a node may have and which
    ``task_type`` exists; the class is imported when a flow uses it::

        @hookimpl
        def orderlines_node_types():
            return [NodeTypePlugin("approval", "approve", "orderlines_acme.approval:Approval")]
    """
    raise NotImplementedError


@hookspec
def orderlines_strategies() -> Iterable[StrategyPlugin]:
    """Return failure strategies.

    Called once, before the first flow is read. Names and aliases become what ``on_error`` and ``task_strategy`` may
    say; the class is imported when a flow uses it::

        @hookimpl
        def orderlines_strategies():
            return [StrategyPlugin("page", ("pager",), "orderlines_acme.page:PageStrategy")]
    """
    raise NotImplementedError


@hookspec
def orderlines_components() -> Iterable[ComponentsPlugin]:
    """Return component libraries.

    Called once, before the first flow is validated. The library is imported when a flow calls one of its components,
    in the process that validates and in the one that runs the call::

        @hookimpl
        def orderlines_components():
            return [ComponentsPlugin("acme", "orderlines_acme.library:Acme")]
    """
    raise NotImplementedError


@hookspec
def orderlines_executors() -> Iterable[ExecutorPlugin]:
    """Return executors.

    Called once, before the first flow is validated: what the descriptor says about unit, interrupt and isolation
    decides which timeouts are accepted. The class is imported when a run needs it::

        @hookimpl
        def orderlines_executors():
            return [ExecutorPlugin("pod", "orderlines_acme.pod:PodExecutor", "call", "kill", "remote")]
    """
    raise NotImplementedError


@hookspec
def orderlines_stores() -> Iterable[StorePlugin]:
    """Return stores.

    Called once, before the first store is opened. The class is imported when a URL with its scheme is opened::

        @hookimpl
        def orderlines_stores():
            return [StorePlugin("postgresql", "orderlines_acme.postgresql:PostgreSQLStore")]
    """
    raise NotImplementedError


@hookspec
def orderlines_schedulers() -> Iterable[SchedulerPlugin]:
    """Return schedulers.

    Called once, before the first scheduler is started. The class is imported when that scheduler is asked for::

        @hookimpl
        def orderlines_schedulers():
            return [SchedulerPlugin("timers", "orderlines_acme.timers:TimerScheduler")]
    """
    raise NotImplementedError


@hookspec
def orderlines_commands() -> Iterable[CommandPlugin]:
    """Return commands of the command line.

    Called once, when help is shown or a command that core does not know is typed. The command is imported when it is
    run; a command may not take the name of one of core's::

        @hookimpl
        def orderlines_commands():
            return [CommandPlugin("audit", "orderlines_acme.audit:audit", "Check runs against the books.")]
    """
    raise NotImplementedError


@hookspec
def orderlines_run_changed(run: str, status: str) -> None:
    """Take note that a run has another status.

    Called in the driver's process after the commit that changed it. What is returned is ignored; an exception is
    logged and touches neither the run nor other observers. The driver waits for it, so it should be quick::

        @hookimpl
        def orderlines_run_changed(run, status):
            statsd.incr(f"orderlines.run.{status.lower()}")

    :param run: the run's id.
    :param status: its new status, one of :class:`orderlines.states.RunStatus`.
    """
    raise NotImplementedError


@hookspec
def orderlines_task_changed(run: str, line: str, node: str, status: str) -> None:
    """Take note that a task has another status.

    Called as :func:`orderlines_run_changed` is. An implementation may leave out parameters that it does not need::

        @hookimpl
        def orderlines_task_changed(node, status):
            statsd.incr(f"orderlines.node.{node}.{status.lower()}")

    :param run: the run's id.
    :param line: the path of the line.
    :param node: the node's id.
    :param status: the task's new status, one of :class:`orderlines.states.TaskStatus`.
    """
    raise NotImplementedError
