"""Find where an expression ends and which of its characters are inside text literals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orderlines.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLOSED_BY: Final = {"(": ")", "[": "]", "{": "}"}
_CLOSER: Final = re.compile(r"['\"{]")
"""What makes the first closing brace another one than that of the expression."""
_CLOSING: Final = frozenset(_CLOSED_BY.values())


def literals(text: str) -> Iterator[tuple[int, int]]:
    """Return where each text literal begins and ends.

    :raises ExpressionError: one has no end.
    """
    at = 0
    while (begin := _next_quote(text, at, len(text))) is not None:
        at = _literal_end(text, begin)
        yield begin, at


def code(text: str, start: int, stop: int) -> Iterator[tuple[int, str]]:
    """Return the characters outside text literals, each with its index, up to ``stop``.

    A literal is looked at only when the characters before it have been taken: behind an expression, quotes are text.
    """
    at = start
    while (begin := _next_quote(text, at, stop)) is not None:
        yield from enumerate(text[at:begin], at)
        at = _literal_end(text, begin)
    yield from enumerate(text[at:stop], at)


def _next_quote(text: str, start: int, stop: int) -> int | None:
    found = [at for at in (text.find("'", start, stop), text.find('"', start, stop)) if at >= 0]
    return min(found, default=None)


def _literal_end(text: str, start: int) -> int:
    quote = text[start]
    if text.startswith(quote * 3, start):
        quote *= 3
    at = start + len(quote)
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text.startswith(quote, at):
            return at + len(quote)
        else:
            at += 1
    raise ExpressionError(f"the text that begins with {text[start]} has no end", start)


def check_brackets(text: str, most: int) -> None:
    """Refuse brackets that are nested too deep or do not match, before a parser sees them."""
    opened: list[str] = []
    for at, char in code(text, 0, len(text)):
        if char in _CLOSED_BY:
            opened.append(_CLOSED_BY[char])
            if len(opened) > most:
                raise ExpressionError(f"nested deeper than {most} levels", at)
        elif char in _CLOSING and (not opened or opened.pop() != char):
            raise ExpressionError(f"'{char}' closes nothing", at)
    if opened:
        raise ExpressionError(f"'{opened[-1]}' is missing", len(text))


def closing_brace(text: str, start: int, most: int) -> int:
    """Return the index of the brace that ends the expression beginning at ``start``.

    :param most: characters that an expression may have.
    :raises ExpressionError: there is none.
    """
    end = text.find("}", start, start + most + 1)
    if end >= 0 and not _CLOSER.search(text, start, end):
        return end
    depth = 0
    for at, char in code(text, start, min(len(text), start + most + 1)):
        if char == "{":
            depth += 1
        elif char == "}":
            if depth == 0:
                return at
            depth -= 1
    if len(text) - start > most:
        raise ExpressionError(f"this does not end within the {most:,} characters that an expression may have", start)
    raise ExpressionError("'${' is not closed with '}'; write '$${' for the characters themselves", start - 2)
