"""What a store keeps of timed runs: schedules, and what became of each of their slots.

A slot is a moment at which a schedule is to start a run, in whole seconds since the epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from orderlines.stores.records import RunRow

SLOTS_KEPT: Final = 1_000
"""Slots of one schedule that are kept at least, counted from its newest; older ones are forgotten once over."""


class SlotState:
    """What became of a slot. RUN, SKIPPED and FAILED are settled; TAKEN and WAITING are open.

    TAKEN: nobody has started its run yet. WAITING: it waits for the end of an earlier run. RUN: its run was started.
    SKIPPED: a policy left it out. FAILED: its run cannot be started.
    """

    TAKEN: Final = "TAKEN"
    WAITING: Final = "WAITING"
    RUN: Final = "RUN"
    SKIPPED: Final = "SKIPPED"
    FAILED: Final = "FAILED"


OPEN: Final = frozenset({SlotState.TAKEN, SlotState.WAITING})


class Schedule(NamedTuple):
    """When a flow is to be run, and how.

    ``digest`` names the flow with all that it enters. ``vars``, the variables that each run begins with, and
    ``trigger``, what makes its slots, are JSON text; ``executor`` replaces the flow's default. ``misfire`` and
    ``overlap`` name policies; a slot that is handled more than ``grace`` seconds late is missed. No run is started
    before ``starts`` or after ``ends``, in seconds since the epoch. ``queue`` is that of the runs' root lines.
    """

    name: str
    flow: str
    version: str
    digest: str
    vars: str
    executor: str | None
    trigger: str
    misfire: str
    overlap: str
    grace: int
    starts: int | None = None
    ends: int | None = None
    queue: str | None = None


class ScheduleRow(NamedTuple):
    """A schedule as kept.

    ``id`` is another one each time that the schedule is written, and never one that was used before. ``due`` is its
    next slot: ``None`` when it has none left.
    """

    id: int
    schedule: Schedule
    created: float
    paused: bool
    due: int | None


class NewSlot(NamedTuple):
    """A slot to keep: TAKEN, or SKIPPED with the reason."""

    slot: int
    state: str = SlotState.TAKEN
    reason: str | None = None


class SlotRow(NamedTuple):
    """A slot as kept: ``run`` is the number of the run that it started, ``noted`` when it was last written."""

    schedule: str
    slot: int
    state: str
    reason: str | None
    run: int | None
    noted: float


class SlotStart(NamedTuple):
    """What came of an attempt to start the run of a slot: the run, or another one that is in its way, or neither."""

    run: RunRow | None = None
    held_by: RunRow | None = None
