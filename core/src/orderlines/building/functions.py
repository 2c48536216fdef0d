"""What flows call a Python function."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from orderlines.components.base import declared
from orderlines.errors import PluginError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.plugins import Registry


def component_name(function: Callable[..., Any], registry: Registry) -> str:
    """Return ``LIBRARY.COMPONENT`` for a function: that of an installed library, or else that of its own module.

    :raises UsageError: it is in no library and no component by itself.
    """
    installed = _installed(function, registry)
    if installed is not None:
        return installed
    name, module = getattr(function, "__name__", ""), getattr(function, "__module__", "")
    shown = f"{module}.{getattr(function, '__qualname__', repr(function))}"
    if declared(function) is None:
        raise UsageError(f"{shown} is no component; put @orderlines.component before it")
    if getattr(sys.modules.get(module), name, None) is not function:
        raise UsageError(f"{shown} cannot be found by its name; define it at the top of a module")
    return f"{module}.{name}"


def _installed(function: Callable[..., Any], registry: Registry) -> str | None:
    package = str(getattr(function, "__module__", "")).partition(".")[0]
    for plugin in registry.libraries_of(package):
        try:
            components = registry.components(plugin)
        except PluginError:
            continue  # what is wrong with it is said where it is asked for by name
        for component in components:
            if function in {component.call, getattr(component.call, "__func__", None)}:
                return f"{plugin}.{component.name}"
    return None
