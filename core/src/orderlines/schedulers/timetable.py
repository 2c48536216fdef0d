"""The slots of a schedule: what its trigger makes, inside its window of dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.schedulers.reading import read_trigger

if TYPE_CHECKING:
    from orderlines.schedulers.trigger import Trigger
    from orderlines.stores.schedule_records import Schedule

_LAST = 253_402_300_799
"""The end of the year 9999, and of the calendar that moments are written in."""
_SHORTEST = 60
"""Seconds that are looked back first for the newest slots."""


class Timetable:
    """A trigger and the window of its slots, both ends included; seconds since the epoch."""

    def __init__(self, trigger: Trigger, starts: int | None = None, ends: int | None = None) -> None:
        self.trigger = trigger
        self.starts = starts
        self.ends = ends

    @classmethod
    def of(cls, schedule: Schedule) -> Timetable:
        """Return that of a schedule.

        :raises ValueError: its trigger cannot be read.
        """
        return cls(read_trigger(schedule.trigger), schedule.starts, schedule.ends)

    def after(self, moment: int) -> int | None:
        """Return the first slot after a moment."""
        try:
            found = self.trigger.after(moment if self.starts is None else max(moment, self.starts - 1))
        except OverflowError:  # The calendar of its wall clock ends as well.
            return None
        return None if found is None or found > (_LAST if self.ends is None else self.ends) else found

    def upcoming(self, moment: int, number: int) -> list[int]:
        """Return the next slots after a moment, up to a number of them."""
        found: list[int] = []
        while len(found) < number and (slot := self.after(found[-1] if found else moment)) is not None:
            found.append(slot)
        return found

    def newest(self, first: int, last: int, number: int) -> list[int]:
        """Return the newest slots between two moments, up to a number of them, the oldest first.

        It looks at stretches that grow backwards, so that a schedule of every second that nobody has served for a
        year is no work.
        """
        stretch = _SHORTEST
        while True:
            begin = max(first, last - stretch)
            found = self._between(begin, last)
            if len(found) >= number or begin == first:
                return found[-number:]
            stretch *= 2

    def _between(self, first: int, last: int) -> list[int]:
        found: list[int] = []
        slot = self.after(first - 1)
        while slot is not None and slot <= last:
            found.append(slot)
            slot = self.after(slot)
        return found
