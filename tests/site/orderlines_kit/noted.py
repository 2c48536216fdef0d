"""Calls that are seen to begin and to end, and whose results depend on nothing but what they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.testing import witness

if TYPE_CHECKING:
    from orderlines.components.base import Context


def echo(log: str, value: Any, context: Context, fails: int = 0) -> Any:
    """Give the value back; so many attempts fail before."""
    witness.act(log, context, fails=fails)
    return value


def tried(log: str, context: Context) -> int:
    """Return the number of the attempt in which the node around the line has opened it."""
    witness.act(log, context)
    _, _, attempt = context.line.split("/")[-2].partition(".")
    return int(attempt or 1)
