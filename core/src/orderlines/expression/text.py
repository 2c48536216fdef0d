"""Values as text: what ``str``, ``join`` and a ``${...}`` inside other text write."""

from __future__ import annotations

import sys
from json.encoder import JSONEncoder
from typing import Any

from orderlines.errors import ExpressionError
from orderlines.expression.limits import MAX_TEXT, check_text, kind_of


def to_text(value: Any, limit: int = MAX_TEXT) -> str:
    """Write a value as JSON; a text stands bare, and so do dates (ISO 8601), decimals and UUIDs.

    :param limit: characters, at most; no more than this is ever made.
    :raises ExpressionError: it would be longer, or it has no text (bytes, NaN).
    """
    if type(value) is str:
        check_text(len(value), limit)
        return value
    if type(value) is int and -(2**63) <= value < 2**64:
        return int.__repr__(value)
    bare = _bare(value)
    if bare is not None:
        check_text(len(bare), limit)
        return bare
    parts, size = [], 0
    # Not in one go: a list may name one large value many times.
    for part in _ENCODER.iterencode(value):
        size += len(part)
        check_text(size, limit)
        parts.append(part)
    return "".join(parts)


def _bare(value: Any) -> str | None:
    kind = type(value)
    if kind.__module__ == "builtins":
        return None
    name = f"{kind.__module__}.{kind.__qualname__}"
    if name not in _BARE or getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is not kind:
        return None
    return str(value.isoformat() if name in _ISO else value)


def _other(value: Any) -> Any:
    """Tell JSON how to write what is inside a list or dict."""
    if type(value) in {set, frozenset}:
        return sorted(value, key=to_text)
    bare = _bare(value)
    if bare is None:
        raise ExpressionError(f"{kind_of(value)} cannot be written as text")
    return bare


_ISO = frozenset({"datetime.datetime", "datetime.date", "datetime.time"})
_BARE = _ISO | {"datetime.timedelta", "decimal.Decimal", "uuid.UUID"}
_ENCODER = JSONEncoder(ensure_ascii=False, allow_nan=False, default=_other)
