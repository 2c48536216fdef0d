"""Calls that keep a driver from obeying are asked to end, each once; the driver is killed when their grace is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.stores.records import LineRow
    from orderlines.supervision.watching import Watch

HEARING: Final = 0.5
"""Seconds that a driver has at least to say that it is not this call which its thread is in."""


class Pressing:
    """What has been asked of one driver. :meth:`spare` may be called from another thread.

    :ivar asked: the lines whose calls were asked to end, and still stand there.
    """

    def __init__(self) -> None:
        self.asked: set[int] = set()
        self._until: dict[int, float] = {}
        self._spared: set[int] = set()

    def press(self, watch: Watch, held: Sequence[LineRow], now: float) -> list[int]:
        """Return those lines whose calls are to be asked now.

        :param held: what :meth:`orderlines.supervision.watching.Watch.look` has found at the moment ``now``.
        """
        if not held:
            self.asked.clear()
            self._spared.clear()
        asked = [row.id for row in held if row.id not in self.asked]
        self.asked.update(asked)
        self._until = {
            row.id: now + max(watch.grace(row), HEARING) if row.id in asked else self._until[row.id] for row in held
        }
        return asked

    def spare(self, line: int) -> None:
        """Do not kill the driver for a line that only waits for the call of another one: it will obey in its turn."""
        self._spared.add(line)

    def over(self, now: float) -> bool:
        """Return whether the grace of what was asked is over."""
        limits = [limit for line, limit in self._until.items() if line not in self._spared]
        return bool(limits) and now >= max(limits)
