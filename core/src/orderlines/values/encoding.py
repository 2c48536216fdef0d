"""Value to text: one strict walk that copies as it goes, then the standard library's encoder in C."""

from __future__ import annotations

from json.encoder import encode_basestring
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import ValueNotStorable
from orderlines.paths import json_path
from orderlines.values.decoding import decode
from orderlines.values.format import (
    INT_MAX,
    INT_MIN,
    MAX_DEPTH,
    MAX_SIZE,
    TAG,
    TAG_TEXT,
    Unstorable,
    check_text,
    to_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_FEW: Final = 16  # items of a dict that is looked through before it is taken for a larger value
_QUICK: Final = 65_536  # characters of a text whose size needs no check


class Walk:
    """One walk over one value. ``left`` is how many bytes of text it may still come to."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_SIZE

    def tree(self, value: Any, depth: int) -> Any:
        """Return an independent copy made of JSON's own types, with everything else tagged.

        :param depth: how many containers are around ``value``.
        :raises Unstorable: it cannot be kept.
        """
        step = _STEPS.get(type(value))
        return self.other(value, depth) if step is None else step(self, value, depth)

    def spend(self, size: int) -> None:
        """Count bytes of text before anything of that size is built: shared parts may make it exponential."""
        self.left -= size
        if self.left < 0:
            raise Unstorable(f"the value is larger than {MAX_SIZE // 1024 // 1024} MiB as text")

    def deeper(self, depth: int) -> int:
        """Return the depth inside one more container."""
        if depth >= MAX_DEPTH:
            raise Unstorable(f"nested deeper than {MAX_DEPTH} levels, or a container holds itself")
        return depth + 1

    def leaf(self, value: Any, depth: int) -> Any:
        """Keep what JSON has as it is."""
        return value

    def integer(self, value: int, depth: int) -> Any:
        """Keep 64 bits; more are kept in hexadecimal, which has no limit on digits and takes linear time."""
        if INT_MIN <= value <= INT_MAX:
            return value
        self.spend(value.bit_length() // 4)
        return {TAG: "int", "v": hex(value)}

    def real(self, value: float, depth: int) -> Any:
        """Keep finite floats: ``repr`` comes back equal."""
        return value if isfinite(value) else {TAG: "float", "v": repr(value)}

    def text(self, value: str, depth: int) -> str:
        """Keep text that UTF-8 can hold."""
        self.left -= len(value)
        if self.left < 0 or not value.isascii():
            self.spend(0)
            check_text(value)
        return value

    def items(self, values: list[Any], depth: int) -> list[Any]:
        """Keep the items of a list, or of anything that is kept as a list."""
        depth = self.deeper(depth)
        self.spend(2 * len(values) + 2)
        out: list[Any] = []
        try:
            for item in values:
                step = _STEPS.get(type(item))
                out.append(self.other(item, depth) if step is None else step(self, item, depth))
        except Unstorable as error:
            error.steps.append(len(out))
            raise
        return out

    def mapping(self, values: dict[str, Any], depth: int) -> Any:
        """Keep a dict; one with a real key ``$t`` becomes a tagged list of pairs."""
        depth = self.deeper(depth)
        self.spend(5 * len(values) + 2)
        out: dict[str, Any] = {}
        for key, item in values.items():
            if type(key) is not str:
                raise Unstorable(f"the key {_brief(key)} is of type {_name(type(key))}; keys must be str")
            try:
                self.text(key, depth)
                step = _STEPS.get(type(item))
                out[key] = self.other(item, depth) if step is None else step(self, item, depth)
            except Unstorable as error:
                error.steps.append(key)
                raise
        return {TAG: "dict", "v": [[key, item] for key, item in out.items()]} if TAG in out else out

    def other(self, value: Any, depth: int) -> Any:
        """Tag one of the types that JSON does not have."""
        from orderlines.values.tags import writer  # noqa: PLC0415 (only where there are tags)

        write = writer(type(value))
        if write is None:
            raise Unstorable(f"{_name(type(value))} cannot be stored{_advice(value)}")
        return write(self, value, depth)


_STEPS: Final[dict[type, Callable[[Walk, Any, int], Any]]] = {
    str: Walk.text,
    int: Walk.integer,
    float: Walk.real,
    bool: Walk.leaf,
    type(None): Walk.leaf,
    list: Walk.items,
    dict: Walk.mapping,
}


def encode(value: Any) -> str:
    """Return the JSON text that keeps a value, without spaces and not escaped to ASCII.

    :raises ValueNotStorable: the value cannot be kept exactly as it is; names the place and the type.
    """
    quick = _flat(value) if type(value) is dict else _scalar(value)
    return roundtrip(value)[0] if quick is None else quick


def roundtrip(value: Any) -> tuple[str, Any]:
    """Return the text of a value, and the value as it comes back from it: equal, and sharing no container with it.

    :raises ValueNotStorable: the value cannot be kept exactly as it is; names the place and the type.
    """
    quick = _scalar(value)
    if quick is not None:
        return quick, value
    tree = _tree(value)
    text = to_text(tree)
    if len(text) * 4 > MAX_SIZE and len(text.encode()) > MAX_SIZE:
        raise ValueNotStorable("$", f"the value is larger than {MAX_SIZE // 1024 // 1024} MiB as text")
    if TAG_TEXT not in text:
        return text, tree
    return text, decode(text)


def _scalar(value: Any) -> str | None:
    """Write the scalars that most results are; ``None`` for all the rest."""
    kind = type(value)
    if kind is int and INT_MIN <= value <= INT_MAX:
        return int.__repr__(value)
    if kind is str and len(value) < _QUICK and value.isascii():
        return encode_basestring(value)
    if kind is bool:
        return "true" if value else "false"
    return "null" if value is None else None


def _flat(values: dict[Any, Any]) -> str | None:
    """Write a dict of a few scalars, which most assignments are; ``None`` for all the rest."""
    if len(values) > _FEW or TAG in values:
        return None
    out = []
    for key, value in values.items():
        text = _scalar(value)
        if text is None or type(key) is not str or len(key) >= _QUICK or not key.isascii():
            return None
        out.append(f"{encode_basestring(key)}:{text}")
    return f"{{{','.join(out)}}}"


def _tree(value: Any) -> Any:
    try:
        return Walk().tree(value, 0)
    except Unstorable as error:
        raise ValueNotStorable(json_path(error.path), error.reason) from None
    except RecursionError:
        raise ValueNotStorable("$", "nested too deep for what is left of Python's stack") from None
    except RuntimeError as error:  # "dictionary changed size during iteration"
        raise ValueNotStorable("$", f"the value was changed while it was being stored: {error}") from None


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _brief(key: object) -> str:
    short = key is None or type(key) in {bool, float} or (type(key) is int and INT_MIN <= key <= INT_MAX)
    return repr(key) if short else "here"


def _advice(value: object) -> str:
    """Say what to return instead, for the kinds of object that are met most."""
    for base in (str, bool, int, float, tuple, list, dict, set, bytes):
        if isinstance(value, base):
            name = base.__name__
            return f": it is a subclass of {name} and would come back as one; convert it with {name}(...)"
    return "; return text, numbers, lists and dicts instead"
