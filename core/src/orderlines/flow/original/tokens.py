"""The pieces of the original notation's strings, and how they are spelt in native expressions."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import TYPE_CHECKING, NamedTuple

from orderlines.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Lookup: TypeAlias = Callable[[str], str]
    """Returns the native expression that a variable's name stands for."""

REFERENCE = re.compile(r"\$\{([^{}]*)\}")
_LOOKUP = re.compile(r"\s*(\w+)((?:\.\w+|\[\d+\])*)\s*")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
NUMBER = re.compile(r"(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_TOKEN = re.compile(
    r"(?P<name>\$\{[^{}]*\})|(?P<space>\s+)|(?P<operator>[-+*/()])"
    rf"|(?P<number>{NUMBER.pattern})(?=\s*(?:[-+*/()]|\$\{{|\Z))"
    r"|(?P<text>(?:[^-+*/()$]|\$(?!\{))+)"
)

OPERANDS = frozenset({"name", "number", "text"})


class Token(NamedTuple):
    """A piece of a string; ``kind`` is ``name``, ``number``, ``text``, or the operator or parenthesis itself."""

    kind: str
    text: str
    start: int


def has_reference(text: str) -> bool:
    """Return whether a string holds ``${...}`` at all; one that does not means itself."""
    return "${" in text


def first_name(text: str) -> str | None:
    """Return the name in the first ``${...}``, or ``None`` where there is none or it is more than a plain name."""
    found = REFERENCE.search(text)
    name = found and _LOOKUP.fullmatch(found[1])
    return None if not name or name[2] or name[1].startswith("__") else name[1]


def tokens(text: str, lookup: Lookup) -> list[Token]:
    """Return the tokens of a text; each variable stands as what ``lookup`` returns.

    :raises ExpressionError: ``${`` is not closed, or holds anything but a name.
    """
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise ExpressionError("'${' is not closed by a '}' after a name", at)
        kind, word = str(match.lastgroup), match[0].rstrip()
        if kind == "name":
            word = reference(word[2:-1], at, lookup)
        if kind != "space":
            found.append(Token(word if kind == "operator" else kind, word, at))
        at = match.end()
    return found


def reference(inside: str, at: int, lookup: Lookup) -> str:
    """Return the native expression for what stands between ``${`` and ``}``, which begins at index ``at``.

    :raises ExpressionError: it is more than a name and look-ups.
    """
    found = _LOOKUP.fullmatch(inside)
    if not found:
        raise ExpressionError(f"'${{{inside[:80]}}}' holds more than the name of a variable", at)
    steps = _STEP.findall(found[2])
    if any(word.startswith("__") for word in (found[1], *(key for key, _ in steps))):
        raise ExpressionError(f"'${{{inside[:80]}}}' uses a name that begins with two underscores", at)
    code = lookup(found[1])
    for key, index in steps:
        code = member(code, key) if key else f"{code}[{index.lstrip('0') or 0}]"
    return code


def number(text: str) -> str | None:
    """Return the native expression for a text that is a number, sign allowed; else ``None``."""
    stripped = text.strip()
    return stripped if NUMBER.fullmatch(stripped.removeprefix("-")) else None


def literal(text: str) -> str:
    """Return the native expression for a text; it holds no brace, whatever the text holds."""
    return repr(text).replace("{", r"\x7b").replace("}", r"\x7d")


def member(code: str, key: str) -> str:
    """Return the native expression for what stands under a key of what ``code`` gives."""
    plain = key.isascii() and key.isidentifier() and not iskeyword(key) and not key.startswith("__")
    return f"{code}.{key}" if plain else f"{code}[{literal(key)}]"
