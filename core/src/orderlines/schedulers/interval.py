"""A trigger of equal distances, which no clock change touches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.schedulers.trigger import Trigger

if TYPE_CHECKING:
    from collections.abc import Mapping


class Interval(Trigger):
    """Every so many seconds, counted from its first moment.

    :param every: whole seconds, at least one.
    :param first: in seconds since the epoch.
    :raises ValueError: the distance is not a whole number of seconds.
    """

    def __init__(self, every: float, first: int) -> None:
        if every < 1 or every != int(every):
            raise ValueError("an interval is a whole number of seconds, and at least one")
        self.every = int(every)
        self.first = first

    def after(self, moment: int) -> int:
        """Return the next multiple."""
        if moment < self.first:
            return self.first
        return self.first + ((moment - self.first) // self.every + 1) * self.every

    def data(self) -> Mapping[str, Any]:
        """Return distance and first moment."""
        return {"every": self.every, "first": self.first}

    def __str__(self) -> str:
        """Return such as ``every 1h30m``."""
        left, parts = self.every, []
        for unit, seconds in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
            number, left = divmod(left, seconds)
            if number:
                parts.append(f"{number}{unit}")
        return f"every {''.join(parts)}"
