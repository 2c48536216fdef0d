"""Trying all that the plugins offer: nothing else imports it before a flow asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.errors import PluginError
from orderlines.plugins.loading import traceback_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from orderlines.plugins.manager import PluginInfo, Registry


def tried(registry: Registry) -> list[PluginInfo]:
    """Return the plugins as :meth:`Registry.plugins` does; one that offers what cannot be imported is ``broken``."""
    return [_tried(registry, info) if info.status == "ok" else info for info in registry.plugins()]


def refuse(registry: Registry) -> None:
    """Refuse plugins of which anything is wrong.

    :raises PluginError: there are such; names each with the first line of its error.
    """
    wrong = [info for info in tried(registry) if is_wrong(info)]
    if wrong:
        told = [f"  {info.distribution}: {(info.error or info.status).splitlines()[0]}" for info in wrong]
        raise PluginError(
            "\n".join(("ORDERLINES_PLUGINS_STRICT is set; `orderlines plugins` shows the whole of:", *told))
        )


def is_wrong(info: PluginInfo) -> bool:
    """Return whether a plugin is not as it should be; to be blocked is a wish."""
    return info.status in {"broken", "outdated"}


def _tried(registry: Registry, info: PluginInfo) -> PluginInfo:
    errors = list(_errors(registry, info.provides))
    if not errors:
        return info
    first = errors[0].__cause__
    trace = "" if first is None else traceback_of(first)
    told = "\n".join(filter(None, (*map(str, errors), trace.rstrip())))
    return info._replace(status="broken", error=told)


def _errors(registry: Registry, provides: Mapping[str, list[str]]) -> Iterator[PluginError]:
    load: Mapping[str, Callable[[str], object]] = {
        "node_types": registry.node_type,
        "strategies": registry.strategy,
        "components": registry.components,
        "executors": registry.load_executor,
        "stores": lambda scheme: (registry.store(scheme), registry.results(scheme)),
        "schedulers": registry.scheduler,
        "commands": registry.command,
    }
    for kind, names in provides.items():
        for name in names if kind in load else ():
            try:
                load[kind](name)
            except PluginError as error:
                yield error
