"""Schedules to keep and what schedulers do to a store, as the suite plays them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.stores.records import FlowRow
from orderlines.stores.schedule_records import NewSlot, Schedule
from orderlines.testing.drivers.records import new_run

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.stores.records import NewRun
    from orderlines.stores.schedule_records import ScheduleRow

FLOWS = (FlowRow("digest", "flow", "1", '{"flow":"flow"}'),)
"""What the schedules of the suite run."""


def schedule(name: str = "nightly", **given: Any) -> Schedule:
    """Return a schedule to keep; what is not given is the same for all."""
    made = Schedule(name, "flow", "1", "digest", '{"a":1}', None, '{"every":600}', "once", "allow", 60)
    return made._replace(**given)


def keep(store: Store, due: int | None = 1_000, **given: Any) -> ScheduleRow:
    """Keep a schedule in a store."""
    return store.keep_schedule(schedule(**given), FLOWS, due)


def taken(store: Store, *slots: int, **given: Any) -> ScheduleRow:
    """Keep a schedule whose slots are taken, and that has none left."""
    row = keep(store, **given)
    assert store.take_slots(row, [NewSlot(slot) for slot in slots], None)
    return row._replace(due=None)


def run_of(name: str, slot: int, **given: Any) -> NewRun:
    """Return the run of a slot."""
    return new_run(key=f"schedule:{name}:{slot}", **given)


def take_slots(store: Store, slots: list[int]) -> list[int]:
    """Take the slots of the only schedule, one after the other; return those that nobody else took before."""
    won = []
    for slot, due in zip(slots, [*slots[1:], None], strict=True):
        (row,) = store.schedules()
        if store.take_slots(row._replace(due=slot), [NewSlot(slot)], due):
            won.append(slot)
    return won


def start_slots(store: Store, slots: list[int], alone: bool) -> list[int]:  # noqa: FBT001 -- an argument of a job
    """Start the runs of slots of the only schedule; return the numbers of those that nobody else had started."""
    (row,) = store.schedules()
    name = row.schedule.name
    started = [store.start_slot(row, slot, run_of(name, slot), alone=alone).run for slot in slots]
    return [run.id for run in started if run is not None]
