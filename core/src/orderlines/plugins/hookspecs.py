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

    Called once, before the first flow is validated: what the descriptor says about unit, interrupt, isolation
    and what it runs decides which calls and timeouts are accepted. The class is imported when a run needs it::

        @hookimpl
        def orderlines_executors():
            return [ExecutorPlugin("pod", "orderlines_acme.pod:PodExecutor", "call", "kill", "remote")]
    """
    raise NotImplementedError


@hookspec
def orderlines_stores() -> Iterable[StorePlugin]:
    """Return stores.

    Called once, before the first store is opened. The classes of a store and of its result store, if it
    has one, are imported when a URL with its scheme is opened::

        @hookimpl
        def orderlines_stores():
            target, results = "orderlines_acme.store:PostgreSQLStore", "orderlines_acme.results:PostgreSQLResults"
            return [StorePlugin("postgresql", target, results)]
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
def orderlines_run_changed(
    run: str, flow: str, status: str, error: str | None,
    round: int, started: float | None, finished: float | None,  # noqa: A002 -- the word for it
) -> None:  # fmt: skip
    """Take note that a run has begun (RUNNING) or has ended.

    Called in the driver's process after the commit that changed it: at least once, since a driver that takes over from
    one that died cannot know what that one has told. What is returned is ignored; an exception is
    logged and touches neither the run nor other observers. The driver waits for it, so it should be quick. An
    implementation leaves out the parameters that it does not need::

        @hookimpl
        def orderlines_run_changed(run, status):
            statsd.incr(f"orderlines.run.{status.lower()}")

    :param run: the run's id.
    :param flow: the flow's name.
    :param status: its new status, one of :class:`orderlines.states.RunStatus`.
    :param error: what made it fail, as JSON text: ``node``, ``line``, ``type``, ``message``; else ``None``.
    :param round: which round of the run it is, from 1; one that begins with `orderlines retry` is not told as RUNNING.
    :param started: when the run began, in its first round, in seconds since the epoch by the store's clock.
    :param finished: when it ended, likewise; ``None`` while it goes on.
    """
    raise NotImplementedError


@hookspec
def orderlines_line_ended(  # noqa: PLR0913, PLR0917 -- what there is to say
    run: str, flow: str, line: str, status: str, started: float | None, finished: float, error: str | None,
    round: int,  # noqa: A002 -- as above
) -> None:  # fmt: skip
    """Take note that a line which a node has opened has ended; the root line ends with its run.

    Called as :func:`orderlines_run_changed` is, after what is told of the line's last tasks::

        @hookimpl
        def orderlines_line_ended(line, status):
            statsd.incr(f"orderlines.line.{status.lower()}")

    :param run: the run's id.
    :param flow: the name of the run's flow.
    :param line: the path of the line: those of a visit to a node begin with ``LINE/NODE#VISIT/``, where LINE is the
        path of the line that visited it, or with ``LINE/NODE#VISIT.ATTEMPT/`` from the second attempt on.
    :param status: its final status: SUCCESS, FAILURE or STOP.
    :param started: when its first attempt began, by the store's clock; of a line that has been driven by another
        process before, when the attempt began that opened it, or ``None`` where that cannot be told any more.
    :param finished: when it ended, in seconds since the epoch by the store's clock.
    :param error: what made it fail, as JSON text, as for a run.
    :param round: which round of the run it is, from 1.
    """
    raise NotImplementedError


@hookspec
def orderlines_driver_begun() -> None:
    """Make ready: a driver begins in this process, and will tell what changes.

    Called in the thread that begins it, which waits; what takes long belongs in a thread of the plugin's own::

        @hookimpl
        def orderlines_driver_begun():
            sender.start()
    """
    raise NotImplementedError


@hookspec
def orderlines_driver_ended() -> None:
    """Send what is not sent yet: a driver has told all that it had to tell, and its process may be about to end.

    Called in the driver's thread, once for each driver; a program may have several, one after the other. Handlers of
    `atexit` are not called in the processes of `orderlines run` and of workers. A process that takes too long to end is
    killed, that of `orderlines run` after 5 s: so limit this to half of that::

        @hookimpl
        def orderlines_driver_ended():
            spans.flush(timeout=2.0)
    """
    raise NotImplementedError


@hookspec
def orderlines_task_changed(  # noqa: PLR0913, PLR0917 -- an implementation names only what it needs
    run: str, flow: str, line: str, node: str, visit: int, status: str, attempt: int, executor: str | None,
    started: float | None, finished: float | None, error: str | None,
    round: int, type: str | None, component: str | None,  # noqa: A002 -- as above
) -> None:  # fmt: skip
    """Take note that a task has another status.

    Called as :func:`orderlines_run_changed` is: RUNNING when a call begins, and once more where it was taken back
    before its turn came, as behind a long inline call; WAITING for a time, a signal or children, RETRY after an attempt
    that another one follows, and the final ones::

        @hookimpl
        def orderlines_task_changed(node, status):
            statsd.incr(f"orderlines.node.{node}.{status.lower()}")

    :param run: the run's id.
    :param flow: the name of the run's flow.
    :param line: the path of the line.
    :param node: the node's id.
    :param visit: which visit of the line to the node it is, from 1.
    :param status: the task's new status, one of :class:`orderlines.states.TaskStatus`.
    :param attempt: which attempt it is, from 1; 0 where nothing was tried.
    :param executor: where it runs, or has run.
    :param started: when the attempt began, in seconds since the epoch by the store's clock.
    :param finished: when it ended, likewise; ``None`` while it goes on.
    :param error: what made it fail, as JSON text, as for a run.
    :param round: which round of the run it is, from 1.
    :param type: the node's type, such as ``common`` or ``foreach``; ``None`` for an ``on_failure`` call.
    :param component: ``LIBRARY.COMPONENT``, where the node calls one.
    """
    raise NotImplementedError
