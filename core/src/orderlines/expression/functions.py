"""The closed list of functions. Each checks what it is given and never makes more than the limits allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderlines.errors import ExpressionError
from orderlines.expression.arithmetic import is_decimal, number
from orderlines.expression.limits import (
    INT_LIMIT,
    MAX_ITEMS,
    check_bits,
    check_finite,
    check_items,
    check_text,
    kind_of,
)
from orderlines.expression.text import to_text

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_NUMBER = 400  # characters: more than any float has, and far from Python's limit on digits
_MOST_DIGITS = 400
_COUNTED: Final = frozenset({str, list, dict, tuple, set, frozenset, bytes})


class Function(NamedTuple):
    """A function and how many arguments it takes."""

    call: Callable[..., Any]
    least: int
    most: int
    usage: str


def length(value: Any) -> int:
    """Count the characters of a text, or the items of a list or dict."""
    if type(value) not in _COUNTED:
        raise ExpressionError(f"len() of {kind_of(value)} is not possible")
    return len(value)


def integer(value: Any) -> int:
    """Make an integer of a number (cut towards zero), a bool or a text."""
    if type(value) is str:
        return check_bits(int(_number_text("int", value)))
    if type(value) in {int, float, bool} or is_decimal(value):
        return check_bits(int(_bounded(value)))
    raise ExpressionError(f"int() of {kind_of(value)} is not possible")


def real(value: Any) -> float:
    """Make a float of a number, a bool or a text."""
    if type(value) is str:
        return check_finite(float(_number_text("float", value)))
    if type(value) in {int, float, bool} or is_decimal(value):
        return check_finite(float(value))
    raise ExpressionError(f"float() of {kind_of(value)} is not possible")


def lower(value: Any) -> str:
    """Return a text in small letters."""
    return _made(_text("lower", value).lower())


def upper(value: Any) -> str:
    """Return a text in capitals."""
    return _made(_text("upper", value).upper())


def smallest(*values: Any) -> Any:
    """Return the smallest of a list, or of several values."""
    return min(_several("min", values))


def largest(*values: Any) -> Any:
    """Return the largest of a list, or of several values."""
    return max(_several("max", values))


def rounded(value: Any, digits: Any = None) -> Any:
    """Round a number, half to even; without digits to an integer."""
    if type(digits) is not int and digits is not None:
        raise ExpressionError(f"round() takes digits as an integer, not {kind_of(digits)}")
    if digits is not None and abs(digits) > _MOST_DIGITS:
        raise ExpressionError(f"round() takes at most {_MOST_DIGITS} digits")
    value = number("round()", value)
    return number("round()", round(_bounded(value)) if digits is None else round(value, digits))


def absolute(value: Any) -> Any:
    """Return a number without its sign."""
    return abs(number("abs()", value))


def contains(values: Any, item: Any) -> bool:
    """Return whether a text, list or dict holds something."""
    return holds("contains()", values, item)


def holds(written: str, values: Any, item: Any) -> bool:
    """Return whether a text, list or dict holds something.

    :param written: what asks for it, as errors name it.
    """
    if type(values) not in _COUNTED and not isinstance(values, Mapping):
        raise ExpressionError(f"{written} looks into a text, a list or a dict, not into {kind_of(values)}")
    return item in values


def join(values: Any, separator: Any = "") -> str:
    """Join a list's items as text."""
    if type(values) not in {list, tuple}:
        raise ExpressionError(f"join() takes a list and then a separator; the first is {kind_of(values)}")
    between = _text("join", separator)
    parts, size = [], 0
    for value in values:
        parts.append(to_text(value))
        size += len(parts[-1]) + len(between)
        check_text(size - len(between))
    return between.join(parts)


def split(value: Any, separator: Any = None) -> list[str]:
    """Split a text at a separator, by default at white space."""
    if type(value) is not str:
        raise ExpressionError(f"split() takes a text, not {kind_of(value)}")
    if separator is None:
        parts = value.split(None, MAX_ITEMS)
    else:
        if type(separator) is not str or not separator:
            raise ExpressionError("split() takes a separator that is a text and not empty")
        parts = value.split(separator, MAX_ITEMS)
    check_items(len(parts))
    check_text(max(map(len, parts), default=0))
    return parts


FUNCTIONS: Final[Mapping[str, Function]] = {
    "len": Function(length, 1, 1, "len(value)"),
    "str": Function(to_text, 1, 1, "str(value)"),
    "int": Function(integer, 1, 1, "int(value)"),
    "float": Function(real, 1, 1, "float(value)"),
    "lower": Function(lower, 1, 1, "lower(text)"),
    "upper": Function(upper, 1, 1, "upper(text)"),
    "min": Function(smallest, 1, MAX_ITEMS, "min(list) or min(a, b, ...)"),
    "max": Function(largest, 1, MAX_ITEMS, "max(list) or max(a, b, ...)"),
    "round": Function(rounded, 1, 2, "round(number) or round(number, digits)"),
    "abs": Function(absolute, 1, 1, "abs(number)"),
    "contains": Function(contains, 2, 2, "contains(value, item)"),
    "join": Function(join, 1, 2, "join(list, separator)"),
    "split": Function(split, 1, 2, "split(text) or split(text, separator)"),
}
"""The functions by name; ``default`` is a form of its own, since its first argument may be missing."""


def _text(function: str, value: Any) -> str:
    if type(value) is not str:
        raise ExpressionError(f"{function}() takes a text, not {kind_of(value)}")
    return _made(value)


def _made(text: str) -> str:
    check_text(len(text))
    return text


def _number_text(function: str, value: str) -> str:
    text = value.strip()
    if len(text) > _LONGEST_NUMBER:
        raise ExpressionError(f"{function}() of a text of {len(text):,} characters is not possible")
    return text


def _several(function: str, values: tuple[Any, ...]) -> Any:
    several = values[0] if len(values) == 1 else values
    if type(several) not in {list, tuple, set, frozenset}:
        raise ExpressionError(f"{function}() takes a list or several values, not one {kind_of(several)}")
    if not several:
        raise ExpressionError(f"{function}() of nothing is not possible")
    return several


def _bounded(value: Any) -> Any:
    """Refuse a number whose integer would be too large, before it is made."""
    if type(value) is float:
        check_finite(value)
    if not -INT_LIMIT < value < INT_LIMIT:
        raise ExpressionError("the number is too large for an integer")
    return value
