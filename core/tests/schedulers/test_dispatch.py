"""Schedulers on a real SQLite store with a clock that the test moves: killed and paused at every write."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from itertools import cycle, product
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.schedulers.cron import Cron
from orderlines.schedulers.dispatch import Dispatcher, key_of
from orderlines.schedulers.instants import text_of
from orderlines.schedulers.interval import Interval
from orderlines.schedulers.moments import moment_of
from orderlines.schedulers.reading import write_trigger
from orderlines.schedulers.timetable import Timetable
from orderlines.stores.schedule_records import NewSlot, SlotState
from orderlines.stores.sqlite import SQLiteStore
from orderlines.testing.drivers.played import PlayedDriver
from orderlines.testing.drivers.records import ending
from orderlines.testing.drivers.timed import FLOWS, run_of, schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orderlines.schedulers.trigger import Trigger
    from orderlines.stores.records import NewRun
    from orderlines.stores.schedule_records import ScheduleRow, SlotStart

BEGIN = moment_of("2027-01-01T00:00Z")
END = moment_of("2028-01-01T00:00Z")
HOUR = 3_600
POINTS = tuple(product(("before", "after"), ("take_slots", "start_slot", "note_slot")))


class Killed(BaseException):
    """The scheduler dies here."""


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now


class PlayedStore(SQLiteStore):
    """A store whose clock a test moves, and that calls a hook before and after each write of a scheduler."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.clock = clock
        self.hook: Callable[[str, str], None] = lambda when, what: None
        super().__init__(url)

    def now(self) -> float:
        return self.clock.now

    def take_slots(self, *given: Any) -> bool:
        self.hook("before", "take_slots")
        done = super().take_slots(*given)
        self.hook("after", "take_slots")
        return done

    def start_slot(self, row: ScheduleRow, slot: int, run: NewRun, *, alone: bool) -> SlotStart:
        self.hook("before", "start_slot")
        done = super().start_slot(row, slot, run, alone=alone)
        self.hook("after", "start_slot")
        return done

    def note_slot(self, *given: Any) -> bool:
        self.hook("before", "note_slot")
        done = super().note_slot(*given)
        self.hook("after", "note_slot")
        return done

    def at(self, point: tuple[str, str], act: Callable[[], None]) -> None:
        """Do something at the next write of a kind, once."""

        def hook(when: str, what: str) -> None:
            if (when, what) == point:
                self.hook = lambda when, what: None
                act()

        self.hook = hook


@pytest.fixture
def clock() -> Clock:
    return Clock(BEGIN)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def make(path: Path, clock: Clock) -> Iterator[Callable[[], PlayedStore]]:
    stores: list[PlayedStore] = []

    def made() -> PlayedStore:
        stores.append(PlayedStore(f"sqlite:///{path}", clock))
        return stores[-1]

    yield made
    for store in stores:
        store.close()


@pytest.fixture
def store(make: Callable[[], PlayedStore]) -> PlayedStore:
    return make()


def look(store: PlayedStore) -> float | None:
    """Be a scheduler that has just been started, and look once."""
    return Dispatcher(store, lambda run: None).look()


def keep(store: PlayedStore, name: str, trigger: Trigger, **given: Any) -> Timetable:
    table = Timetable(trigger, given.get("starts"), given.get("ends"))
    wished = schedule(name, trigger=write_trigger(trigger), **given)
    store.keep_schedule(wished, FLOWS, table.after(int(store.now())))
    return table


def keys(store: PlayedStore) -> list[str]:
    """Return the keys of all runs, in order."""
    return sorted(row.key or "" for row in store.runs(1_000_000))


def slots(store: PlayedStore, name: str = "s") -> dict[int, str]:
    """Return what became of the slots."""
    return {row.slot: row.reason or row.state for row in store.slots(name, 1_000)}


