from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlines.schedulers.at import At
from orderlines.schedulers.cron import Cron
from orderlines.schedulers.instants import text_of
from orderlines.schedulers.interval import Interval
from orderlines.schedulers.moments import moment_of
from orderlines.schedulers.reading import read_trigger, write_trigger
from orderlines.schedulers.timetable import Timetable

from .walls import DAY, Wall, moments

if TYPE_CHECKING:
    from orderlines.schedulers.trigger import Trigger

ZONES = [
    ("Europe/Berlin", 2027),
    ("America/New_York", 2026),
    ("Australia/Lord_Howe", 2026),  # half an hour
    ("Africa/Casablanca", 2026),  # back for the month of Ramadan
    ("America/Santiago", 2026),  # at midnight
    ("Pacific/Apia", 2011),  # a day is left out
    ("Asia/Kathmandu", 2026),  # never, and a quarter of an hour beside
    ("UTC", 2028),
]
LINES = [
    "30 2 * * *", "30 1 * * *", "*/30 * * * *", "0 * * * *", "*/10 2 * * *", "15 1,2 * * *", "0,30 2,3 * * *",
    "0 0 * * *", "5 0 1 * 1", "0 12 29 2 *", "59 23 31 12 *", "0 6 * * 1-5", "17 */7 */3 * 0",
]  # fmt: skip


@cache
def wall(zone: str, year: int) -> Wall:
    return Wall(zone, year)


def between(trigger: Trigger, begin: int, end: int) -> list[int]:
    found = []
    moment = trigger.after(begin)
    while moment is not None and moment <= end:
        found.append(moment)
        moment = trigger.after(moment)
    return found


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize(("zone", "year"), ZONES)
def test_a_year_of_cron_is_what_counting_finds(zone: str, year: int, line: str) -> None:
    clock = wall(zone, year)
    assert between(Cron(line, zone), clock.begin, clock.end) == moments(line, clock)


def field(low: int, high: int) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high)
    spans = st.tuples(numbers, numbers).map(lambda pair: f"{min(pair)}-{max(pair)}")
    several = st.lists(numbers, min_size=1, max_size=4).map(lambda found: ",".join(map(str, found)))
    return st.one_of(st.just("*"), st.integers(2, 9).map(lambda step: f"*/{step}"), several, spans)


@given(
    st.tuples(field(0, 59), field(0, 4), field(1, 28), st.just("*"), field(0, 6)).map(" ".join),
    st.sampled_from([pair for pair in ZONES if pair[0] not in {"UTC", "Asia/Kathmandu"}]),
    st.integers(-DAY, DAY),
)
def test_any_line_around_the_changes_is_what_counting_finds(line: str, place: tuple[str, int], shift: int) -> None:
    clock = wall(*place)
    expected = moments(line, clock)
    trigger = Cron(line, place[0])
    for change in clock.changes():
        begin, end = change + shift - DAY, change + shift + DAY
        if clock.begin < begin and end < clock.end:
            assert between(trigger, begin, end) == [moment for moment in expected if begin < moment <= end]


def berlin(text: str) -> int:
    return moment_of(text, "Europe/Berlin")


def test_the_days_of_both_changes_are_as_promised() -> None:
    spring, autumn = berlin("2027-03-28T00:00"), berlin("2027-10-31T00:00")
    at_half_past_two = Cron("30 2 * * *", "Europe/Berlin")
    assert [text_of(slot) for slot in between(at_half_past_two, spring, spring + DAY)] == ["2027-03-28T01:00:00Z"]
    assert berlin("2027-03-28T03:00") == moment_of("2027-03-28T01:00:00Z")
    at_half_past_one = Cron("30 1 * * *", "Europe/Berlin")
    assert len(between(at_half_past_one, autumn, autumn + 23 * 3600)) == 1
    assert [text_of(slot) for slot in between(Cron("30 2 * * *", "Europe/Berlin"), autumn, autumn + DAY)] == [
        "2027-10-31T00:30:00Z"
    ]
    half_hourly = Cron("*/30 * * * *", "Europe/Berlin")
    for begin, hours in ((spring, 23), (autumn, 25)):
        found = between(half_hourly, begin, begin + hours * 3600)
        assert found == list(range(begin + 1800, begin + hours * 3600 + 1, 1800))


