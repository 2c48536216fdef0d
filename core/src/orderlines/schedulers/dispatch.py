"""From due slots to runs: what one look at the store does. Any number of these may look at once, and die anywhere.

What is due is taken in one transaction and started in another one, which looks for runs in the way as well. So whoever
dies in between leaves a slot that is open, and the next look of anybody goes on with it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from orderlines.errors import Refused
from orderlines.logger import logger
from orderlines.runnames import run_name
from orderlines.schedulers import overlap
from orderlines.schedulers.instants import text_of
from orderlines.schedulers.misfire import SKIP, due_slots
from orderlines.schedulers.timetable import Timetable
from orderlines.stores.records import NewRun
from orderlines.stores.schedule_records import SlotState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow
    from orderlines.stores.schedule_records import Schedule, ScheduleRow, SlotRow

AHEAD: Final = 60.0
"""Seconds that a look sees ahead."""
_BATCH: Final = 1_000
_OPEN: Final = 100_000
_REMEMBERED: Final = 10_000
"""Timetables that are kept in memory."""
_STEPPED: Final = 60.0
"""Seconds between two looks at whether the clock was put back."""


def key_of(schedule: str, slot: int) -> str:
    """Return the key under which the run of a slot is started, whoever starts it."""
    return f"schedule:{schedule}:{text_of(slot)}"


class Dispatcher:
    """Takes slots of a store's schedules and starts their runs.

    :param tell: called with each run that was started here.
    :param entrance: returns the queue that a run begins in whose schedule names none, by the schedule and the flow
        that is kept for it; without it, who starts such runs drives them.
    :param tell_stopping: called with the number of each run that is wished to stop here, as the next one is due.
    """

    def __init__(
        self,
        store: Store,
        tell: Callable[[RunRow], None],
        entrance: Callable[[Schedule, str], str] | None = None,
        tell_stopping: Callable[[int], None] | None = None,
    ) -> None:
        self._store = store
        self._tell = tell
        self._tell_stopping = tell_stopping
        self._entrance = entrance
        self._held: dict[int, int] = {}
        self._next_step_look = 0.0
        self._timetables: dict[int, Timetable | None] = {}

    def look(self) -> float | None:
        """Do all that is due; return the seconds until the next slot, if it is in sight.

        :raises StoreUnavailable: the store cannot be reached; nothing is lost.
        """
        if time.monotonic() >= self._next_step_look:
            self._next_step_look = time.monotonic() + _STEPPED
            self.mend_clock()
        self._take()
        self._start()
        now = self._store.now()
        ahead = [row.due for row in self._store.due_schedules(now + AHEAD, _BATCH) if row.due and self._read(row)]
        return max(0.0, ahead[0] - now) if ahead else None

    def mend_clock(self) -> None:
        """Let schedules whose next slot was named by a clock that ran ahead go on with the one that really is next."""
        now = int(self._store.now())
        for row in self._store.schedules():
            timetable = self._read(row)
            if timetable is None or row.paused or row.due is None:
                continue
            really = timetable.after(now)
            if really is not None and really < row.due:
                self._store.take_slots(row, (), really)

    # Taking what is due

    def _take(self) -> None:
        while rows := [row for row in self._store.due_schedules(self._store.now(), _BATCH) if self._take_one(row)]:
            if len(rows) < _BATCH:
                return

    def _take_one(self, row: ScheduleRow) -> bool:
        timetable = self._read(row)
        if timetable is None or row.due is None:
            return False
        now = self._store.now()
        slots = due_slots(row.schedule, timetable, row.due, now)
        return self._store.take_slots(row, slots, timetable.after(max(int(now), row.due)))

    def _read(self, row: ScheduleRow) -> Timetable | None:
        """Return the timetable of a schedule, read once; ``None``, which is told once, where that cannot be."""
        if row.id not in self._timetables:
            if len(self._timetables) >= _REMEMBERED:
                self._timetables.clear()
            self._timetables[row.id] = _timetable(row)
        return self._timetables[row.id]

    # Starting what was taken

    def _start(self) -> None:
        slots = self._store.slots(None, _OPEN, unsettled=True)
        if not slots:
            return
        self._forget_ended()
        by_schedule: dict[str, list[SlotRow]] = defaultdict(list)
        for slot in slots:
            by_schedule[slot.schedule].append(slot)
        for name, its in by_schedule.items():
            for row in self._store.schedules(name):
                if not row.paused:
                    self._start_those(row, self._wanted(row, its))

    def _wanted(self, row: ScheduleRow, slots: Sequence[SlotRow]) -> list[SlotRow]:
        """Return the open slots whose runs are to be started; leave out what came too late."""
        schedule, now = row.schedule, self._store.now()
        wanted = []
        for slot in slots:
            late = now - slot.slot > schedule.grace
            if schedule.ends is not None and late and now > schedule.ends:
                self._skip(slot, f"window: it was over at {text_of(schedule.ends)}")
            elif schedule.misfire == SKIP and slot.state == SlotState.TAKEN and late:
                self._skip(slot, f"misfire: it was not started within {schedule.grace} s")
            else:
                wanted.append(slot)
        if schedule.overlap == overlap.REPLACE:
            for slot in wanted[:-1]:
                self._skip(slot, f"overlap: the slot of {text_of(wanted[-1].slot)} took its place")
            return wanted[-1:]
        return wanted

    def _start_those(self, row: ScheduleRow, slots: Sequence[SlotRow]) -> None:
        for number, slot in enumerate(slots):
            held_by = self._held.get(row.id) or self._start_one(row, slot)
            if held_by:
                self._held[row.id] = held_by
                self._hold(row, slot, held_by, number)

    def _start_one(self, row: ScheduleRow, slot: SlotRow) -> int | None:
        """Start the run of a slot, unless somebody else has; return the number of a run that is in its way."""
        schedule, body = row.schedule, self._store.flow(row.schedule.digest)
        queue = self._entrance(schedule, body) if schedule.queue is None and self._entrance else schedule.queue
        run = NewRun(
            run_name(), schedule.flow, schedule.version, schedule.digest, body, schedule.vars,
            key_of(schedule.name, slot.slot), schedule.executor, queue=queue,
        )  # fmt: skip
        try:
            started = self._store.start_slot(row, slot.slot, run, alone=schedule.overlap != overlap.ALLOW)
        except Refused as error:
            self._store.note_slot(slot.schedule, slot.slot, SlotState.FAILED, str(error))
            return None
        if started.run is not None:
            self._tell(started.run)
        return None if started.held_by is None else started.held_by.id

    def _hold(self, row: ScheduleRow, slot: SlotRow, run: int, place: int) -> None:
        """Do with a slot as its schedule wishes while an earlier run goes on."""
        policy, other = row.schedule.overlap, self._store.run(run)
        name = run if other is None else other.name
        if policy == overlap.SKIP:
            self._skip(slot, f"overlap: run {name} went on")
        elif policy == overlap.QUEUE and place >= overlap.QUEUED:
            self._skip(slot, f"overlap: {overlap.QUEUED} slots are waiting already")
        elif slot.state == SlotState.TAKEN or policy == overlap.REPLACE:
            if policy == overlap.REPLACE and other is not None and other.wish in {None, "pause"}:
                self._stop(run)
            if slot.state == SlotState.TAKEN:
                self._store.note_slot(slot.schedule, slot.slot, SlotState.WAITING, f"overlap: run {name} goes on")

    def _stop(self, run: int) -> None:
        self._store.wish(run, "stop")
        if self._tell_stopping is not None:
            self._tell_stopping(run)

    def _skip(self, slot: SlotRow, reason: str) -> None:
        self._store.note_slot(slot.schedule, slot.slot, SlotState.SKIPPED, reason)

    def _forget_ended(self) -> None:
        """Forget runs that are in the way of nothing any more."""
        ended = set(self._store.ended(set(self._held.values()))) if self._held else set()
        self._held = {schedule: run for schedule, run in self._held.items() if run not in ended}


def _timetable(row: ScheduleRow) -> Timetable | None:
    try:
        return Timetable.of(row.schedule)
    except (ValueError, KeyError, TypeError) as error:
        logger().error("schedule %r cannot be served here: %s", row.schedule.name, error)
        return None
