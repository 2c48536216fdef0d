"""Scalars of YAML 1.2's core schema: what a plain text means."""

from __future__ import annotations

import math
import re

_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
TOO_LONG = "an integer has too many digits: it has at most 4,300"
MAX_BITS = 14_284
"""Python writes integers of up to 4,300 decimal digits; it reads longer ones in the bases that are powers of two."""
_BASES = {"0o": 8, "0x": 16}


def scalar(text: str) -> str | int | float | bool | None:
    """Return what a plain scalar means; only ``true`` and ``false`` are booleans, dates and ``1:30`` stay text.

    :raises ValueError: a number that is not finite, or an integer of more than 4,300 digits.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _NUMBER.fullmatch(text):
        return finite(text)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a finite number")
    return text


def finite(text: str) -> float:
    """Return a number.

    :raises ValueError: it is too large for a float.
    """
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a finite number")
    return number


def _integer(text: str) -> int:
    try:
        value = int(text[2:], _BASES[text[:2]]) if text[:2] in _BASES else int(text)
    except ValueError:
        raise ValueError(TOO_LONG) from None
    if value.bit_length() > MAX_BITS:
        raise ValueError(TOO_LONG)
    return value
