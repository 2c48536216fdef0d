"""The contract of stores, as far as timed runs go: each slot of a schedule has one outcome."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.stores.records import FlowRow, NewRun
    from orderlines.stores.schedule_records import NewSlot, Schedule, ScheduleRow, SlotRow, SlotStart


class ScheduleStore(ABC):
    """Keeps schedules and their slots. Any number of schedulers may use it at once, and die at any moment.

    An implementation *must* do what each method says in one transaction; *must* keep at most one row for each schedule
    and slot. It *must never* give an ``id`` of a schedule a second time, take a slot back that is settled, or forget
    the flow that a schedule names. It knows nothing of triggers and policies: what is due next is told to it.
    """

    @abstractmethod
    def keep_schedule(
        self,
        schedule: Schedule,
        flows: Sequence[FlowRow],
        due: int | None,
        *,
        paused: bool = False,
        replace: bool = False,
    ) -> ScheduleRow:
        """Keep a schedule with the flows that it needs: its own, and those that this one enters.

        :param due: its first slot.
        :param replace: whether it may take the place of the one with the same name, whose slots then become its own.
        :raises Refused: there is one with this name, which it may not replace.
        """

    @abstractmethod
    def remove_schedule(self, name: str) -> bool:
        """Forget a schedule and its slots, but not its runs; return ``False`` where there is none of this name."""

    @abstractmethod
    def pause_schedule(self, name: str, *, paused: bool, due: int | None = None) -> ScheduleRow | None:
        """Pause a schedule, or let it go on with the slot ``due``; return it as it then is, ``None`` if there is none.

        One that is so already stays as it is. While it is paused none of its slots is taken or started.
        """

    @abstractmethod
    def schedules(self, name: str | None = None) -> list[ScheduleRow]:
        """Return all schedules, sorted by name, or the one of a name."""

    @abstractmethod
    def due_schedules(self, by: float, limit: int) -> list[ScheduleRow]:
        """Return up to ``limit`` schedules that are not paused and due at ``by`` or before, the earliest first."""

    @abstractmethod
    def take_slots(self, row: ScheduleRow, slots: Sequence[NewSlot], due: int | None) -> bool:
        """Keep slots of a schedule and say which one is next, if it is still as ``row`` says: else return ``False``.

        That is: not paused, with the same ``id`` and ``due``. Of slots that are kept already nothing is changed. Where
        more than :data:`~orderlines.stores.schedule_records.SLOTS_KEPT` are kept then, the older ones are forgotten,
        but for those that are open and those whose run has not ended.
        """

    @abstractmethod
    def start_slot(self, row: ScheduleRow, slot: int, run: NewRun, *, alone: bool) -> SlotStart:
        """Accept the run of an open slot, as :meth:`orderlines.stores.base.Store.accept` does, and note it there.

        Nothing is changed where the slot is not open (any more), or the schedule is paused or has another ``id``; nor
        with ``alone``, where a run that a slot of this schedule has started goes on: that one is then ``held_by``.

        :raises Refused: the run's key stands for another one; nothing is changed.
        """

    @abstractmethod
    def note_slot(self, schedule: str, slot: int, state: str, reason: str) -> bool:
        """Note why a slot waits, was left out or cannot be started; return ``False`` where it is not open any more."""

    @abstractmethod
    def slots(self, schedule: str | None, limit: int, *, unsettled: bool = False) -> list[SlotRow]:
        """Return up to ``limit`` slots of a schedule, or of all: the newest first, or the open ones, the oldest first.

        Those of the same moment are sorted by the names of their schedules.
        """
