"""The operators ``+ - * / // % **``, each bounded before anything large is made.

Numbers are ``int`` and ``float``; a bool is none. ``+`` joins two texts or two lists as well. ``Decimal`` and the types
of ``datetime`` follow Python's rules where these are bounded. Texts and lists are never multiplied or formatted.
"""

from __future__ import annotations

import operator
import sys
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import ExpressionError
from orderlines.expression.limits import INT_LIMIT, MAX_BITS, check_bits, check_finite, check_items, check_text, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Binary = Callable[[Any, Any], Any]


def add(a: Any, b: Any) -> Any:
    """Add two numbers, or join two texts or two lists."""
    kind = type(a)
    if kind is int and type(b) is int:
        total = a + b
        if -INT_LIMIT < a < INT_LIMIT and -INT_LIMIT < b < INT_LIMIT and -INT_LIMIT < total < INT_LIMIT:
            return total
    if kind is type(b):
        if kind is str:
            check_text(len(a) + len(b))
            return a + b
        if kind is list:
            check_items(len(a) + len(b))
            return a + b
    return _number("+", a, b, operator.add)


def subtract(a: Any, b: Any) -> Any:
    """Subtract two numbers."""
    return _number("-", a, b, operator.sub)


def multiply(a: Any, b: Any) -> Any:
    """Multiply two numbers."""
    return _number("*", a, b, operator.mul)


def divide(a: Any, b: Any) -> Any:
    """Divide two numbers; of two integers, the answer is a float."""
    return _number("/", a, b, operator.truediv)


def floor_divide(a: Any, b: Any) -> Any:
    """Divide two numbers and round down."""
    return _number("//", a, b, operator.floordiv)


def modulo(a: Any, b: Any) -> Any:
    """Return what is left of a floor division."""
    return _number("%", a, b, operator.mod)


def power(a: Any, b: Any) -> Any:
    """Raise a number to a power; its size is known before it is computed."""
    return _number("**", a, b, _power)


def negate(value: Any) -> Any:
    """Return the number with the other sign."""
    return -number("-", value)


def plus(value: Any) -> Any:
    """Return the number as it is."""
    return number("+", value)


def number(what: str, value: Any) -> Any:
    """Return a number that arithmetic may take, for the operator or function ``what``."""
    if type(value) is int:
        return check_bits(value)
    if type(value) is float:
        return check_finite(value)
    if is_decimal(value):
        return value
    raise ExpressionError(f"{what} takes a number, not {kind_of(value)}")


def is_decimal(value: Any) -> bool:
    """Return whether this is a ``Decimal``; only where it was imported can there be one."""
    return type(value) is getattr(sys.modules.get("decimal"), "Decimal", None)


def _number(sign: str, a: Any, b: Any, compute: Binary) -> Any:
    if type(a) is int and type(b) is int:
        return _checked(compute(check_bits(a), check_bits(b)))
    if type(a) in _NUMBERS and type(b) in _NUMBERS:
        return _checked(compute(a, b))
    if sign in _ELSEWHERE and (_moments(a, b) or _decimals(a, b)):
        return _checked_other(compute(a, b))
    hint = "; str(...) makes text of it" if sign == "+" and str in {type(a), type(b)} else ""
    raise ExpressionError(f"{kind_of(a)} {sign} {kind_of(b)} is not possible{hint}")


def _checked(value: Any) -> Any:
    if type(value) is int:
        return check_bits(value)
    if type(value) is float:
        return check_finite(value)
    raise ExpressionError("the result is no real number")


def _power(a: Any, b: Any) -> Any:
    if type(a) is int and type(b) is int and b > 0 and (a.bit_length() - 1) * b > MAX_BITS:
        raise ExpressionError(f"an integer is larger than {MAX_BITS} bits")
    return a**b


_NUMBERS: Final = frozenset({int, float})
_ELSEWHERE: Final = frozenset({"+", "-", "*", "/", "//", "%"})


def _moments(a: Any, b: Any) -> bool:
    loaded = sys.modules.get("datetime")
    if loaded is None:
        return False
    moments = {loaded.datetime, loaded.date, loaded.timedelta}
    return type(a) in moments and type(b) in moments


def _decimals(a: Any, b: Any) -> bool:
    if is_decimal(a):
        return type(b) is int or is_decimal(b)
    return type(a) is int and is_decimal(b)


def _checked_other(value: Any) -> Any:
    finite = getattr(value, "is_finite", None)
    if finite is not None and not finite():
        raise ExpressionError("the result is not a finite number")
    return value
