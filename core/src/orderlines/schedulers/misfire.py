"""What becomes of slots that nobody has handled in time. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.schedulers.instants import text_of
from orderlines.stores.schedule_records import NewSlot, SlotState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.schedulers.timetable import Timetable
    from orderlines.stores.schedule_records import Schedule

SKIP: Final = "skip"
ONCE: Final = "once"
ALL: Final = "all"
MISFIRES: Final = (SKIP, ONCE, ALL)
"""None of the missed slots is made up for; the newest of them; each of them, up to :data:`MOST`."""
MOST: Final = 100
"""Slots of one schedule that are made up for at most."""
TOLD: Final = 500
"""Missed slots that are kept one by one; the older ones are told of as one."""


def due_slots(schedule: Schedule, timetable: Timetable, due: int, now: float) -> list[NewSlot]:
    """Return the slots of a schedule from ``due`` until now, with what is to become of them, the oldest first."""
    slots = timetable.newest(due, int(now), TOLD)
    missed = [slot for slot in slots if now - slot > schedule.grace]
    timely = slots[len(missed) :]
    kept = _missed(schedule, missed, timely, now)
    if slots and slots[0] > due:
        reason = f"misfire: nobody was there for this slot and all others before {text_of(slots[0])}"
        kept.insert(0, NewSlot(due, SlotState.SKIPPED, reason))
    return [*kept, *map(NewSlot, timely)]


def _missed(schedule: Schedule, missed: Sequence[int], timely: Sequence[int], now: float) -> list[NewSlot]:
    """Return what becomes of slots that are late; those that come in time are made up for with nothing."""
    if schedule.ends is not None and now > schedule.ends:
        return _skipped(missed, f"window: it was over at {text_of(schedule.ends)} before anybody was there")
    if schedule.misfire == SKIP:
        return _skipped(missed, f"misfire: nobody was there within {schedule.grace} s")
    if schedule.misfire == ALL:
        return [*_skipped(missed[:-MOST], f"misfire: only the newest {MOST} are made up for"), *_new(missed[-MOST:])]
    instead = next(iter((*timely, *missed[-1:])), None)
    if instead is None:
        return []
    reason = f"misfire: made up for by the slot of {text_of(instead)}"
    return _skipped(missed, reason) if timely else [*_skipped(missed[:-1], reason), *_new(missed[-1:])]


def _skipped(slots: Sequence[int], reason: str) -> list[NewSlot]:
    return [NewSlot(slot, SlotState.SKIPPED, reason) for slot in slots]


def _new(slots: Sequence[int]) -> list[NewSlot]:
    return [NewSlot(slot) for slot in slots]
