"""Type hints compiled once into closures that check a value strictly: nothing is coerced."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

Check = Callable[[Any], "str | None"]
"""Takes a value; returns ``None``, or in one clause why the value does not fit. Never shows the value itself."""

_ARRAYS = (Sequence, Collection, Iterable)
_SETS = (set, frozenset, AbstractSet)
_MAPPINGS = (dict, Mapping)
_QUALIFIERS = tuple(
    qualifier
    for name in ("Required", "NotRequired", "ReadOnly", "ClassVar", "Final", "Annotated")
    if (qualifier := getattr(typing, name, None)) is not None
)


def compile_hint(hint: Any) -> Check | None:
    """Turn a resolved hint into a check.

    An int is accepted for a float, a bool never for a number, a string never for a sequence.

    :return: ``None`` where every value fits.
    :raises TypeError: the hint cannot be checked; its text names the hint.
    """
    check = _compile(hint, {})
    return None if check is accept else check


def accept(value: Any) -> str | None:
    """Accept every value."""
    return None


def describe(hint: Any) -> str:
    """Write a hint as people do: ``int``, ``list[str]``, ``int | None``."""
    if hint is None or hint is types.NoneType:
        return "None"
    if isinstance(hint, (type, typing.TypeVar, typing.NewType)):
        return hint.__name__
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return " | ".join(map(describe, typing.get_args(hint)))
    return str(hint).replace("typing.", "").replace("collections.abc.", "")


def typed_dict_fields(hint: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the resolved fields of a TypedDict, and the sorted names of the required ones.

    ``__required_keys__`` alone is wrong where annotations are strings: a ``NotRequired`` in them is not seen by it.
    """
    required = set(hint.__required_keys__)
    for name, field in typing.get_type_hints(hint, include_extras=True).items():
        qualifier = typing.get_origin(field)
        if qualifier is typing.NotRequired:
            required.discard(name)
        elif qualifier is typing.Required:
            required.add(name)
    return typing.get_type_hints(hint), sorted(required)