@given(st.integers(1, 10**6), st.integers(-(10**9), 10**9), st.integers(-(10**10), 10**10))
def test_an_interval_knows_no_gap(every: int, first: int, moment: int) -> None:
    trigger = Interval(every, first)
    found = trigger.after(moment)
    assert found > moment
    assert found >= first
    assert (found - first) % every == 0
    assert found - every <= moment or found == first
    assert trigger.after(found) == found + every


def test_a_moment_comes_once() -> None:
    assert At(5).after(4) == 5
    assert At(5).after(5) is None


@pytest.mark.parametrize("trigger", [Interval(90, 7), At(5), Cron("0  3 * * mon", "Europe/Berlin")], ids=str)
def test_triggers_are_read_back(trigger: Trigger) -> None:
    again = read_trigger(write_trigger(trigger))
    assert type(again) is type(trigger)
    assert again.data() == trigger.data()
    assert str(again) == str(trigger)


def test_a_trigger_of_a_later_version_says_so() -> None:
    with pytest.raises(ValueError, match="knows no trigger"):
        read_trigger('{"moon": "full"}')


@pytest.mark.parametrize(
    ("line", "zone", "why"),
    [
        ("31 2 30 2 *", "UTC", "day-of-month, or one that never comes"),
        ("0 0 31 4,6,9,11 *", "UTC", "never comes"),
        ("60 * * * *", "UTC", "wrong minute"),
        ("* * * *", "UTC", "not 5 fields, but 4"),
        ("* * * * * *", "UTC", "not 5 fields, but 6"),
        ("", "UTC", "not 5 fields, but 0"),
        ("@reboot", "UTC", "@daily, @midnight"),
        ("a b c d e", "UTC", "wrong minute"),
        ("0 3 * * *", "Europe/Berln", "did you mean Europe/Berlin"),
        ("0 3 * * *", "../../etc/passwd", "no time zone"),
        ("0 3 * * *", "", "no time zone"),
        ("0 3 * * *", "a\0b", "no time zone"),
        ("0 3 * * *", "Europe", "no time zone"),
    ],
)
def test_what_never_comes_is_refused_with_the_reason(line: str, zone: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Cron(line, zone)


@pytest.mark.parametrize(
    ("name", "line"), [("@hourly", "0 * * * *"), (" @Daily ", "0 0 * * *"), ("@annually", "0 0 1 1 *")]
)
def test_names_of_cron_stand_for_lines(name: str, line: str) -> None:
    assert Cron(name, "Asia/Shanghai").data() == Cron(line, "Asia/Shanghai").data()


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2027-03-28T02:30", "Europe/Berlin", "2027-03-28T01:00:00Z"),
        ("2027-10-31T02:30", "Europe/Berlin", "2027-10-31T00:30:00Z"),
        ("2027-01-01T08:00+08:00", "Europe/Berlin", "2027-01-01T00:00:00Z"),
        ("2027-01-01", "Asia/Kathmandu", "2026-12-31T18:15:00Z"),
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00:00Z"),
        ("2027-01-01T00:00:00.999Z", None, "2027-01-01T00:00:00Z"),
    ],
)
def test_moments_are_read_in_their_zone(text: str, zone: str | None, expected: str) -> None:
    assert text_of(moment_of(text, zone)) == expected


def test_a_moment_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        moment_of("2027-01-01T08:00")


def test_a_window_holds_both_of_its_ends() -> None:
    table = Timetable(Interval(10, 0), 20, 50)
    assert table.upcoming(-100, 9) == [20, 30, 40, 50]
    assert table.upcoming(30, 2) == [40, 50]
    assert table.after(50) is None


@given(st.integers(1, 500), st.integers(0, 100_000), st.integers(1, 60))
def test_the_newest_slots_are_the_last_ones(every: int, span: int, number: int) -> None:
    table = Timetable(Interval(every, 0))
    assert table.newest(0, span, number) == list(range(0, span + 1, every))[-number:]


def test_the_newest_slots_of_years_are_found_at_once() -> None:
    table = Timetable(Interval(1, 0))
    assert table.newest(0, 10**9, 500) == list(range(10**9 - 499, 10**9 + 1))


@pytest.mark.parametrize("trigger", [Cron("0 0 1 1 *", "Asia/Shanghai"), Interval(86_400, 0)], ids=str)
def test_where_the_calendar_ends_so_do_slots(trigger: Trigger) -> None:
    last = moment_of("9999-12-31T23:59:59Z")
    assert Timetable(trigger).upcoming(moment_of("9998-06-01T00:00Z"), 1_000)[-1] <= last
    assert Timetable(trigger).after(last) is None
