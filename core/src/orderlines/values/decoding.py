"""Text to value. A text that this package did not write is refused; none is ever executed."""

from __future__ import annotations

from json.decoder import JSONDecoder
from typing import Any, NoReturn

from orderlines.errors import ValueNotStorable
from orderlines.paths import json_path
from orderlines.values.format import MAX_DEPTH, MAX_SIZE, TAG, TAG_TEXT, Unstorable, check_text


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} stands outside a tag")


_DIGITS = 19
"""Digits of an integer that is read at once; all of them fit into 64 bits."""
_parse = JSONDecoder(parse_constant=_no_constant).raw_decode


def decode(text: str) -> Any:
    """Return the value that a text keeps; the inverse of :func:`orderlines.values.encode`.

    :raises ValueNotStorable: the text is none of ours; names the place.
    """
    if text.isdecimal() and text.isascii() and len(text) < _DIGITS and (text[0] != "0" or text == "0"):
        return int(text)
    try:
        value = _parsed(text)
        # A backslash-u may spell the tag or a lone surrogate; the encoder writes it for control characters only.
        if TAG_TEXT in text or "\\u" in text:
            return _untag(value, 0)
        if text.count("[") + text.count("{") > MAX_DEPTH:
            _check_depth(value)
        if not text.isascii():
            check_text(text)
    except Unstorable as error:
        raise ValueNotStorable(json_path(error.path), f"the stored text cannot be read: {error.reason}") from None
    except RecursionError:
        raise ValueNotStorable("$", "the stored text cannot be read: nested too deep") from None
    except (ValueError, TypeError) as error:
        raise ValueNotStorable("$", f"the stored text cannot be read: {error}") from None
    return value


def _parsed(text: str) -> Any:
    if len(text) > MAX_SIZE:
        raise Unstorable("it is too large")
    value, end = _parse(text)
    if end != len(text):
        raise Unstorable(f"there is more after the value, at character {end}")
    return value


def _check_depth(value: Any) -> None:
    """Go down level by level: every container is seen once, however the levels are shaped."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        inside = [item for item in level if type(item) is dict or type(item) is list]
        level = [item for each in inside for item in (each.values() if type(each) is dict else each)]
        if not inside:
            return
    raise Unstorable(f"nested deeper than {MAX_DEPTH} levels")


def _untag(value: Any, depth: int) -> Any:
    """Rebuild a parsed value with its tags replaced by what they stand for."""
    kind = type(value)
    if kind is str:
        if not value.isascii():
            check_text(value)
        return value
    if kind is list:
        return _items(value, depth)
    if kind is not dict:
        return value
    return _tagged(value, depth) if TAG in value else dict(_pairs(list(value.items()), depth))


def _items(values: list[Any], depth: int) -> list[Any]:
    if depth >= MAX_DEPTH:
        raise Unstorable(f"nested deeper than {MAX_DEPTH} levels")
    out: list[Any] = []
    try:
        for item in values:
            out.append(_untag(item, depth + 1))  # noqa: PERF401 (how far it came says where the fault is)
    except Unstorable as error:
        error.steps.append(len(out))
        raise
    return out


def _pairs(pairs: list[Any], depth: int) -> list[tuple[str, Any]]:
    if depth >= MAX_DEPTH:
        raise Unstorable(f"nested deeper than {MAX_DEPTH} levels")
    out: list[tuple[str, Any]] = []
    for pair in pairs:
        key, item = pair
        if type(key) is not str:
            raise Unstorable("a key is no text")
        try:
            out.append((_untag(key, depth), _untag(item, depth + 1)))
        except Unstorable as error:
            error.steps.append(key)
            raise
    return out


def _tagged(tagged: dict[str, Any], depth: int) -> Any:
    """Read one tag; whatever is wrong with its content is the text's fault."""
    from orderlines.values.tags import CONTAINERS, READERS  # noqa: PLC0415 (only where there are tags)

    try:
        tag = tagged[TAG]
        if tag == "dict":
            return dict(_pairs(_listed(tagged), depth))
        make = CONTAINERS.get(tag)
        return READERS[tag](tagged) if make is None else make(_items(_listed(tagged), depth))
    except Unstorable:
        raise
    except RecursionError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever a reader stumbles over, it is the text that is wrong)
        what = f"{tagged[TAG]!r:.40} is no tag, or its content is not sound"
        raise Unstorable(f"{what} ({type(error).__name__})") from None


def _listed(tagged: dict[str, Any]) -> list[Any]:
    values = tagged["v"]
    if type(values) is not list:
        raise TypeError("the content of the tag is no list")
    return values