def _compile(hint: Any, known: dict[Any, Check]) -> Check:
    """Compile one hint; ``known`` holds the recursive ones that are being compiled."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if hint in known:
        return known[hint]
    origin = typing.get_origin(hint)
    if origin is not None:
        return _compile_generic(hint, origin, known)
    for applies, compiler in _COMPILERS:
        if applies(hint):
            return compiler(hint, known)
    raise TypeError(f"the hint {describe(hint)} cannot be checked")


def _compile_generic(hint: Any, origin: Any, known: dict[Any, Check]) -> Check:
    """Compile a hint with parameters; of a class that is not known here, only the class is checked."""
    if origin in _GENERIC:
        return _GENERIC[origin](hint, known)
    if typing.is_typeddict(origin):
        return _compile(origin, known)
    if isinstance(origin, type) and origin not in (Callable, type):
        return _compile_class(origin, known)
    raise TypeError(f"the hint {describe(hint)} cannot be checked")


def _compile_class(hint: Any, known: dict[Any, Check]) -> Check:
    if getattr(hint, "_is_protocol", False) and not getattr(hint, "_is_runtime_protocol", True):
        raise TypeError(f"the hint {describe(hint)} is a protocol and cannot be checked")
    return _instance_of(hint)


def _compile_union(hint: Any, known: dict[Any, Check]) -> Check:
    checks = [_compile(member, known) for member in typing.get_args(hint)]
    if accept in checks:
        return accept
    expected = describe(hint)

    def check(value: Any) -> str | None:
        reasons = []
        for member in checks:
            reason = member(value)
            if reason is None:
                return None
            reasons.append(reason)
        inner = [reason for reason in reasons if reason.startswith("[")]
        return inner[0] if len(inner) == 1 else f"expected {expected}, got {_kind(value)}"

    return check


def _compile_qualified(hint: Any, known: dict[Any, Check]) -> Check:
    return _compile(typing.get_args(hint)[0], known)


def _compile_items(hint: Any, known: dict[Any, Check]) -> Check:
    return _items(_compile(typing.get_origin(hint), known), _compile(typing.get_args(hint)[0], known))


def _compile_mapping(hint: Any, known: dict[Any, Check]) -> Check:
    key, item = typing.get_args(hint)
    return _mapping(_compile(typing.get_origin(hint), known), _compile(key, known), _compile(item, known))


def _compile_tuple(hint: Any, known: dict[Any, Check]) -> Check:
    outer = _instance_of(tuple)
    members = typing.get_args(hint)
    if members[-1:] == (Ellipsis,):
        return _items(outer, _compile(members[0], known))
    checks = [_compile(member, known) for member in members]

    def check(value: Any) -> str | None:
        reason = outer(value)
        if reason is not None:
            return reason
        if len(value) != len(checks):
            return f"expected a tuple of {len(checks)}, got one of {len(value)}"
        return _first(zip(range(len(checks)), checks, value, strict=True))

    return check


def _compile_typed_dict(hint: Any, known: dict[Any, Check]) -> Check:
    fields: dict[str, Check] = {}
    hints, required = typed_dict_fields(hint)

    def check(value: Any) -> str | None:
        if not isinstance(value, dict):
            return f"expected {hint.__name__}, got {_kind(value)}"
        for key in required:
            if key not in value:
                return f"expected {hint.__name__}, but the key {key!r} is missing"
        for key in value:
            if key not in fields:
                return f"expected {hint.__name__}, which has no key {key!r}"
        return _first((key, fields[key], item) for key, item in value.items())

    known[hint] = check
    fields.update((key, _compile(field, known)) for key, field in hints.items())
    return check


def _compile_alias(hint: Any, known: dict[Any, Check]) -> Check:
    """Compile a ``type X = ...`` (Python 3.12), which may name itself."""

    def check(value: Any) -> str | None:
        return compiled(value)

    known[hint] = check
    compiled = _compile(hint.__value__, known)
    return compiled


def _compile_variable(hint: Any, known: dict[Any, Check]) -> Check:
    if hint.__constraints__:
        return _compile(typing.Union[hint.__constraints__], known)  # noqa: UP007 -- made from a tuple
    return accept if hint.__bound__ is None else _compile(hint.__bound__, known)


def _instance_of(kind: type) -> Check:
    def check(value: Any) -> str | None:
        return None if isinstance(value, kind) else f"expected {describe(kind)}, got {_kind(value)}"

    return check


def _integer(value: Any) -> str | None:
    if type(value) is int or (isinstance(value, int) and not isinstance(value, bool)):
        return None
    return f"expected int, got {_kind(value)}"


def _float(value: Any) -> str | None:
    if type(value) is float or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return None
    return f"expected float, got {_kind(value)}"


def _sequence(value: Any) -> str | None:
    if isinstance(value, (list, tuple)):
        return None
    return f"expected list, got {_kind(value)}"


def _never(value: Any) -> str | None:
    return f"expected no value at all, got {_kind(value)}"


def _compile_literal(hint: Any, known: dict[Any, Check]) -> Check:
    choices = typing.get_args(hint)
    allowed = {(type(choice), choice) for choice in choices}
    expected = " or ".join(map(repr, choices))

    def check(value: Any) -> str | None:
        try:
            fits = (type(value), value) in allowed
        except TypeError:
            fits = False
        return None if fits else f"expected {expected}, got another {_kind(value)}"

    return check


def _items(outer: Check, item: Check) -> Check:
    if item is accept:
        return outer

    def check(value: Any) -> str | None:
        return outer(value) or _first((index, item, member) for index, member in enumerate(value))

    return check


def _mapping(outer: Check, key: Check, item: Check) -> Check:
    if key is accept and item is accept:
        return outer

    def check(value: Any) -> str | None:
        reason = outer(value) or _first((name, item, member) for name, member in value.items())
        if reason is not None:
            return reason
        return next((f"a key is wrong: {bad}" for name in value if (bad := key(name)) is not None), None)

    return check


def _first(parts: Iterable[tuple[Any, Check, Any]]) -> str | None:
    """Return the first reason among the parts of a value, with the place in front: ``[0]['a']: expected ...``."""
    for step, check, value in parts:
        reason = check(value)
        if reason is not None:
            return f"[{step!r}]{'' if reason.startswith('[') else ': '}{reason}"
    return None


def _kind(value: Any) -> str:
    return "None" if value is None else type(value).__name__


_PLAIN: dict[Any, Check] = {
    Any: accept,
    object: accept,
    None: _instance_of(types.NoneType),
    int: _integer,
    float: _float,
    typing.Never: _never,
    typing.NoReturn: _never,
    **dict.fromkeys(_ARRAYS, _sequence),
}
_GENERIC: dict[Any, Callable[[Any, dict[Any, Check]], Check]] = {
    typing.Union: _compile_union,
    types.UnionType: _compile_union,
    typing.Literal: _compile_literal,
    tuple: _compile_tuple,
    **dict.fromkeys((list, *_ARRAYS, *_SETS), _compile_items),
    **dict.fromkeys(_MAPPINGS, _compile_mapping),
    **dict.fromkeys(_QUALIFIERS, _compile_qualified),
}
_COMPILERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, dict[Any, Check]], Check]], ...] = (
    (lambda hint: isinstance(hint, typing.NewType), lambda hint, known: _compile(hint.__supertype__, known)),
    (lambda hint: isinstance(hint, typing.TypeVar), _compile_variable),
    (typing.is_typeddict, _compile_typed_dict),
    (lambda hint: type(hint).__name__ == "TypeAliasType", _compile_alias),
    (lambda hint: isinstance(hint, type), _compile_class),
)