def end_all(path: Path) -> None:
    """Let all runs be over."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE runs SET finished = 1, status = 'SUCCESS' WHERE finished IS NULL")
        db.execute("DELETE FROM lines")
        db.commit()


def kill() -> None:
    raise Killed


def test_two_schedulers_killed_and_paused_at_every_step_of_a_year(
    store: PlayedStore, make: Callable[[], PlayedStore], clock: Clock, path: Path
) -> None:
    tables = {
        "hourly": keep(store, "hourly", Cron("0 * * * *", "Europe/Berlin"), misfire="all"),
        "gap": keep(store, "gap", Cron("30 2 * * *", "Europe/Berlin"), misfire="all"),
        "fold": keep(store, "fold", Cron("30 1 * * *", "America/New_York"), misfire="all"),
        "sixth": keep(store, "sixth", Interval(6 * HOUR + 1, BEGIN + 5), misfire="all"),
    }
    other = make()
    faults = cycle(product(POINTS[:4], ("kill", "pause", "kill and the other goes on")))
    died = 0

    serving = {each: Dispatcher(each, lambda run: None) for each in (store, other)}

    def paused() -> None:
        clock.now += 120
        serving[other].look()

    steps = 0
    while clock.now < END:
        clock.now += 55 * 60 - 11
        point, fault = next(faults)
        store.at(point, paused if fault == "pause" else kill)
        try:
            serving[store].look()
        except Killed:
            died += 1
            serving[store] = Dispatcher(store, lambda run: None)
        if fault == "kill and the other goes on":
            serving[other].look()
        store.hook = lambda when, what: None
        steps += 1
        if steps % 100 == 0:
            end_all(path)
    look(other)
    expected = [key_of(name, slot) for name, table in tables.items() for slot in table.newest(BEGIN + 1, END, 10_000)]
    begun = [key for key in keys(store) if moment_of(key.split(":", 2)[2]) <= END]
    assert begun == sorted(expected)
    assert len(expected) == 8_760 + 365 + 365 + 1_460
    assert died > 1_000
    assert store.slots(None, 10, unsettled=True) == []


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe"])
@pytest.mark.parametrize("change", ["2027-03-28T01:00Z", "2027-10-31T01:00Z", "2027-04-03T15:00Z", "2027-10-02T15:30Z"])
def test_each_half_hour_around_the_changes_has_one_run(
    store: PlayedStore, make: Callable[[], PlayedStore], clock: Clock, zone: str, change: str
) -> None:
    begin = moment_of(change) - 6 * HOUR
    clock.now = begin
    keep(store, "s", Cron("*/30 * * * *", zone))
    other = make()
    while clock.now < begin + 12 * HOUR:
        clock.now += 29
        look(store)
        look(other)
    assert keys(store) == [key_of("s", slot) for slot in range(begin + 1800, begin + 12 * HOUR + 1, 1800)]


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("policy", ["allow", "skip", "queue", "replace"])
def test_who_dies_at_a_step_is_followed_by_another(
    store: PlayedStore, make: Callable[[], PlayedStore], clock: Clock, point: tuple[str, str], policy: str
) -> None:
    """Three slots come while the first one's run goes on; a scheduler dies at the same step of each."""
    keep(store, "s", Interval(60, BEGIN + 60), overlap=policy, misfire="all")
    other, driver = make(), PlayedDriver(store)
    for _ in range(3):
        clock.now += 60
        store.at(point, kill)
        with suppress(Killed):
            look(store)
        store.hook = lambda when, what: None
        look(other)
    first = key_of("s", BEGIN + 60)
    if policy == "allow":
        assert keys(store) == [key_of("s", BEGIN + 60 * number) for number in (1, 2, 3)]
        return
    assert keys(store) == [first]
    while lines := driver.claim():
        for line in lines:
            driver.write(ending(line))
        look(other)
    ran = {"skip": (1,), "queue": (1, 2, 3), "replace": (1, 3)}[policy]
    assert keys(store) == [key_of("s", BEGIN + 60 * number) for number in ran]
    assert store.slots(None, 10, unsettled=True) == []


def test_overlap_skip_tells_why(store: PlayedStore, clock: Clock) -> None:
    keep(store, "s", Interval(60, BEGIN + 60), overlap="skip")
    clock.now += 60
    look(store)
    clock.now += 60
    look(store)
    (run,) = store.runs(10)
    assert slots(store) == {BEGIN + 60: "RUN", BEGIN + 120: f"overlap: run {run.name} went on"}


def test_overlap_queue_waits_in_order_and_not_without_end(store: PlayedStore, clock: Clock, path: Path) -> None:
    keep(store, "s", Interval(60, BEGIN + 60), overlap="queue")
    serving = Dispatcher(store, lambda run: None)
    for _ in range(105):
        clock.now += 60
        serving.look()
    found = list(slots(store).values())
    assert found.count("RUN") == 1
    assert found.count("overlap: 100 slots are waiting already") == 4
    end_all(path)
    serving.look()
    assert sorted(keys(store)) == [key_of("s", BEGIN + 60), key_of("s", BEGIN + 120)]


def test_overlap_replace_stops_the_run_that_goes_on(store: PlayedStore, clock: Clock, path: Path) -> None:
    keep(store, "s", Interval(60, BEGIN + 60), overlap="replace")
    serving = Dispatcher(store, lambda run: None)
    for _ in range(3):
        clock.now += 60
        serving.look()
    (run,) = store.runs(10)
    assert run.wish == "stop"
    found = slots(store)
    assert found[BEGIN + 120] == f"overlap: the slot of {text_of(BEGIN + 180)} took its place"
    assert found[BEGIN + 180] == f"overlap: run {run.name} goes on"
    end_all(path)
    serving.look()
    assert slots(store)[BEGIN + 180] == "RUN"


@pytest.mark.parametrize(("misfire", "runs"), [("skip", 1), ("once", 2), ("all", 19)])
def test_three_hours_down(store: PlayedStore, clock: Clock, misfire: str, runs: int) -> None:
    keep(store, "s", Interval(600, BEGIN + 600), misfire=misfire)
    clock.now = BEGIN + 600
    look(store)
    clock.now += 3 * HOUR + 90
    look(store)
    assert len(keys(store)) == runs
    assert len(slots(store)) == 19
    clock.now = BEGIN + 600 + 3 * HOUR + 600
    look(store)
    assert len(keys(store)) == runs + 1


