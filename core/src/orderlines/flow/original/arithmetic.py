"""Strings such as ``${a}*(${b}-2)`` and ``${name}+_suffix``, as native templates and expressions.

A string is arithmetic when operators stand between all its operands: ``${name}``, numbers and literal text. With
literal text ``+`` joins and every other operator is text, so ``http://x/${a}-b`` is text with a value put in.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from orderlines.errors import ExpressionError
from orderlines.flow.original.tokens import NUMBER, OPERANDS, REFERENCE, has_reference, literal, reference, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orderlines.flow.original.tokens import Lookup, Token

MAX_LENGTH = 4096
MAX_DEPTH = 30

_ALONE = re.compile(r"\$\{((?!__)\w+)\}")


class Part(NamedTuple):
    """A piece of a template: text, or an expression (``code``)."""

    text: str
    code: bool = False


def _code(text: str) -> Part:
    return Part(text, code=True)


class _IsText(Exception):
    """The string is no arithmetic: its operators are part of the text."""


def template(text: str, lookup: Lookup) -> str:
    """Return a string of the original notation as a native template.

    :raises ExpressionError: when it does not parse, or ``${...}`` holds anything but a name.
    """
    if not has_reference(text):
        return text
    alone = _ALONE.fullmatch(text)  # most are, so they are spared the rest
    return f"${{{lookup(alone[1])}}}" if alone else "".join(_quoted_parts(_parts(text, lookup)))


def operand(text: str, lookup: Lookup) -> str:
    """Return a string of the original notation as a native expression, to be compared.

    :raises ExpressionError: as :func:`template`.
    """
    if not has_reference(text):
        return literal(text)
    parts = _parts(text, lookup)
    if len(parts) == 1 and parts[0].code:
        return parts[0].text
    return " + ".join(f"str({part.text})" if part.code else literal(part.text) for part in parts)


def _quoted_parts(parts: Iterable[Part]) -> Iterable[str]:
    for part in parts:
        if part.code:
            yield f"${{{part.text}}}"
        elif "${" in part.text or part.text.endswith("$"):  # it would read as the start of an expression, or escape one
            yield f"${{{literal(part.text)}}}"
        else:
            yield part.text


def _parts(text: str, lookup: Lookup) -> list[Part]:
    found = tokens(text, lookup)
    if _is_plain(found):
        return _plain(text, lookup)
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression is longer than {MAX_LENGTH:,} characters")
    try:
        return _merged(_Parser(text, found).whole().parts)
    except _IsText:
        return _plain(text, lookup)


def _is_plain(found: Sequence[Token]) -> bool:
    if not any(token.kind in "+-*/" for token in found):
        return True
    for left, right in pairwise(found):
        ends = left.kind in OPERANDS or left.kind == ")"
        if ends and (right.kind in OPERANDS or right.kind == "("):
            return True
        if (left.kind == "text" and right.kind in "-*/") or (right.kind == "text" and left.kind in "-*/"):
            return True
    return False


def _plain(text: str, lookup: Lookup) -> list[Part]:
    parts: list[Part] = []
    at = 0
    for found in REFERENCE.finditer(text):
        parts.append(Part(text[at : found.start()]))
        parts.append(_code(reference(found[1], found.start(), lookup)))
        at = found.end()
    parts.append(Part(text[at:]))
    return _merged(parts)


def _merged(parts: Iterable[Part]) -> list[Part]:
    merged: list[Part] = []
    for part in parts:
        if not part.text:
            continue
        if merged and not part.code and not merged[-1].code:
            merged[-1] = Part(merged[-1].text + part.text)
        else:
            merged.append(part)
    return merged


class _Value(NamedTuple):
    """An arithmetic value is one expression; a joined one any number of parts."""

    parts: tuple[Part, ...]
    joined: bool


class _Parser:
    """Precedence parser: sums of products of operands."""

    def __init__(self, text: str, found: Sequence[Token]) -> None:
        self._text = text
        self._tokens = found
        self._at = 0
        self._depth = 0

    def whole(self) -> _Value:
        value = self._sum()
        if self._at < len(self._tokens):
            raise self._missing()
        return value

    def _kind(self) -> str:
        return self._tokens[self._at].kind if self._at < len(self._tokens) else ""

    def _next(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _sum(self) -> _Value:
        value = self._product()
        while self._kind() in ("+", "-"):
            value = _combined(self._next().kind, value, self._product())
        return value

    def _product(self) -> _Value:
        value = self._operand()
        while self._kind() in ("*", "/"):
            value = _combined(self._next().kind, value, self._operand())
        return value

    def _operand(self) -> _Value:
        kind = self._kind()
        if kind == "-" and self._is_sign():
            self._next()
            value = self._primary()
            return _computed("-" + _arithmetic(value))
        return self._primary()

    def _is_sign(self) -> bool:
        after = self._at + 1
        return after < len(self._tokens) and self._tokens[after].start == self._tokens[self._at].start + 1

    def _primary(self) -> _Value:
        kind = self._kind()
        if kind in OPERANDS:
            token = self._next()
            return _Value((Part(token.text),), joined=True) if kind == "text" else _computed(token.text)
        if kind == "(":
            return self._parenthesis()
        raise self._missing()

    def _parenthesis(self) -> _Value:
        self._next()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(
                f"parentheses are nested more than {MAX_DEPTH} deep", self._tokens[self._at - 1].start
            )
        value = self._sum()
        if self._kind() != ")":
            raise self._missing()
        self._next()
        self._depth -= 1
        return value if value.joined else _computed(f"({value.parts[0].text})")

    def _missing(self) -> Exception:
        """Say that something is missing here; with literal text only a ``+`` at either end is meant as an operator."""
        if any(token.kind == "text" for token in self._tokens) and not self._joins_nothing():
            return _IsText()
        at = self._tokens[self._at].start if self._at < len(self._tokens) else len(self._text)
        place = f"before {self._text[at : at + 20]!r}" if at < len(self._text) else "at the end"
        return ExpressionError(f"an operand or a parenthesis is missing {place}", at)

    def _joins_nothing(self) -> bool:
        inner = self._tokens[self._tokens[0].kind == "+" : len(self._tokens) - (self._tokens[-1].kind == "+")]
        alternate = all((token.kind == "+") == (i % 2 == 1) for i, token in enumerate(inner))
        return alternate and len(inner) < len(self._tokens)


def _computed(code: str) -> _Value:
    return _Value((_code(code),), joined=False)


def _combined(operator: str, left: _Value, right: _Value) -> _Value:
    if operator == "+" and (left.joined or right.joined):
        return _Value((*_as_joined(left), *_as_joined(right)), joined=True)
    return _computed(f"{_arithmetic(left)} {operator} {_arithmetic(right)}")


def _arithmetic(value: _Value) -> str:
    if value.joined:
        raise _IsText
    return value.parts[0].text


def _as_joined(value: _Value) -> tuple[Part, ...]:
    # A number that is joined keeps its spelling: 1.50 stays 1.50.
    return tuple(Part(part.text) if NUMBER.fullmatch(part.text) else part for part in value.parts)
