"""A trigger of one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.schedulers.instants import text_of
from orderlines.schedulers.trigger import Trigger

if TYPE_CHECKING:
    from collections.abc import Mapping


class At(Trigger):
    """Once, at a moment in seconds since the epoch."""

    def __init__(self, at: int) -> None:
        self.at = at

    def after(self, moment: int) -> int | None:
        """Return the moment, unless it has passed."""
        return self.at if moment < self.at else None

    def data(self) -> Mapping[str, Any]:
        """Return the moment."""
        return {"at": self.at}

    def __str__(self) -> str:
        """Return such as ``at 2027-01-01T00:00:00Z``."""
        return f"at {text_of(self.at)}"
