"""The engine's own logger."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import Logger


def logger() -> Logger:
    """Return the logger ``orderlines``."""
    from logging import getLogger  # noqa: PLC0415 -- 10 ms, and seldom needed

    return getLogger("orderlines")
