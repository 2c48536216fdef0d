"""Schedules and slots in MySQL.

Whoever writes takes the lock of a schedule's row first, and those of its slots then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import Refused
from orderlines.stores.schedule_records import SLOTS_KEPT, Schedule, ScheduleRow, SlotRow
from orderlines.stores.schedule_store import ScheduleStore
from orderlines_store_mysql.accepting import flows_kept
from orderlines_store_mysql.literals import many, numbers, put, texts
from orderlines_store_mysql.schedule_schema import SCHEDULE_COLUMNS, SLOT_COLUMNS
from orderlines_store_mysql.settling import again, settle
from orderlines_store_mysql.starting import IS_OPEN, Start

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from orderlines.stores.records import FlowRow, NewRun
    from orderlines.stores.schedule_records import NewSlot, SlotStart
    from orderlines_store_mysql.connections import Connections
    from orderlines_store_mysql.transaction import Transaction

_NEW: Final = SCHEDULE_COLUMNS.removeprefix("id, ")
_KEEP: Final = f"INSERT INTO ol_schedules ({_NEW}) VALUES ({', '.join('%s' for _ in _NEW.split(', '))})"
_PAUSE: Final = "UPDATE ol_schedules SET due = IF(%s, due, %s), paused = %s WHERE name = %s AND paused <> %s"
_TAKE: Final = "UPDATE ol_schedules SET due = %s WHERE id = %s AND paused = 0 AND due <=> %s"
_SLOTS: Final = f"INSERT INTO ol_slots ({SLOT_COLUMNS}) VALUES"
_AS_IT_WAS: Final = "ON DUPLICATE KEY UPDATE slot = ol_slots.slot"
_OLD: Final = (
    f"SELECT slot FROM ol_slots WHERE schedule = %s AND NOT {IS_OPEN} AND slot <"
    " (SELECT slot FROM ol_slots WHERE schedule = %s ORDER BY slot DESC LIMIT 1 OFFSET %s)"
    " AND (run IS NULL OR run NOT IN (SELECT id FROM ol_runs WHERE finished IS NULL))"
)
# What is settled as it is to be was noted by the same call, whose answer was lost.
_NOTE: Final = (
    "UPDATE ol_slots SET state = %s, reason = %s, noted = %s WHERE schedule = %s AND slot = %s"
    f" AND ({IS_OPEN} OR (state = %s AND reason = %s AND noted = %s))"
)


class MySQLSchedules(ScheduleStore):
    """The part of the MySQL store that keeps schedules."""

    _connections: Connections

    def now(self) -> float:
        """Return the store's clock."""
        raise NotImplementedError

    def keep_schedule(
        self,
        schedule: Schedule,
        flows: Sequence[FlowRow],
        due: int | None,
        *,
        paused: bool = False,
        replace: bool = False,
    ) -> ScheduleRow:
        now = self.now()
        written = put(_KEEP, *schedule, now, paused, due)

        def work(transaction: Transaction) -> ScheduleRow | None:
            found = transaction.rows(put("SELECT id FROM ol_schedules WHERE name = %s FOR UPDATE", schedule.name))
            if found and not replace:
                return None
            _keep_flows(transaction, flows, now)
            *_, kept = transaction.commit(
                put("DELETE FROM ol_schedules WHERE name = %s", schedule.name),
                written,
                f"SELECT {SCHEDULE_COLUMNS} FROM ol_schedules WHERE id = LAST_INSERT_ID()",
            )
            return _schedule(kept.rows[0])

        def ours() -> ScheduleRow | None:
            rows = self._schedules(put("name = %s AND created = %s", schedule.name, now))
            return rows[0] if rows else None

        kept = settle(self._connections, work, ours)
        if kept is None:
            where = self._connections.address.shown
            raise Refused(f"schedule {schedule.name!r} is in {where} already: replace it, or use another name")
        return kept

    def remove_schedule(self, name: str) -> bool:
        there = False

        def work(transaction: Transaction) -> None:
            nonlocal there
            (gone,) = transaction.ask(put("DELETE FROM ol_schedules WHERE name = %s", name))
            # Where the answer is lost and all is done again, the first time may have been the one.
            there = there or gone.matched == 1
            transaction.commit(put("DELETE FROM ol_slots WHERE schedule = %s", name))

        self._connections.writing(work, repeatable=True)
        return there

    def pause_schedule(self, name: str, *, paused: bool, due: int | None = None) -> ScheduleRow | None:
        written = put(_PAUSE, paused, due, paused, name, paused)
        asked = put(f"SELECT {SCHEDULE_COLUMNS} FROM ol_schedules WHERE name = %s", name)
        answers = self._connections.writing(lambda transaction: transaction.commit(written, asked), repeatable=True)
        rows = answers[-1].rows
        return _schedule(rows[0]) if rows else None

    def schedules(self, name: str | None = None) -> list[ScheduleRow]:
        return self._schedules("TRUE" if name is None else put("name = %s", name), "name")

    def due_schedules(self, by: float, limit: int) -> list[ScheduleRow]:
        return self._schedules(put("paused = 0 AND due <= %s", by), f"due, name LIMIT {limit}")

    def take_slots(self, row: ScheduleRow, slots: Sequence[NewSlot], due: int | None) -> bool:
        name, now = row.schedule.name, self.now()

        def work(transaction: Transaction) -> bool | None:
            (taken,) = transaction.ask(put(_TAKE, due, row.id, row.due))
            if not taken.matched:
                return None
            new = many(_SLOTS, [(name, *slot, None, now) for slot in slots])
            *_, old = transaction.ask(*(f"{each} {_AS_IT_WAS}" for each in new), put(_OLD, name, name, SLOTS_KEPT - 1))
            transaction.commit(*_forgotten(name, [number for (number,) in old.rows]))
            return True

        def stands() -> bool:
            return bool(self._schedules(put("id = %s AND due <=> %s", row.id, due)))

        return settle(self._connections, work, stands) or False

    def start_slot(self, row: ScheduleRow, slot: int, run: NewRun, *, alone: bool) -> SlotStart:
        return Start(row, slot, run, alone=alone, now=self.now()).do(self._connections)

    def note_slot(self, schedule: str, slot: int, state: str, reason: str) -> bool:
        now = self.now()
        written = put(_NOTE, state, reason, now, schedule, slot, state, reason, now)
        (noted,) = self._connections.writing(lambda transaction: transaction.commit(written), repeatable=True)
        return noted.matched == 1

    def slots(self, schedule: str | None, limit: int, *, unsettled: bool = False) -> list[SlotRow]:
        of_one = "TRUE" if schedule is None else put("schedule = %s", schedule)
        which, order = (IS_OPEN, "slot, schedule") if unsettled else ("TRUE", "slot DESC, schedule")
        asked = f"SELECT {SLOT_COLUMNS} FROM ol_slots WHERE {of_one} AND {which} ORDER BY {order} LIMIT {limit}"
        return [SlotRow(*each) for each in self._connections.reading(lambda link: link.ask(asked))]

    def _schedules(self, condition: str, order: str = "id") -> list[ScheduleRow]:
        asked = f"SELECT {SCHEDULE_COLUMNS} FROM ol_schedules WHERE {condition} ORDER BY {order}"
        return [_schedule(each) for each in self._connections.reading(lambda link: link.ask(asked))]


def _schedule(kept: Sequence[Any]) -> ScheduleRow:
    number, *schedule, created, paused, due = kept
    return ScheduleRow(number, Schedule(*schedule), created, bool(paused), due)


def _keep_flows(transaction: Transaction, flows: Sequence[FlowRow], now: float) -> None:
    """Write the flows that are not kept yet, and hold all, so that nobody takes one away before a schedule names it."""
    digests = {flow.digest for flow in flows}
    held = f"SELECT digest FROM ol_flows WHERE digest IN {texts(digests)} ORDER BY digest LOCK IN SHARE MODE"
    *_, kept = transaction.ask(*flows_kept(flows, now), held)
    if len(kept.rows) < len(digests):
        raise again("a flow was taken away meanwhile")


def _forgotten(name: str, slots: Collection[int]) -> list[str]:
    """Return what deletes slots of a schedule."""
    return [put("DELETE FROM ol_slots WHERE schedule = %s", name) + f" AND slot IN {numbers(slots)}"] if slots else []
