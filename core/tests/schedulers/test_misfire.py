from __future__ import annotations

import pytest

from orderlines.schedulers.interval import Interval
from orderlines.schedulers.misfire import MOST, TOLD, due_slots
from orderlines.schedulers.timetable import Timetable
from orderlines.stores.schedule_records import SlotState
from orderlines.testing.drivers.timed import schedule

HOUR = 3_600
TABLE = Timetable(Interval(600, 0))


def kept(misfire: str, now: float, ends: int | None = None, table: Timetable = TABLE) -> dict[int, str]:
    """Return what became of the slots from 600 on."""
    wished = schedule(misfire=misfire, grace=60, ends=ends)
    slots = due_slots(wished, Timetable(table.trigger, None, ends), 600, now)
    assert [new.slot for new in slots] == sorted(new.slot for new in slots)
    assert all((new.reason is None) == (new.state == SlotState.TAKEN) for new in slots)
    return {new.slot: new.reason or "runs" for new in slots}


@pytest.mark.parametrize("misfire", ["skip", "once", "all"])
@pytest.mark.parametrize("late", [0.0, 0.5, 60.0])
def test_what_is_a_little_late_is_no_misfire(misfire: str, late: float) -> None:
    assert kept(misfire, 600 + late) == {600: "runs"}


def test_three_hours_down_and_skip() -> None:
    found = kept("skip", 600 + 3 * HOUR + 90)
    assert found == dict.fromkeys(range(600, 600 + 3 * HOUR + 1, 600), "misfire: nobody was there within 60 s")


def test_three_hours_down_and_skip_but_the_newest_is_in_time() -> None:
    found = kept("skip", 600 + 3 * HOUR + 30)
    assert len(found) == 19
    assert [slot for slot, what in found.items() if what == "runs"] == [600 + 3 * HOUR]


@pytest.mark.parametrize("late", [30, 90])
def test_three_hours_down_and_once(late: int) -> None:
    found = kept("once", 600 + 3 * HOUR + late)
    assert len(found) == 19
    assert found.pop(600 + 3 * HOUR) == "runs"
    assert set(found.values()) == {"misfire: made up for by the slot of 1970-01-01T03:10:00Z"}


def test_three_hours_down_and_all() -> None:
    assert list(kept("all", 600 + 3 * HOUR + 90).values()) == ["runs"] * 19


def test_of_all_only_so_many_are_made_up_for() -> None:
    found = kept("all", 600 * (MOST + 50) + 90)
    assert [slot for slot, what in found.items() if what == "runs"] == [600 * (51 + more) for more in range(MOST)]
    assert sum(what.startswith("misfire: only the newest 100") for what in found.values()) == 50


@pytest.mark.parametrize(("misfire", "runs"), [("skip", 0), ("once", 1), ("all", MOST)])
def test_a_year_of_seconds_down_is_told_as_a_whole(misfire: str, runs: int) -> None:
    now = 600 + 365 * 86_400
    found = kept(misfire, now + 90, now, Timetable(Interval(1, 0)))
    assert len(found) == TOLD + 1
    assert "window" in next(iter(list(found.values())[1:]))
    found = kept(misfire, now + 0.5, table=Timetable(Interval(1, 0)))
    assert "for this slot and all others before 1971-01-01T00:01:41Z" in found[600]
    on_time = 60
    made_up = runs if misfire == "all" else 0
    assert sum(what == "runs" for what in found.values()) == on_time + made_up


@pytest.mark.parametrize("misfire", ["once", "all"])
def test_behind_the_window_nothing_is_made_up_for(misfire: str) -> None:
    found = kept(misfire, 600 + 3 * HOUR + 90, ends=1_200)
    assert set(found) == {600, 1_200}
    assert all(what.startswith("window: it was over at 1970-01-01T00:20:00Z") for what in found.values())


def test_the_last_slot_of_the_window_may_be_a_little_late() -> None:
    assert kept("skip", 1_230, ends=1_200)[1_200] == "runs"
