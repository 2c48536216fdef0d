"""Looking things up: names in the scope, keys and indices in values. Never an attribute of a Python object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from orderlines.errors import ExpressionError
from orderlines.expression.limits import MissingError, check_items, check_text, kind_of

Scope = Mapping[str, Any]
Closure = Callable[[Scope], Any]
Reference = tuple[str, ...]
"""A name, and the constant text keys behind it."""

_SEQUENCES: Final = frozenset({list, str, tuple, bytes})


def load(path: Reference) -> Closure:
    """Return what looks up a name and then each key behind it."""
    name, keys = path[0], path[1:]
    if not keys:
        return _load_name(name)

    def look_up(scope: Scope) -> Any:
        try:
            value = scope[name]
        except KeyError:
            raise MissingError(f"variable '{name}' is not set") from None
        for at, key in enumerate(keys):
            try:
                value = value[key] if type(value) is dict else get_key(value, key)
            except KeyError:
                if path[:at] == () and name == "nodes":
                    raise MissingError(f"the node {key!r} has not been walked") from None
                raise MissingError(f"{written(path[: at + 1])} has no key '{key}'") from None
        return value

    return look_up


def _load_name(name: str) -> Closure:
    def look_up(scope: Scope) -> Any:
        try:
            return scope[name]
        except KeyError:
            raise MissingError(f"variable '{name}' is not set") from None

    return look_up


def written(path: Reference) -> str:
    """Write a reference as flows do: ``nodes['any-dag'].result``."""
    keys = (f".{key}" if key.isidentifier() else f"[{key!r}]" for key in path[1:])
    return path[0] + "".join(keys)


def get_key(value: Any, key: str) -> Any:
    """Return what a dict, or another mapping in the scope, has under a text key.

    :raises KeyError: it has no such key.
    """
    if isinstance(value, Mapping):
        return value[key]
    if value is None:
        raise MissingError(f"null has no key '{key}'")
    raise ExpressionError(f"{kind_of(value)} has no keys, so none is '{key}'")


def get_item(value: Any, index: Any) -> Any:
    """Return what stands under a key of a dict, or at an index of a list or text; below zero, counted from the end."""
    if type(index) is str:
        try:
            return get_key(value, index)
        except KeyError:
            raise MissingError(f"there is no key {index[:100]!r}") from None
    if type(index) is not int:
        raise ExpressionError(f"an index is an integer or a text, not {kind_of(index)}")
    if value is None:
        raise MissingError(f"null has no item {index}")
    if type(value) not in _SEQUENCES:
        hint = "; its keys are texts" if isinstance(value, Mapping) else ""
        raise ExpressionError(f"{kind_of(value)} has no item {index}{hint}")
    if not -len(value) <= index < len(value):
        raise MissingError(f"index {index} is out of range: there are {len(value)} items")
    return value[index]


def get_slice(value: Any, start: Any, stop: Any) -> Any:
    """Return a part of a list or text; its size is checked before it is made."""
    for bound in (start, stop):
        if bound is not None and type(bound) is not int:
            raise ExpressionError(f"the bounds of a part are integers, not {kind_of(bound)}")
    if type(value) not in _SEQUENCES:
        raise ExpressionError(f"{kind_of(value)} has no parts")
    part = slice(start, stop)
    size = len(range(*part.indices(len(value))))
    if type(value) in {str, bytes}:
        check_text(size)
    else:
        check_items(size)
    return value[part]
