"""Where a call runs: what the flow says, and for a call with a timeout an executor that can keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.errors import OrderlinesError, PluginError

if TYPE_CHECKING:
    from orderlines.components.base import Component
    from orderlines.flow.model import Handler, Node
    from orderlines.plugins import ExecutorPlugin, Registry

DEFAULT: Final = "inline"
_KEEPERS: Final = ("process", "gevent")


class PlacementError(OrderlinesError):
    """A call cannot run where it should.

    :ivar reason: why, in one sentence.
    :ivar hint: what to do.
    """

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"{reason} ({hint})")
        self.reason = reason
        self.hint = hint


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
    :raises PlacementError: the executor that was asked for cannot keep the timeout, or none is there that can.
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


def _explicit(name: str, timeout: float | None, component: Component, registry: Registry) -> str:
    plugin = registry.executor(name)
    if plugin.unit != "call":
        hint = f"set it for the whole run: --executor {name}, or the flow's own `executor`"
        raise PlacementError(f"the executor {name!r} takes whole lines and no single calls", hint)
    if timeout is not None and not _keeps(plugin, component):
        raise PlacementError(f"the executor {name!r} cannot end a call when its timeout is over", _keepers(registry))
    return name


def _by_default(default: str | None, timeout: float | None, component: Component, registry: Registry) -> str:
    plugin = registry.executor(default or DEFAULT)
    if plugin.unit != "call":
        plugin = registry.executor(DEFAULT)
    if timeout is None or _keeps(plugin, component):
        return plugin.name
    for name in reversed(_KEEPERS) if component.cooperative else _KEEPERS:
        keeper = _installed(name, registry)
        if keeper is not None and _keeps(keeper, component):
            return name
    reason = f"a call with a timeout needs an executor that can end it, and {plugin.name!r} cannot"
    raise PlacementError(reason, _keepers(registry))


def _keeps(plugin: ExecutorPlugin, component: Component) -> bool:
    return plugin.interrupt == "kill" or (plugin.interrupt == "cooperative" and component.cooperative)


def _installed(name: str, registry: Registry) -> ExecutorPlugin | None:
    try:
        return registry.executor(name)
    except PluginError:
        return None


def _keepers(registry: Registry) -> str:
    names = [plugin.name for plugin in registry.executors() if plugin.unit == "call" and plugin.interrupt == "kill"]
    if names:
        return f"use executor: {' or '.join(sorted(names, key=_preference))}"
    return "install orderlines-executor-process or orderlines-executor-gevent, or take the timeout away"


def _preference(name: str) -> tuple[int, str]:
    return (_KEEPERS.index(name) if name in _KEEPERS else len(_KEEPERS), name)
