"""Where a call runs: what the flow says, if that can run it, and for a call with a timeout what can keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.errors import OrderlinesError, PluginError

if TYPE_CHECKING:
    from orderlines.components.base import Component
    from orderlines.flow.model import Block, Flow, Handler, Node
    from orderlines.plugins import ExecutorPlugin, Registry

DEFAULT: Final = "inline"
LINE: Final = "line"
"""The unit of executors to which whole lines travel."""
DEFAULT_QUEUE: Final = "default"
"""The queue of lines for which no other is named."""
COROUTINES: Final = "asyncio"
"""Where coroutine functions run for which nothing is said."""
_KEEPERS: Final = ("process", "gevent", COROUTINES)


class PlacementError(OrderlinesError):
    """A call cannot run where it should.

    :ivar reason: why, in one sentence.
    :ivar hint: what to do.
    :ivar key: which setting is wrong: ``executor`` or ``timeout``.
    """

    def __init__(self, reason: str, hint: str, key: str) -> None:
        super().__init__(f"{reason} ({hint})")
        self.reason = reason
        self.hint = hint
        self.key = key


def resolve(
    node: Node,
    enclosing: str | None,
    flow_default: str | None,
    run_default: str | None,
    component: Component,
    registry: Registry,
) -> str:
    """Return the name of the executor that a node's call runs on; its unit is ``call``.

    :param enclosing: what the nearest node around it says for the calls inside.
    :param run_default: what replaces the flow's default in this run.
    :raises PluginError: an executor is not there.
    :raises PlacementError: the executor that was asked for cannot run the component or keep the timeout, or none is
        there that can.
    """
    explicit = node.executor or enclosing
    if explicit is not None:
        return _explicit(explicit, node.timeout, component, registry)
    return _by_default(run_default or flow_default, node.timeout, component, registry)


def resolve_handler(
    handler: Handler, flow_default: str | None, run_default: str | None, component: Component, registry: Registry
) -> str:
    """Return the name of the executor that the call of an ``on_failure`` runs on; raises as :func:`resolve`."""
    return _by_default(run_default or flow_default, handler.timeout, component, registry)


def home(flow: Flow, run_default: str | None, registry: Registry) -> str | None:
    """Return the queue of what a flow says nothing about; ``None`` where it is for the engine that starts the run.

    :param run_default: what replaces the flow's default executor in this run.
    :raises PluginError: an executor is not there.
    """
    return queue_of(run_default or flow.executor, None, None, registry)


def first_queue(flow: Flow, run_default: str | None, registry: Registry) -> str | None:
    """Return the queue that a run's first line begins in; ``None`` where it is for the engine that starts it.

    The parameters, and what is raised, are those of :func:`home`.
    """
    around = home(flow, run_default, registry)
    return None if around is None else entrance(flow.line, around, registry)


def entrance(block: Block, around: str | None, registry: Registry) -> str | None:
    """Return the queue that a line begins in: its first node's, so that it waits in no other queue before.

    :param around: the queue of what the block says nothing about.
    :raises PluginError: an executor is not there.
    """
    first = next(iter(block.nodes), None)
    if first is None or not first.enabled or "component" not in first.settings:
        return around
    return queue_of(first.executor, first.queue, around, registry)


def queue_of(executor: str | None, queue: str | None, around: str | None, registry: Registry) -> str | None:
    """Return the queue of the workers that something has to run on; ``None``: wherever its line is.

    :param executor: what it says of its executor.
    :param queue: what it says of its queue, which needs no executor beside it.
    :param around: the queue of what it stands in.
    :raises PluginError: the executor is not there.
    """
    if queue is not None:
        return queue
    if executor is not None and registry.executor(executor).unit == LINE:
        return around or DEFAULT_QUEUE
    return around


def check_queue(registry: Registry) -> None:
    """Raise where a queue is named, and no executor is there whose workers could serve it.

    :raises PlacementError: there is none.
    """
    if not any(plugin.unit == LINE for plugin in registry.executors()):
        reason = "nothing that is installed serves queues"
        raise PlacementError(reason, "install orderlines-executor-rq, or take the queue away", "queue")


def _explicit(name: str, timeout: float | None, component: Component, registry: Registry) -> str:
    plugin = registry.executor(name)
    if plugin.unit == LINE:
        # Its worker makes the call where it makes those of which nothing is said.
        return _by_default(None, timeout, component, registry)
    if not _runs(plugin, component):
        raise PlacementError(_unfit(name, component), _runners(registry, component), "executor")
    if timeout is not None and not _keeps(plugin, component):
        reason = f"the executor {name!r} cannot end a call when its timeout is over"
        raise PlacementError(reason, _keepers(registry, component), "timeout")
    return name


def _by_default(default: str | None, timeout: float | None, component: Component, registry: Registry) -> str:
    unsaid = COROUTINES if component.is_coroutine else DEFAULT
    plugin = registry.executor(default or unsaid)
    if plugin.unit != "call" or not _runs(plugin, component):
        plugin = registry.executor(unsaid)
    if timeout is None or _keeps(plugin, component):
        return plugin.name
    for name in reversed(_KEEPERS) if component.cooperative or component.is_coroutine else _KEEPERS:
        keeper = _installed(name, registry)
        if keeper is not None and _keeps(keeper, component):
            return name
    reason = f"a call with a timeout needs an executor that can end it, and {plugin.name!r} cannot"
    raise PlacementError(reason, _keepers(registry, component), "timeout")


def _runs(plugin: ExecutorPlugin, component: Component) -> bool:
    return plugin.runs == "both" or (plugin.runs == "coroutines") == component.is_coroutine


def _keeps(plugin: ExecutorPlugin, component: Component) -> bool:
    if not _runs(plugin, component):
        return False
    return plugin.interrupt == "kill" or (plugin.interrupt == "cooperative" and component.cooperative)


def _installed(name: str, registry: Registry) -> ExecutorPlugin | None:
    try:
        return registry.executor(name)
    except PluginError:
        return None


def _unfit(name: str, component: Component) -> str:
    kind = "a coroutine function" if component.is_coroutine else "a plain function"
    other = "plain functions" if component.is_coroutine else "coroutine functions (async def)"
    return f"{component.library}.{component.name} is {kind}, and the executor {name!r} runs only {other}"


def _runners(registry: Registry, component: Component) -> str:
    plugins = [plugin for plugin in registry.executors() if plugin.unit == "call" and _runs(plugin, component)]
    return _one_of([plugin.name for plugin in plugins], COROUTINES if component.is_coroutine else DEFAULT)


def _one_of(names: list[str], best: str) -> str:
    return f"use executor: {' or '.join(sorted(names, key=lambda name: (name != best, _preference(name))))}"


def _keepers(registry: Registry, component: Component) -> str:
    plugins = [plugin for plugin in registry.executors() if plugin.unit == "call" and plugin.interrupt == "kill"]
    names = [plugin.name for plugin in plugins if _runs(plugin, component)]
    if names:
        return _one_of(names, COROUTINES if component.is_coroutine else _KEEPERS[0])
    return "install orderlines-executor-process or orderlines-executor-gevent, or take the timeout away"


def _preference(name: str) -> tuple[int, str]:
    return (_KEEPERS.index(name) if name in _KEEPERS else len(_KEEPERS), name)
