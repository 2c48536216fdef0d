"""Modules of a user's own whose components a process may import: those that whoever starts it has named, no others.

A flow is data, and whoever can write one could name any module in it. So what a flow, a store or a file of settings
says never causes an import of this kind; ``ORDERLINES_IMPORT`` does, and ``--import``, which adds to it.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from orderlines.components.library import declared_names, load_declared
from orderlines.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orderlines.components.base import Component

VARIABLE: Final = "ORDERLINES_IMPORT"
"""Names of modules, separated by commas."""


def is_module_name(name: str) -> bool:
    """Return whether a text is a plain dotted name: neither a path nor relative to anything."""
    return all(part.isidentifier() for part in name.split("."))


def allow_imports(names: Iterable[str]) -> None:
    """Let this process, and those that it starts from now on, import modules when a run needs their components."""
    os.environ[VARIABLE] = ",".join(dict.fromkeys([*named_modules(), *names]))


def load_own(module: str, name: str) -> Component | None:
    """Return a component of a module that is imported already, or was named; ``None`` where it is neither.

    :raises PluginError: a module that was named cannot be imported, or declares no such component; something that
        was named is no module; or the function is one that no flow could call.
    """
    found = load_declared(module, name)
    if found is not None or not _may_import(module):
        return found
    if module not in sys.modules:
        _import(module)
    found = load_declared(module, name)
    if found is None:
        there = ", ".join(declared_names(module)) or "none"
        raise PluginError(
            f"the module {module!r} has no component {name!r}: it has {there}; "
            f"write @orderlines.component before a function of it that flows may call"
        )
    return found


def own_components(module: str) -> list[Component]:
    """Return the components of such a module, sorted by name: none where it was not named, and has declared none.

    :raises PluginError: as :func:`load_own` does; a module that was named declares none.
    """
    named = _may_import(module)
    if named and module not in sys.modules:
        _import(module)
    names = declared_names(module) if module in sys.modules else []
    if named and not names:
        raise PluginError(
            f"the module {module!r} has no components: write @orderlines.component before a function of it that flows "
            "may call"
        )
    return [found for found in (load_declared(module, name) for name in names) if found is not None]


def _may_import(module: str) -> bool:
    named = named_modules()
    for each in named:
        if not is_module_name(each):
            raise PluginError(f"{VARIABLE} names {each!r}, which is no module: write a dotted name, such as mymod")
    return module in named


def _import(name: str) -> None:
    try:
        import_module(name)
    except (Exception, SystemExit) as error:
        lacking = isinstance(error, ModuleNotFoundError) and error.name is not None
        there = " (PYTHONPATH says where modules are looked for)" if lacking else ""
        raise PluginError(
            f"the module {name!r}, which {VARIABLE} or --import names, cannot be imported: "
            f"{type(error).__name__}: {error}{there}"
        ) from error


def named_modules() -> list[str]:
    """Return the names of those modules, as they were given."""
    return [name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()]
