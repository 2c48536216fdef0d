"""What core itself offers, registered through the same hooks as everything else."""

from __future__ import annotations

from orderlines.commands import COMMANDS
from orderlines.plugins.descriptors import (
    CommandPlugin,
    ComponentsPlugin,
    ExecutorPlugin,
    NodeTypePlugin,
    SchedulerPlugin,
    StorePlugin,
    StrategyPlugin,
)
from orderlines.plugins.marker import hookimpl

ORDERLINES_API = 1


@hookimpl
def orderlines_node_types() -> list[NodeTypePlugin]:
    """Return the node types of both notations."""
    return [
        NodeTypePlugin("start", "start", "orderlines.nodes.start:Start"),
        NodeTypePlugin("end", "end", "orderlines.nodes.end:End"),
        NodeTypePlugin("common", "call", "orderlines.nodes.common:Common"),
        NodeTypePlugin("process_control", "switch", "orderlines.nodes.process_control:ProcessControl"),
        NodeTypePlugin("parallel", "parallel", "orderlines.nodes.parallel:Parallel"),
        NodeTypePlugin("group", "group", "orderlines.nodes.group:Group"),
        NodeTypePlugin("foreach", "foreach", "orderlines.nodes.foreach:Foreach"),
        NodeTypePlugin("graph", "graph", "orderlines.nodes.graph:Graph"),
        NodeTypePlugin("sub_process", "flow", "orderlines.nodes.sub_process:SubProcess"),
        NodeTypePlugin("delay", "delay", "orderlines.nodes.delay:Delay"),
        NodeTypePlugin("until", "until", "orderlines.nodes.until:Until"),
        NodeTypePlugin("signal", "signal", "orderlines.nodes.signal:Signal"),
    ]


@hookimpl
def orderlines_strategies() -> list[StrategyPlugin]:
    """Return the strategies."""
    return [
        StrategyPlugin("raise", (), "orderlines.strategies.raise_:RaiseStrategy"),
        StrategyPlugin("skip", ("ignore",), "orderlines.strategies.skip:SkipStrategy"),
        StrategyPlugin("retry", (), "orderlines.strategies.retry:RetryStrategy"),
        StrategyPlugin("goto", (), "orderlines.strategies.goto:GotoStrategy"),
    ]


@hookimpl
def orderlines_components() -> list[ComponentsPlugin]:
    """Return the library whose components mark the two ends of an original flow and do nothing."""
    return [ComponentsPlugin("BuiltIn", "orderlines.components.builtin")]


@hookimpl
def orderlines_executors() -> list[ExecutorPlugin]:
    """Return the executors that need nothing but the standard library."""
    return [
        ExecutorPlugin("inline", "orderlines.executors.inline:InlineExecutor", "call", "none", "thread"),
        ExecutorPlugin("thread", "orderlines.executors.thread:ThreadExecutor", "call", "none", "thread"),
        ExecutorPlugin(
            "asyncio", "orderlines.executors.asyncio_:AsyncioExecutor", "call", "kill", "process", "coroutines"
        ),
    ]


@hookimpl
def orderlines_stores() -> list[StorePlugin]:
    """Return the embedded store."""
    results = "orderlines.stores.sqlite.results:SQLiteResults"
    return [StorePlugin("sqlite", "orderlines.stores.sqlite:SQLiteStore", results)]


@hookimpl
def orderlines_schedulers() -> list[SchedulerPlugin]:
    """Return the scheduler that needs no server."""
    return [SchedulerPlugin("embedded", "orderlines.schedulers.embedded:EmbeddedScheduler")]


@hookimpl
def orderlines_commands() -> list[CommandPlugin]:
    """Return the commands; they are found without this, which keeps their names from being taken."""
    return [CommandPlugin(name, f"orderlines.cli.{name}:command", told) for name, told in COMMANDS.items()]
