"""Text to syntax tree, safely: what reaches Python's parser is short, flat and means what it looks like.

The parser is never made to warn: silencing warnings would change the filters of the whole process, for every thread.
"""

from __future__ import annotations

import ast
import re
from typing import Final

from orderlines.errors import ExpressionError
from orderlines.expression.limits import MAX_NESTING
from orderlines.expression.scan import check_brackets, literals

_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = frozenset("\\'\"abfnrtvxuU")
_PREFIX: Final = re.compile(r"(?<!\w)(?:[rubft]|br|rb|fr|rf|tr|rt)\Z", re.IGNORECASE)
_NUMBER_AND_LETTER: Final = re.compile(r"(?<![\w.])\.?\d[\d_]*+\.?+[\d_]*+(?:e[+-]?+[\d_]++)?+[^\W\d_]", re.IGNORECASE)
_BLANKS: Final = str.maketrans("\r\n\t\f", "    ")


def parse(text: str) -> ast.expr:
    """Return the tree of an expression, not yet checked against the white list.

    Line breaks are blanks. Columns in the tree count from the first character that is no blank.

    :raises ExpressionError: it is no expression.
    """
    check_brackets(text, MAX_NESTING)
    source = _one_line(text)
    blanks = len(source) - len(source.lstrip())
    try:
        return ast.parse(source[blanks:], mode="eval").body
    except SyntaxError as error:
        offset = None if error.offset is None or error.lineno != 1 else max(0, error.offset - 1 + blanks)
        raise ExpressionError(f"not an expression: {error.msg}", offset) from None
    except (RecursionError, MemoryError):
        raise ExpressionError("not an expression: nested too deep") from None
    except ValueError as error:
        raise ExpressionError(f"not an expression: {error}") from None


def _one_line(text: str) -> str:
    """Return the text with blanks for line breaks outside literals; refuse what is read otherwise than it looks."""
    source, bare, at = "", "", 0
    for begin, end in literals(text):
        _check_literal(text, begin, end)
        between = text[at:begin].translate(_BLANKS)
        source += between + text[begin:end]
        bare += between + " " * (end - begin)
        at = end
    rest = text[at:].translate(_BLANKS)
    _check_code(bare + rest)
    return source + rest


def _check_literal(text: str, begin: int, end: int) -> None:
    if _PREFIX.search(text, max(0, begin - 3), begin):
        raise ExpressionError("a text has no prefix in an expression", begin)
    for escape in _ESCAPE.finditer(text, begin, end):
        if escape[1] not in _ESCAPES:
            reason = f"'\\{escape[1]}' means nothing in a text; write '\\\\' for a backslash"
            raise ExpressionError(reason, escape.start())


def _check_code(bare: str) -> None:
    for char, reason in (("#", "an expression has no comments"), ("\\", "a backslash stands only inside text")):
        if char in bare:
            raise ExpressionError(reason, bare.index(char))
    number = _NUMBER_AND_LETTER.search(bare)
    if number:
        raise ExpressionError(f"'{number[0][-1]}' stands right behind a number", number.end() - 1)
    if not bare.isascii():
        _check_spelling(bare)


def _check_spelling(bare: str) -> None:
    """Refuse look-alikes that Python reads as other names: full-width letters, ligatures, split accents."""
    from unicodedata import normalize  # noqa: PLC0415 (only for names outside ASCII)

    for at, char in enumerate(bare):
        plain = normalize("NFKC", char)
        if char != plain:
            raise ExpressionError(f"the character {char!r} would be read as {plain!r}; write that", at)
    if normalize("NFKC", bare) != bare:
        raise ExpressionError("a name is not in Unicode's normal form NFKC")
