"""Schedules and slots on Redis."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from orderlines.errors import Refused
from orderlines.stores.keys import same_run
from orderlines.stores.schedule_records import OPEN, SLOTS_KEPT, Schedule, ScheduleRow, SlotRow, SlotStart
from orderlines.stores.schedule_store import ScheduleStore
from orderlines.stores.showing import shown
from orderlines_store_redis.accepting import words_of
from orderlines_store_redis.rows import kept_text, number, run_of, text, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orderlines.stores.records import FlowRow, NewRun
    from orderlines.stores.schedule_records import NewSlot
    from orderlines_store_redis.accepting import Accepting
    from orderlines_store_redis.connection import Connections

PAGE: Final = 200
"""Slots that are looked at together."""
_FIELDS: Final = (b"id", b"told", b"created", b"paused", b"due")


class RedisSchedules(ScheduleStore):
    """The part of the store that keeps schedules."""

    url: str
    _connections: Connections
    _accepting: Accepting

    def keep_schedule(
        self,
        schedule: Schedule,
        flows: Sequence[FlowRow],
        due: int | None,
        *,
        paused: bool = False,
        replace: bool = False,
    ) -> ScheduleRow:
        told, state = written(schedule), str(int(paused))
        words = (schedule.name, "1" if replace else "", told, number(due), state, schedule.digest)
        what, *row = self._connections.run("keep", *words, *words_of(flows))
        if what == b"taken":
            raise Refused(
                f"schedule {schedule.name!r} is in {shown(self.url)} already: replace it, or use another name"
            )
        return _schedule(row[0])

    def remove_schedule(self, name: str) -> bool:
        return self._connections.run("remove", name) == [1]

    def pause_schedule(self, name: str, *, paused: bool, due: int | None = None) -> ScheduleRow | None:
        (row,) = self._connections.run("pause", name, str(int(paused)), number(due))
        return None if row is None else _schedule(row)

    def schedules(self, name: str | None = None) -> list[ScheduleRow]:
        names: list[bytes] = [] if name is None else [name.encode()]
        if name is None:
            (names,) = self._connections.ask((b"ZRANGE", self._connections.key("schedules"), b"0", b"-1"))
        return sorted(self._rows(names), key=lambda row: row.schedule.name)

    def due_schedules(self, by: float, limit: int) -> list[ScheduleRow]:
        key = self._connections.key("timetable")
        (names,) = self._connections.ask((b"ZRANGEBYSCORE", key, b"-inf", repr(by), b"LIMIT", b"0", str(limit)))
        return [row for row in self._rows(names) if not row.paused and row.due is not None and row.due <= by]

    def _rows(self, names: Sequence[bytes]) -> list[ScheduleRow]:
        key = self._connections.key("schedule:")
        rows = self._connections.ask(*((b"HMGET", key + name, *_FIELDS) for name in names))
        return [_schedule(row) for row in rows if row[0] is not None]

    def take_slots(self, row: ScheduleRow, slots: Sequence[NewSlot], due: int | None) -> bool:
        words = (row.schedule.name, str(row.id), number(row.due), number(due), str(SLOTS_KEPT), str(len(slots)))
        new = (word for slot in slots for word in (str(slot.slot), slot.state, text(slot.reason)))
        return self._connections.run("taking", *words, *new) == [1]

    def start_slot(self, row: ScheduleRow, slot: int, run: NewRun, *, alone: bool) -> SlotStart:
        agreed = ""
        words = (row.schedule.name, str(row.id), str(slot), "1" if alone else "")
        while True:
            what, *answer = self._accepting.ask("start", run, None, *words, agreed)
            if what == b"closed":
                return SlotStart()
            found = run_of(answer[0])
            if what == b"held":
                return SlotStart(held_by=found)
            if what == b"started":
                return SlotStart(found)
            agreed = str(same_run(found, run).id)

    def note_slot(self, schedule: str, slot: int, state: str, reason: str) -> bool:
        return self._connections.run("note", schedule, str(slot), state, text(reason)) == [1]

    def slots(self, schedule: str | None, limit: int, *, unsettled: bool = False) -> list[SlotRow]:
        found: list[SlotRow] = []
        for page in self._named(schedule, unsettled=unsettled):
            found += (row for row in self._outcomes(page) if not unsettled or row.state in OPEN)
            if len(found) >= limit:
                break
        return found[:limit]

    def _named(self, schedule: str | None, *, unsettled: bool) -> Iterator[list[tuple[str, str]]]:
        """Yield pages of the names and moments of slots, in order."""
        if schedule is None:
            key, command = "unsettled" if unsettled else "slots", b"ZRANGE"
        else:
            key, command = f"slots:{schedule}", b"ZRANGE" if unsettled else b"ZREVRANGE"
        first = 0
        while True:
            span = (str(first), str(first + PAGE - 1))
            (page,) = self._connections.ask((command, self._connections.key(key), *span))
            texts = (member.decode() for member in page)
            if schedule is None:
                yield [(name, slot) for slot, _, name in (each.partition(":") for each in texts)]
            else:
                yield [(schedule, slot) for slot in texts]
            if len(page) < PAGE:
                return
            first += PAGE

    def _outcomes(self, named: Sequence[tuple[str, str]]) -> list[SlotRow]:
        key = self._connections.key
        told = self._connections.ask(*((b"HGET", key(f"outcomes:{name}"), slot) for name, slot in named))
        rows = zip(named, told, strict=True)
        return [_slot(name, int(slot), outcome) for (name, slot), outcome in rows if outcome is not None]


def _schedule(row: Sequence[bytes]) -> ScheduleRow:
    number_, told, created, paused, due = row
    return ScheduleRow(
        int(number_), Schedule(*json.loads(told)), float(created), paused == b"1", int(due) if due else None
    )


def _slot(schedule: str, slot: int, outcome: bytes) -> SlotRow:
    state, noted, run, reason = cast("list[Any]", outcome.split(b" ", 3))
    return SlotRow(schedule, slot, state.decode(), kept_text(reason), int(run) if run else None, float(noted))
