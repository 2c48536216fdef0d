"""The schedules of a store around another one: everything is passed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.stores.schedule_store import ScheduleStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.stores.records import FlowRow, NewRun
    from orderlines.stores.schedule_records import NewSlot, Schedule, ScheduleRow, SlotRow, SlotStart


class WrappedSchedules(ScheduleStore):
    """Passes everything on to the store ``inner``."""

    inner: ScheduleStore

    def keep_schedule(
        self,
        schedule: Schedule,
        flows: Sequence[FlowRow],
        due: int | None,
        *,
        paused: bool = False,
        replace: bool = False,
    ) -> ScheduleRow:
        return self.inner.keep_schedule(schedule, flows, due, paused=paused, replace=replace)

    def remove_schedule(self, name: str) -> bool:
        return self.inner.remove_schedule(name)

    def pause_schedule(self, name: str, *, paused: bool, due: int | None = None) -> ScheduleRow | None:
        return self.inner.pause_schedule(name, paused=paused, due=due)

    def schedules(self, name: str | None = None) -> list[ScheduleRow]:
        return self.inner.schedules(name)

    def due_schedules(self, by: float, limit: int) -> list[ScheduleRow]:
        return self.inner.due_schedules(by, limit)

    def take_slots(self, row: ScheduleRow, slots: Sequence[NewSlot], due: int | None) -> bool:
        return self.inner.take_slots(row, slots, due)

    def start_slot(self, row: ScheduleRow, slot: int, run: NewRun, *, alone: bool) -> SlotStart:
        return self.inner.start_slot(row, slot, run, alone=alone)

    def note_slot(self, schedule: str, slot: int, state: str, reason: str) -> bool:
        return self.inner.note_slot(schedule, slot, state, reason)

    def slots(self, schedule: str | None, limit: int, *, unsettled: bool = False) -> list[SlotRow]:
        return self.inner.slots(schedule, limit, unsettled=unsettled)
