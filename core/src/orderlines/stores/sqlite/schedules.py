"""Schedules and slots in an SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import Refused
from orderlines.stores.records import RunRow
from orderlines.stores.schedule_records import SLOTS_KEPT, Schedule, ScheduleRow, SlotRow, SlotStart, SlotState
from orderlines.stores.schedule_store import ScheduleStore
from orderlines.stores.sqlite.accepting import accept_run, keep_flows
from orderlines.stores.sqlite.columns import RUN_COLUMNS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from orderlines.stores.records import FlowRow, NewRun
    from orderlines.stores.schedule_records import NewSlot
    from orderlines.stores.sqlite.connection import Connections

_SCHEDULE: Final = ", ".join(("id", *Schedule._fields, "created", "paused", "due"))
_SLOT: Final = "schedule, slot, state, reason, run, noted"
_IS_OPEN: Final = f"state IN ('{SlotState.TAKEN}', '{SlotState.WAITING}')"
_GOES_ON: Final = "run IN (SELECT id FROM runs WHERE finished IS NULL)"


class SQLiteSchedules(ScheduleStore):
    """The part of the SQLite store that keeps schedules."""

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
        with self._connections.writing() as db:
            found = db.execute("DELETE FROM schedules WHERE name = ?", (schedule.name,)).rowcount
            if found and not replace:
                where = self._connections.address.url
                raise Refused(f"schedule {schedule.name!r} is in {where} already: replace it, or use another name")
            now = self.now()
            keep_flows(db, flows, now)
            values = (None, *schedule, now, paused, due)
            marks = ", ".join("?" * len(values))
            number = db.execute(f"INSERT INTO schedules ({_SCHEDULE}) VALUES ({marks})", values).lastrowid
            return ScheduleRow(number or 0, schedule, now, paused, due)

    def remove_schedule(self, name: str) -> bool:
        with self._connections.writing() as db:
            db.execute("DELETE FROM slots WHERE schedule = ?", (name,))
            return db.execute("DELETE FROM schedules WHERE name = ?", (name,)).rowcount == 1

    def pause_schedule(self, name: str, *, paused: bool, due: int | None = None) -> ScheduleRow | None:
        with self._connections.writing() as db:
            db.execute(
                "UPDATE schedules SET paused = ?, due = CASE WHEN ? THEN due ELSE ? END WHERE name = ? AND paused <> ?",
                (paused, paused, due, name, paused),
            )
            row = db.execute(f"SELECT {_SCHEDULE} FROM schedules WHERE name = ?", (name,)).fetchone()
            return None if row is None else _schedule(row)

    def schedules(self, name: str | None = None) -> list[ScheduleRow]:
        where, values = ("", ()) if name is None else (" WHERE name = ?", (name,))
        with self._connections.reading() as db:
            rows = db.execute(f"SELECT {_SCHEDULE} FROM schedules{where} ORDER BY name", values).fetchall()
        return [_schedule(row) for row in rows]

    def due_schedules(self, by: float, limit: int) -> list[ScheduleRow]:
        with self._connections.reading() as db:
            rows = db.execute(
                f"SELECT {_SCHEDULE} FROM schedules WHERE NOT paused AND due <= ? ORDER BY due, name LIMIT ?",
                (by, limit),
            ).fetchall()
        return [_schedule(row) for row in rows]

    def take_slots(self, row: ScheduleRow, slots: Sequence[NewSlot], due: int | None) -> bool:
        with self._connections.writing() as db:
            taken = db.execute(
                "UPDATE schedules SET due = ? WHERE id = ? AND NOT paused AND due IS ?", (due, row.id, row.due)
            ).rowcount
            if not taken:
                return False
            name, now = row.schedule.name, self.now()
            db.executemany(
                f"INSERT OR IGNORE INTO slots ({_SLOT}) VALUES (?, ?, ?, ?, NULL, ?)",
                [(name, *slot, now) for slot in slots],
            )
            _forget_old(db, name)
            return True

    def start_slot(self, row: ScheduleRow, slot: int, run: NewRun, *, alone: bool) -> SlotStart:
        name = row.schedule.name
        with self._connections.writing() as db:
            if not _startable(db, row, slot):
                return SlotStart()
            if alone:
                held_by = db.execute(
                    f"SELECT {RUN_COLUMNS} FROM runs WHERE finished IS NULL AND id IN"
                    " (SELECT run FROM slots WHERE schedule = ? AND run IS NOT NULL) ORDER BY id LIMIT 1",
                    (name,),
                ).fetchone()
                if held_by is not None:
                    return SlotStart(held_by=RunRow(*held_by))
            now = self.now()
            started, _ = accept_run(db, run, None, now)
            db.execute(
                "UPDATE slots SET state = ?, reason = NULL, run = ?, noted = ? WHERE schedule = ? AND slot = ?",
                (SlotState.RUN, started.id, now, name, slot),
            )
            return SlotStart(started)

    def note_slot(self, schedule: str, slot: int, state: str, reason: str) -> bool:
        with self._connections.writing() as db:
            noted = db.execute(
                f"UPDATE slots SET state = ?, reason = ?, noted = ? WHERE schedule = ? AND slot = ? AND {_IS_OPEN}",
                (state, reason, self.now(), schedule, slot),
            )
            return noted.rowcount == 1

    def slots(self, schedule: str | None, limit: int, *, unsettled: bool = False) -> list[SlotRow]:
        of_one = "TRUE" if schedule is None else "schedule = ?"
        which, order = (_IS_OPEN, "slot, schedule") if unsettled else ("TRUE", "slot DESC, schedule")
        values = (limit,) if schedule is None else (schedule, limit)
        with self._connections.reading() as db:
            rows = db.execute(
                f"SELECT {_SLOT} FROM slots WHERE {of_one} AND {which} ORDER BY {order} LIMIT ?", values
            ).fetchall()
        return [SlotRow(*row) for row in rows]


def _schedule(row: tuple[Any, ...]) -> ScheduleRow:
    return ScheduleRow(row[0], Schedule(*row[1:-3]), row[-3], bool(row[-2]), row[-1])


def _startable(db: sqlite3.Connection, row: ScheduleRow, slot: int) -> bool:
    """Return whether a slot is open, and its schedule as it was and not paused."""
    found = db.execute(
        "SELECT 1 FROM slots JOIN schedules ON schedules.name = slots.schedule"
        f" WHERE schedules.id = ? AND NOT paused AND slot = ? AND {_IS_OPEN}",
        (row.id, slot),
    )
    return found.fetchone() is not None


def _forget_old(db: sqlite3.Connection, name: str) -> None:
    """Delete what is over and older than the newest slots of a schedule."""
    oldest = db.execute(
        "SELECT slot FROM slots WHERE schedule = ? ORDER BY slot DESC LIMIT 1 OFFSET ?", (name, SLOTS_KEPT - 1)
    ).fetchone()
    if oldest is not None:
        db.execute(
            f"DELETE FROM slots WHERE schedule = ? AND slot < ? AND NOT {_IS_OPEN} AND (run IS NULL OR NOT {_GOES_ON})",
            (name, *oldest),
        )
