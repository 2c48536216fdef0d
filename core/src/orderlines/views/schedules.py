"""Schedules and their slots, as documents and as lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orderlines.schedulers.instants import text_of
from orderlines.views.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from orderlines.schedulers.timetable import Timetable
    from orderlines.stores.base import Store
    from orderlines.stores.schedule_records import Schedule, ScheduleRow, SlotRow

NEXT = 5
"""Slots that are shown of what is to come."""


def schedule_document(
    schedule: Schedule, timetable: Timetable, upcoming: Sequence[int], *, paused: bool
) -> dict[str, Any]:
    """Return a schedule as JSON has it; moments are ISO 8601 in UTC.

    :param upcoming: its next slots.
    """
    return {
        "name": schedule.name,
        "flow": schedule.flow,
        "trigger": str(timetable.trigger),
        "variables": json.loads(schedule.vars),
        "executor": schedule.executor,
        "misfire": schedule.misfire,
        "overlap": schedule.overlap,
        "grace": schedule.grace,
        "from": _text(schedule.starts),
        "until": _text(schedule.ends),
        "paused": paused,
        "next": [text_of(slot) for slot in upcoming],
    }


def kept_document(row: ScheduleRow, timetable: Timetable, number: int) -> dict[str, Any]:
    """Return a schedule that is kept, with some of its next slots; a paused one has none."""
    upcoming = [] if row.paused or row.due is None else [row.due, *timetable.upcoming(row.due, number - 1)]
    return schedule_document(row.schedule, timetable, upcoming, paused=row.paused)


def slots_document(store: Store, slots: Iterable[SlotRow]) -> list[dict[str, Any]]:
    """Return slots as JSON has them, with the names of their runs."""
    return [_slot(store, slot) for slot in slots]


def schedule_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a schedule with its next slots, and with the last ones where the document has them."""
    settings = f"misfire {document['misfire']}, overlap {document['overlap']}"
    window = "".join(f", {word} {document[word]}" for word in ("from", "until") if document[word])
    state = ", paused" if document["paused"] else ""
    yield printable(f"{document['name']}  {document['flow']}  {document['trigger']}  ({settings}{window}{state})")
    yield from (f"  next  {slot}" for slot in document["next"])
    for slot in document.get("slots", ()):
        yield printable(f"  {slot['slot']}  {slot['state']}  {slot['run'] or slot['reason'] or ''}".rstrip())


def schedules_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each schedule."""
    for each in document["schedules"]:
        state = "paused" if each["paused"] else next(iter(each["next"]), "over")
        yield printable(f"{each['name']}  {state}  {each['flow']}  {each['trigger']}")


def _slot(store: Store, slot: SlotRow) -> dict[str, Any]:
    run = None if slot.run is None else store.run(slot.run)
    return {
        "slot": text_of(slot.slot),
        "state": slot.state,
        "reason": slot.reason,
        "run": None if run is None else run.name,
        "noted": text_of(int(slot.noted)),
    }


def _text(moment: int | None) -> str | None:
    return None if moment is None else text_of(moment)
