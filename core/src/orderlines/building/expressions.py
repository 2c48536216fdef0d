"""Expressions as Python objects: ``ref("order").net * 2`` is the text ``${order.net * 2}``."""

from __future__ import annotations

import math
from typing import Any

from orderlines.errors import UsageError


class Expression:
    """An expression of the flow format, put together by looking up keys and by operators.

    Keys are looked up as attributes or in brackets, ``&``, ``|`` and ``~`` are ``and``, ``or`` and ``not``. It may
    stand wherever a text with ``${...}`` may, and inside an f-string. It has no value before the flow runs,
    so Python's own ``and``, ``if`` and ``in`` cannot be used with it.
    """

    __slots__ = ("_text", "_whole")
    __hash__ = None  # type: ignore[assignment]  # `==` makes an expression

    def __init__(self, text: str, *, whole: bool = True) -> None:
        """Take the text between ``${`` and ``}``.

        :param whole: it needs no parentheses beside an operator.
        """
        self._text = text
        self._whole = whole

    def __str__(self) -> str:
        return f"${{{self._text}}}"

    def __repr__(self) -> str:
        return f"<Expression {self}>"

    def __bool__(self) -> bool:
        raise UsageError(f"{self} has no value before the flow runs; use & | ~ in place of and, or, not")

    def __iter__(self) -> Any:
        raise UsageError(f"{self} has no value before the flow runs; a foreach walks over it")

    def __getattr__(self, key: str) -> Expression:
        if key.startswith("__"):
            raise AttributeError(key)
        return Expression(f"{_operand(self)}.{key}")

    def __getitem__(self, key: object) -> Expression:
        return Expression(f"{_operand(self)}[{_part(key) if isinstance(key, slice) else _written(key)}]")

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]  # as every operator does
        return _joined(self, "==", other)

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]
        return _joined(self, "!=", other)

    def __lt__(self, other: object) -> Expression:
        return _joined(self, "<", other)

    def __le__(self, other: object) -> Expression:
        return _joined(self, "<=", other)

    def __gt__(self, other: object) -> Expression:
        return _joined(self, ">", other)

    def __ge__(self, other: object) -> Expression:
        return _joined(self, ">=", other)

    def __add__(self, other: object) -> Expression:
        return _joined(self, "+", other)

    def __radd__(self, other: object) -> Expression:
        return _joined(other, "+", self)

    def __sub__(self, other: object) -> Expression:
        return _joined(self, "-", other)

    def __rsub__(self, other: object) -> Expression:
        return _joined(other, "-", self)

    def __mul__(self, other: object) -> Expression:
        return _joined(self, "*", other)

    def __rmul__(self, other: object) -> Expression:
        return _joined(other, "*", self)

    def __truediv__(self, other: object) -> Expression:
        return _joined(self, "/", other)

    def __rtruediv__(self, other: object) -> Expression:
        return _joined(other, "/", self)

    def __floordiv__(self, other: object) -> Expression:
        return _joined(self, "//", other)

    def __rfloordiv__(self, other: object) -> Expression:
        return _joined(other, "//", self)

    def __mod__(self, other: object) -> Expression:
        return _joined(self, "%", other)

    def __rmod__(self, other: object) -> Expression:
        return _joined(other, "%", self)

    def __pow__(self, other: object) -> Expression:
        return _joined(self, "**", other)

    def __rpow__(self, other: object) -> Expression:
        # A sign would be taken for that of the whole power.
        written = _written(other)
        return _joined(Expression(written, whole=not written.startswith("-")), "**", self)

    def __neg__(self) -> Expression:
        return Expression(f"-{_operand(self)}", whole=False)

    def __and__(self, other: object) -> Expression:
        return _joined(self, "and", other)

    def __or__(self, other: object) -> Expression:
        return _joined(self, "or", other)

    def __invert__(self) -> Expression:
        return Expression(f"not {_operand(self)}", whole=False)


def ref(name: str) -> Expression:
    """Return an expression that is a name: a variable's, ``result``, ``item``, ``nodes``, ``run``, ...

    :raises UsageError: this is no name.
    """
    given: object = name
    if not isinstance(given, str) or not given.isidentifier():
        raise UsageError(f"{name!r} is no name; write what is more than a name as a text with ${{...}}")
    return Expression(name)


def _joined(left: object, sign: str, right: object) -> Expression:
    return Expression(f"{_operand(left)} {sign} {_operand(right)}", whole=False)


def _operand(value: object) -> str:
    if isinstance(value, Expression) and not value._whole:  # noqa: SLF001 -- its own module
        return f"({_written(value)})"
    return _written(value)


def _part(bounds: slice) -> str:
    """Write the part of a list or a text that begins at one place and ends before another."""
    if bounds.step is not None:
        raise UsageError("an expression takes a part of a list with two bounds and no step, as in orders[1:3]")
    return ":".join("" if bound is None else _written(bound) for bound in (bounds.start, bounds.stop))


def _written(value: object) -> str:
    """Return a value as an expression writes it."""
    if isinstance(value, Expression):
        return value._text  # noqa: SLF001 -- as above
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_written(key)}: {_written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_written, value)) + "]"
    if value is None or type(value) in {bool, int, str} or (type(value) is float and math.isfinite(value)):
        return repr(value)
    raise UsageError(f"an expression cannot hold {value!r}")
