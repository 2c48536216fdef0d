"""What an expression may build. Values that it only names may be larger."""

from __future__ import annotations

from math import isfinite
from typing import Any, Final

from orderlines.errors import ExpressionError

MAX_LENGTH: Final = 4_096
"""Characters of one expression."""
MAX_NESTING: Final = 32
"""Operations inside one another; a chain (``a + b + c``, ``a.b.c``) is one level."""
MAX_NODES: Final = 200
"""Operations, names and literals of one expression."""
MAX_BITS: Final = 256
"""Bits of an integer that arithmetic takes or makes."""
MAX_TEXT: Final = 64 * 1024
"""Characters of a text that an expression makes."""
MAX_ITEMS: Final = 10_000
"""Items of a list or dict that an expression makes."""
MAX_RENDERED: Final = 1024 * 1024
"""Characters of a text with ``${...}`` inside, once rendered."""

INT_LIMIT: Final = 2**MAX_BITS


class MissingError(ExpressionError):
    """A name, a key or an index is not there; what ``default`` answers to."""


def check_text(size: int, limit: int = MAX_TEXT) -> None:
    """Refuse a text before it is made."""
    if size > limit:
        raise ExpressionError(f"the text would be longer than {limit:,} characters")


def check_items(size: int) -> None:
    """Refuse a list before it is made."""
    if size > MAX_ITEMS:
        raise ExpressionError(f"the list would be longer than {MAX_ITEMS:,} items")


def check_bits(value: int) -> int:
    """Return an integer that arithmetic may take or make."""
    if -INT_LIMIT < value < INT_LIMIT:
        return value
    raise ExpressionError(f"an integer is larger than {MAX_BITS} bits")


def check_finite(value: float) -> float:
    """Return a float that is a number."""
    if isfinite(value):
        return value
    raise ExpressionError("the result is not a finite number")


def kind_of(value: Any) -> str:
    """Name a value's type, as errors do."""
    return "null" if value is None else _KINDS.get(type(value), type(value).__name__)


_KINDS: Final = {str: "text", bool: "bool"}
