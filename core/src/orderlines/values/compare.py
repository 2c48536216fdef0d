"""Equality type for type, and copies."""

from __future__ import annotations

from typing import Any, Final

from orderlines.errors import ValueNotStorable
from orderlines.values.encoding import encode

_CONTAINERS: Final = frozenset({dict, list, tuple, set})


def same(a: Any, b: Any) -> bool:
    """Return whether two values are the same, type for type, all the way down.

    ``1``, ``1.0`` and ``True`` are three values; so are ``0.0`` and ``-0.0``, and one instant in two time zones. NaN is
    the same as NaN. The order of a dict's keys does not count. What cannot be stored is the same as itself only.
    """
    kind = type(a)
    if kind is not type(b) or a is b:
        return a is b
    if kind is int or kind is str:
        return bool(a == b)
    if kind is dict:
        return a.keys() == b.keys() and all(same(item, b[key]) for key, item in a.items())
    if kind is list or kind is tuple:
        return len(a) == len(b) and all(map(same, a, b))
    try:
        return encode(a) == encode(b)
    except ValueNotStorable:
        return False


def copy(value: Any) -> Any:
    """Return a value whose containers are new all the way down; scalars are as they are, since nothing changes them."""
    kind = type(value)
    if kind is dict:
        return {key: copy(item) if type(item) in _CONTAINERS else item for key, item in value.items()}
    if kind is list:
        return [copy(item) if type(item) in _CONTAINERS else item for item in value]
    if kind is tuple:
        return tuple(map(copy, value))
    return value.copy() if kind is set else value