def test_a_slot_that_was_taken_before_all_died_is_a_misfire_too(store: PlayedStore, clock: Clock) -> None:
    keep(store, "s", Interval(86_400, BEGIN + 600), misfire="skip")
    clock.now = BEGIN + 600
    store.at(("before", "start_slot"), kill)
    with suppress(Killed):
        look(store)
    assert slots(store) == {BEGIN + 600: SlotState.TAKEN}
    clock.now += 3 * HOUR
    look(store)
    assert slots(store) == {BEGIN + 600: "misfire: it was not started within 60 s"}
    assert keys(store) == []


def test_outside_its_window_nothing_is_due(store: PlayedStore, clock: Clock) -> None:
    keep(store, "s", Interval(600, BEGIN), starts=BEGIN + 1_800, ends=BEGIN + 3_000)
    for _ in range(60):
        clock.now += 100
        look(store)
    assert list(reversed(slots(store))) == [BEGIN + 1_800, BEGIN + 2_400, BEGIN + 3_000]
    assert [row.due for row in store.schedules()] == [None]


def test_what_waits_is_not_started_behind_the_window(store: PlayedStore, clock: Clock, path: Path) -> None:
    keep(store, "s", Interval(600, BEGIN + 600), overlap="queue", ends=BEGIN + 1_200)
    for _ in range(2):
        clock.now += 600
        look(store)
    clock.now += 600
    end_all(path)
    look(store)
    assert slots(store)[BEGIN + 1_200] == f"window: it was over at {text_of(BEGIN + 1_200)}"


def test_a_clock_that_ran_ahead_keeps_no_slot_back(store: PlayedStore, clock: Clock) -> None:
    keep(store, "s", Interval(600, BEGIN + 600))
    clock.now = BEGIN + 10 * 365 * 86_400
    look(store)
    assert len(keys(store)) == 1
    clock.now = BEGIN + 10
    look(store)
    for _ in range(3):
        clock.now += 600
        look(store)
    assert keys(store)[:2] == [key_of("s", BEGIN + 1_200), key_of("s", BEGIN + 1_800)]


def test_a_clock_that_is_put_back_an_hour_doubles_nothing(store: PlayedStore, clock: Clock) -> None:
    keep(store, "s", Interval(600, BEGIN + 600))
    for _ in range(2):
        for _ in range(12):
            clock.now += 600
            look(store)
        clock.now -= HOUR
        look(store)
    numbers = range(1, 19)
    assert keys(store) == [key_of("s", BEGIN + 600 * number) for number in numbers]


def test_a_key_that_stands_for_something_else_fails_its_slot_only(store: PlayedStore, clock: Clock) -> None:
    keep(store, "s", Interval(600, BEGIN + 600), vars='{"a":2}')
    taken = run_of("s", 0)._replace(key=key_of("s", BEGIN + 600))
    store.accept(taken)
    for _ in range(2):
        clock.now += 600
        look(store)
    assert "other variables" in slots(store)[BEGIN + 600]
    assert slots(store)[BEGIN + 1_200] == SlotState.RUN


def test_a_schedule_that_cannot_be_read_here_harms_no_other(
    store: PlayedStore, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    store.keep_schedule(schedule("odd", trigger='{"moon":"full"}'), FLOWS, BEGIN + 60)
    keep(store, "s", Interval(60, BEGIN + 60))
    serving = Dispatcher(store, lambda run: None)
    clock.now += 60
    assert serving.look() == 60
    assert len(keys(store)) == 1
    assert [record.message for record in caplog.records if "odd" in record.message] == [
        'schedule \'odd\' cannot be served here: this orderlines knows no trigger such as {"moon":"full"}'
    ]


def test_a_look_says_when_the_next_one_is_worth_while(store: PlayedStore, clock: Clock) -> None:
    assert look(store) is None
    keep(store, "s", Interval(40, BEGIN + 40))
    assert look(store) == 40
    clock.now += 30.5
    assert look(store) == 9.5
    store.pause_schedule("s", paused=True)
    clock.now += 100
    assert look(store) is None
    assert slots(store) == {}


def test_what_waits_while_it_is_paused_goes_on_afterwards(store: PlayedStore, clock: Clock) -> None:
    keep(store, "s", Interval(600, BEGIN + 600))
    (row,) = store.schedules()
    store.take_slots(row, [NewSlot(BEGIN + 600)], BEGIN + 1_200)
    store.pause_schedule("s", paused=True)
    clock.now += 700
    look(store)
    assert keys(store) == []
    store.pause_schedule("s", paused=False, due=BEGIN + 1_200)
    look(store)
    assert keys(store) == [key_of("s", BEGIN + 600)]
