"""From an import string and a name to a :class:`Component`."""

from __future__ import annotations

import sys
from importlib import import_module
from threading import RLock
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from orderlines.components.base import Component, Declared, declared
from orderlines.components.signature import read_signature
from orderlines.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOCK = RLock()
_owners: dict[str, Any] = {}
_loaded: dict[tuple[str, str, str], Component] = {}


def load_component(library: str, name: str, target: str) -> Component:
    """Return a component, imported on first use and kept for the process.

    :param library: the library's name in flows, for messages.
    :param name: the attribute of the library.
    :param target: import string of the library: ``package.module``, or ``package.module:object``. A class is
        instantiated once a process, without arguments.
    :raises PluginError: the library cannot be imported or instantiated, has no such component, or the function is one
        that no flow could call.
    """
    key = (target, library, name)
    found = _loaded.get(key)
    if found is None:
        with _LOCK:
            owner = _owner(library, target)
            found = _loaded[key] = _make(library, name, target, owner)
    return found


def load_declared(module: str, name: str) -> Component | None:
    """Return the function of an imported module as a component, where :func:`component` declares it one.

    :raises PluginError: it is one that no flow could call.
    """
    owner = sys.modules.get(module)
    function = None if owner is None else vars(owner).get(name)
    if owner is None or declared(function) is None:
        return None
    key = (module, module, name)
    with _LOCK:
        found = _loaded.get(key)
        if found is None or found.call is not function:  # a notebook defines it anew
            found = _loaded[key] = _make(module, name, module, owner)
    return found


def declared_names(module: str) -> list[str]:
    """Return the sorted names of the functions of an imported module that are declared to be components."""
    return sorted(name for name, value in vars(sys.modules[module]).items() if declared(value) is not None)


def load_components(library: str, target: str) -> list[Component]:
    """Return all components of a library, sorted by name; raises as :func:`load_component` does."""
    with _LOCK:
        names = component_names(_owner(library, target))
    return [load_component(library, name, target) for name in names]


def component_names(owner: Any) -> list[str]:
    """Return the sorted names of the components that a module or an object offers."""
    if isinstance(owner, ModuleType):
        return sorted(name for name, value in vars(owner).items() if _offered_by_module(owner, name, value))
    names = {name: None for kind in type(owner).__mro__[:-1] for name in vars(kind)}
    names.update(dict.fromkeys(getattr(owner, "__dict__", ())))
    return sorted(name for name in names if _offered_by_object(owner, name))


def _owner(library: str, target: str) -> Any:
    """Import what a library's import string names; a class becomes its instance."""
    if target not in _owners:
        try:
            _owners[target] = _import(target)
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"the component library {library!r} cannot be loaded from {target!r}: "
                f"{type(error).__name__}: {error}; `orderlines doctor` tries all that is installed"
            ) from error
    return _owners[target]


def _import(target: str) -> Any:
    module, _, path = target.partition(":")
    owner: Any = import_module(module)
    for step in filter(None, path.split(".")):
        owner = getattr(owner, step)
    return owner() if isinstance(owner, type) else owner


def _make(library: str, name: str, target: str, owner: Any) -> Component:
    in_module = isinstance(owner, ModuleType)
    if in_module:
        offered = name in vars(owner) and _offered_by_module(owner, name, vars(owner)[name])
    else:
        offered = _offered_by_object(owner, name)
    if not offered:
        raise PluginError(_unknown(library, name, component_names(owner)))
    call = getattr(owner, name)
    try:
        signature = read_signature(call)
    except (TypeError, ValueError) as error:
        raise PluginError(f"{library}.{name} ({target}) cannot be called by a flow: {error}") from error
    return Component(library, name, target, call, declared(call) or Declared(), signature)


def _offered_by_module(module: ModuleType, name: str, value: Any) -> bool:
    """Whether a module offers this as a component: its own public functions, not those that it imported."""
    if name.startswith("_") or isinstance(value, type) or not callable(value):
        return False
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return name in listed
    if declared(value) is not None:
        return True
    home = getattr(value, "__module__", None) or ""
    own = home == module.__name__ or home.startswith(module.__name__ + ".")
    return own and isinstance(value, (FunctionType, BuiltinFunctionType))


def _offered_by_object(owner: Any, name: str) -> bool:
    """Whether an object offers this as a component: a public method, found without running any property."""
    if name.startswith("_"):
        return False
    places: Iterable[Any] = [getattr(owner, "__dict__", {}), *map(vars, type(owner).__mro__[:-1])]
    for place in places:
        if name in place:
            value = place[name]
            return not isinstance(value, type) and (callable(value) or isinstance(value, (staticmethod, classmethod)))
    return False


def _unknown(library: str, name: str, names: list[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 -- only on the way to an error

    close = get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"the library {library!r} has no component {name!r}: {hint}it has {', '.join(names) or 'none'}"
