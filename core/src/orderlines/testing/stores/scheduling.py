"""Schedules and their slots: each slot is taken once, has one outcome, and starts at most one run."""

# ruff: noqa: PLR2004 -- as in any test, the expected numbers are the test

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines.errors import Refused
from orderlines.states import RunStatus
from orderlines.stores.schedule_records import SLOTS_KEPT, NewSlot, ScheduleRow, SlotStart, SlotState
from orderlines.testing.drivers.played import everything
from orderlines.testing.drivers.records import ending, new_run
from orderlines.testing.drivers.timed import FLOWS, keep, run_of, schedule, taken
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.testing.drivers.played import PlayedDriver
    from orderlines.testing.stores.case import Crowd


def states(store: Store, name: str | None = None) -> list[tuple[int, str, str | None]]:
    """Return the slots that are kept, the oldest first, with what became of them."""
    return [(row.slot, row.state, row.reason) for row in reversed(store.slots(name, 100_000))]


class ScheduleTests(StoreCase):
    """``keep_schedule``, ``remove_schedule``, ``pause_schedule``, ``schedules``, ``due_schedules``."""

    def test_a_schedule_is_kept_whole(self, store: Store, other: Store) -> None:
        wanted = schedule("\u591c\u9593 \U0001f319 'a\"", executor="thread", grace=7, starts=-5, ends=1 << 40)
        before = store.now()
        row = store.keep_schedule(wanted, FLOWS, 1_000, paused=True)
        assert row == ScheduleRow(row.id, wanted, row.created, paused=True, due=1_000)
        assert before <= row.created <= store.now()
        assert other.schedules() == other.schedules(wanted.name) == [row]

    def test_its_flows_are_kept_with_it(self, store: Store) -> None:
        flows = (*FLOWS, FLOWS[0]._replace(digest="entered", name="entered", body='{"flow":"entered"}'))
        store.keep_schedule(schedule(), flows, None)
        store.keep_schedule(schedule("another"), flows, None)
        assert [store.flow(flow.digest) for flow in flows] == [flow.body for flow in flows]
        assert store.flow_named("entered") == flows[1]

    def test_its_flows_are_not_pruned(self, store: Store) -> None:
        own = FLOWS[0]._replace(body='{"flow":"flow","flows":{"entered":"entered"}}')
        entered = FLOWS[0]._replace(digest="entered", name="entered", body='{"flow":"entered"}')
        store.keep_schedule(schedule(), (own, entered), None)
        for flow in ("flow", "entered"):
            store.accept(new_run(flow=flow, digest=f"new {flow}"))
        store.prune_flows()
        assert [store.flow(flow.digest) for flow in (own, entered)] == [own.body, entered.body]
        assert store.remove_schedule("nightly")
        assert store.prune_flows() == 2

    def test_a_name_is_given_once(self, store: Store) -> None:
        row = keep(store)
        with pytest.raises(Refused, match="nightly"):
            store.keep_schedule(schedule(vars="{}"), (FLOWS[0]._replace(digest="new"),), 5)
        assert store.schedules() == [row]

    @pytest.mark.parametrize("other_name", ["NIGHTLY", "nightly ", "nightly\0", "n\u00efghtly", ""])
    def test_names_are_compared_exactly(self, store: Store, other_name: str) -> None:
        one, two = keep(store), keep(store, name=other_name)
        assert store.schedules("nightly") == [one]
        assert store.schedules(other_name) == [two]
        assert store.remove_schedule(other_name)
        assert store.schedules() == [one]

    def test_a_schedule_is_replaced_and_keeps_its_slots(self, store: Store) -> None:
        old = taken(store, 1_000)
        new = store.keep_schedule(schedule(vars="{}"), FLOWS, 2_000, replace=True)
        assert new.id > old.id
        assert store.schedules() == [new]
        assert states(store, "nightly") == [(1_000, SlotState.TAKEN, None)]
        assert store.keep_schedule(schedule("new"), FLOWS, None, replace=True) in store.schedules()

    def test_a_number_is_never_given_again(self, store: Store) -> None:
        old = keep(store)
        assert store.remove_schedule("nightly")
        assert keep(store).id > old.id

    def test_a_schedule_is_removed_with_its_slots_but_not_its_runs(self, store: Store) -> None:
        row, bystander = taken(store, 1_000, 2_000), taken(store, 1_000, name="bystander")
        run = store.start_slot(row, 1_000, run_of("nightly", 1_000), alone=False).run
        assert store.remove_schedule("nightly")
        assert not store.remove_schedule("nightly")
        assert store.schedules() == [bystander]
        assert [slot.schedule for slot in store.slots(None, 10)] == ["bystander"]
        assert store.runs(10) == [run]

    def test_they_are_sorted_by_name(self, store: Store) -> None:
        for name in ("b", "a", "C"):
            keep(store, name=name)
        assert [row.schedule.name for row in store.schedules()] == ["C", "a", "b"]
        assert store.schedules("d") == []

    def test_it_is_paused_and_goes_on(self, store: Store) -> None:
        row = keep(store)
        paused = store.pause_schedule("nightly", paused=True, due=7)
        assert paused == row._replace(paused=True)
        assert store.pause_schedule("nightly", paused=True) == paused
        assert store.pause_schedule("nightly", paused=False, due=5_000) == row._replace(due=5_000)
        assert store.pause_schedule("nightly", paused=False, due=6_000) == row._replace(due=5_000)
        assert store.schedules() == [row._replace(due=5_000)]
        assert store.pause_schedule("unknown", paused=True) is None

    def test_those_that_are_due_come_in_order(self, store: Store) -> None:
        later, first, same = keep(store, 30, name="a"), keep(store, 10, name="b"), keep(store, 30, name="A")
        keep(store, 31, name="c")
        keep(store, None, name="d")
        keep(store, 5, name="e")
        store.pause_schedule("e", paused=True)
        assert store.due_schedules(9.9, 10) == []
        assert store.due_schedules(30, 10) == store.due_schedules(30.9, 10) == [first, same, later]
        assert store.due_schedules(30, 1) == [first]


class SlotTests(StoreCase):
    """``take_slots``, ``start_slot``, ``note_slot``, ``slots``."""

    def test_slots_are_taken_and_the_next_is_named(self, store: Store, other: Store) -> None:
        row = keep(store)
        before = store.now()
        new = [NewSlot(1_000), NewSlot(400, SlotState.SKIPPED, "misfire")]
        assert store.take_slots(row, new, 2_000)
        assert other.schedules() == [row._replace(due=2_000)]
        newest, oldest = other.slots("nightly", 10)
        assert newest[:5] == ("nightly", 1_000, SlotState.TAKEN, None, None)
        assert oldest[:5] == ("nightly", 400, SlotState.SKIPPED, "misfire", None)
        assert before <= newest.noted <= store.now()

    def test_who_comes_late_takes_nothing(self, store: Store, other: Store) -> None:
        row = keep(store)
        assert other.take_slots(row, [NewSlot(1_000)], 2_000)
        assert not store.take_slots(row, [NewSlot(1_000), NewSlot(1_500)], 3_000)
        assert states(store) == [(1_000, SlotState.TAKEN, None)]
        assert store.schedules() == [row._replace(due=2_000)]
        assert store.take_slots(row._replace(due=2_000), [], None)
        assert not store.take_slots(row._replace(due=2_000), [], None)
        assert store.take_slots(row._replace(due=None), [], 4_000)

    @pytest.mark.parametrize("change", ["paused", "replaced", "removed"])
    def test_what_was_changed_meanwhile_is_not_taken(self, store: Store, change: str) -> None:
        row = keep(store)
        if change == "paused":
            store.pause_schedule("nightly", paused=True)
        elif change == "replaced":
            store.keep_schedule(schedule(), FLOWS, 1_000, replace=True)
        else:
            store.remove_schedule("nightly")
        assert not store.take_slots(row, [NewSlot(1_000)], 2_000)
        assert store.slots(None, 10) == []

    def test_a_slot_is_kept_once(self, store: Store) -> None:
        row = taken(store, 1_000)
        started = store.start_slot(row, 1_000, run_of("nightly", 1_000), alone=False).run
        assert started is not None
        again = [NewSlot(1_000), NewSlot(1_600, SlotState.SKIPPED, "why")]
        assert store.take_slots(row, again, 1_000)
        assert states(store) == [(1_000, SlotState.RUN, None), (1_600, SlotState.SKIPPED, "why")]
        assert store.slots("nightly", 10)[1].run == started.id

    def test_many_at_once_take_each_slot_once(self, store: Store, crowd: Crowd) -> None:
        slots = list(range(1_000, 1_020))
        keep(store)
        won = crowd("take_slots", [{"slots": slots}] * 4)
        assert sorted(slot for each in won for slot in each) == slots
        assert [slot for slot, _, _ in states(store)] == slots

    def test_a_slot_starts_its_run(self, store: Store, other: Store) -> None:
        row = taken(store, 1_000)
        new = run_of("nightly", 1_000)
        started = store.start_slot(row, 1_000, new, alone=True)
        run = started.run
        assert run is not None
        assert started.held_by is None
        assert (run.name, run.key, run.vars, run.status) == (new.name, new.key, new.vars, RunStatus.PENDING)
        assert other.run(run.id) == run
        assert len(other.lines(run.id)) == 1
        (slot,) = other.slots("nightly", 10)
        assert slot[:5] == ("nightly", 1_000, SlotState.RUN, None, run.id)
        assert other.start_slot(row, 1_000, new._replace(name="again"), alone=False) == SlotStart()
        assert store.runs(10) == [run]

    def test_the_run_of_a_key_that_is_there_is_the_slots(self, store: Store) -> None:
        row = taken(store, 1_000)
        run = store.accept(run_of("nightly", 1_000))
        assert store.start_slot(row, 1_000, run_of("nightly", 1_000), alone=True) == SlotStart(run)
        assert [slot.run for slot in store.slots("nightly", 10)] == [run.id]
        assert store.runs(10) == [run]

    def test_a_refused_run_changes_nothing(self, store: Store) -> None:
        row = taken(store, 1_000)
        run = store.accept(run_of("nightly", 1_000))
        with pytest.raises(Refused, match="other variables"):
            store.start_slot(row, 1_000, run_of("nightly", 1_000, vars="{}"), alone=False)
        assert states(store) == [(1_000, SlotState.TAKEN, None)]
        assert store.runs(10) == [run]
        assert store.note_slot("nightly", 1_000, SlotState.FAILED, "refused")
        assert states(store) == [(1_000, SlotState.FAILED, "refused")]

    @pytest.mark.parametrize("change", ["paused", "replaced", "removed", "noted", "another slot"])
    def test_what_is_not_open_is_not_started(self, store: Store, change: str) -> None:
        row = taken(store, 1_000)
        if change == "paused":
            store.pause_schedule("nightly", paused=True)
        elif change == "replaced":
            store.keep_schedule(schedule(), FLOWS, 1_000, replace=True)
        elif change == "removed":
            store.remove_schedule("nightly")
        elif change == "noted":
            store.note_slot("nightly", 1_000, SlotState.SKIPPED, "why")
        slot = 1_001 if change == "another slot" else 1_000
        assert store.start_slot(row, slot, run_of("nightly", slot), alone=False) == SlotStart()
        assert store.runs(10) == []

    def test_a_run_that_goes_on_is_in_the_way(self, driver: PlayedDriver) -> None:
        store = driver.store
        row, bystander = taken(store, 1_000, 2_000), taken(store, 1_000, name="bystander")
        first = store.start_slot(row, 1_000, run_of("nightly", 1_000), alone=True).run
        assert first is not None
        store.accept(new_run())
        before = everything(store, first.id)
        assert store.start_slot(row, 2_000, run_of("nightly", 2_000), alone=True) == SlotStart(held_by=first)
        assert everything(store, first.id) == before
        assert states(store, "nightly")[1] == (2_000, SlotState.TAKEN, None)
        assert store.start_slot(bystander, 1_000, run_of("bystander", 1_000), alone=True).run is not None
        (line,) = driver.claim(first.id)
        driver.write(ending(line))
        second = store.start_slot(row, 2_000, run_of("nightly", 2_000), alone=True)
        assert second.run is not None
        assert second.run.id != first.id

    def test_without_need_to_be_alone_runs_go_on_together(self, store: Store) -> None:
        row = taken(store, 1_000, 2_000)
        runs = [store.start_slot(row, slot, run_of("nightly", slot), alone=False).run for slot in (1_000, 2_000)]
        assert all(runs)
        assert len(store.runs(10)) == 2

    def test_many_at_once_start_each_slot_once(self, store: Store, crowd: Crowd) -> None:
        slots = list(range(1_000, 1_010))
        taken(store, *slots)
        started = crowd("start_slots", [{"slots": slots, "alone": False}] * 4)
        assert sorted(run for each in started for run in each) == sorted(run.id for run in store.runs(100))
        assert len(store.runs(100)) == 10
        assert {row.run for row in store.slots("nightly", 100)} == {run.id for run in store.runs(100)}

    def test_of_many_at_once_that_want_to_be_alone_one_starts(self, store: Store, crowd: Crowd) -> None:
        slots = list(range(1_000, 1_010))
        taken(store, *slots)
        arguments = [{"slots": slots[number:] + slots[:number], "alone": True} for number in range(4)]
        started = crowd("start_slots", arguments)
        (run,) = store.runs(100)
        assert [number for each in started for number in each] == [run.id]

    def test_why_a_slot_waits_or_was_left_out_is_noted(self, store: Store) -> None:
        taken(store, 1_000)
        assert store.note_slot("nightly", 1_000, SlotState.WAITING, "one")
        assert states(store) == [(1_000, SlotState.WAITING, "one")]
        assert store.note_slot("nightly", 1_000, SlotState.SKIPPED, "two")
        for state in (SlotState.FAILED, SlotState.WAITING, SlotState.TAKEN):
            assert not store.note_slot("nightly", 1_000, state, "three")
        assert not store.note_slot("nightly", 1_001, SlotState.SKIPPED, "four")
        assert not store.note_slot("another", 1_000, SlotState.SKIPPED, "five")
        assert states(store) == [(1_000, SlotState.SKIPPED, "two")]

    def test_what_was_started_is_not_noted_otherwise(self, store: Store) -> None:
        row = taken(store, 1_000)
        store.note_slot("nightly", 1_000, SlotState.WAITING, "one")
        run = store.start_slot(row, 1_000, run_of("nightly", 1_000), alone=True).run
        assert run is not None
        assert not store.note_slot("nightly", 1_000, SlotState.SKIPPED, "two")
        assert store.slots("nightly", 1)[0][:5] == ("nightly", 1_000, SlotState.RUN, None, run.id)

    def test_slots_are_listed(self, store: Store) -> None:
        row = taken(store, 1_000, 2_000, 3_000)
        taken(store, 2_000, name="a")
        store.start_slot(row, 2_000, run_of("nightly", 2_000), alone=False)
        store.note_slot("nightly", 3_000, SlotState.WAITING, "why")
        listed = [(slot.schedule, slot.slot) for slot in store.slots(None, 10)]
        assert listed == [("nightly", 3_000), ("a", 2_000), ("nightly", 2_000), ("nightly", 1_000)]
        assert [slot.slot for slot in store.slots("nightly", 2)] == [3_000, 2_000]
        still_open = [(slot.schedule, slot.slot) for slot in store.slots(None, 10, unsettled=True)]
        assert still_open == [("nightly", 1_000), ("a", 2_000), ("nightly", 3_000)]
        assert [slot.slot for slot in store.slots("nightly", 1, unsettled=True)] == [1_000]

    def test_old_slots_are_forgotten_unless_something_goes_on(self, driver: PlayedDriver) -> None:
        store = driver.store
        row = taken(store, 1, 2, 3, 4)
        ended = store.start_slot(row, 1, run_of("nightly", 1), alone=False).run
        goes_on = store.start_slot(row, 2, run_of("nightly", 2), alone=False).run
        assert ended is not None
        assert goes_on is not None
        store.note_slot("nightly", 3, SlotState.WAITING, "why")
        store.note_slot("nightly", 4, SlotState.SKIPPED, "why")
        (line,) = driver.claim(ended.id)
        driver.write(ending(line))
        many = [NewSlot(slot, SlotState.SKIPPED, "why") for slot in range(5, 5 + SLOTS_KEPT)]
        assert store.take_slots(row, many[:-4], 9)
        assert len(states(store)) == SLOTS_KEPT
        assert store.take_slots(row._replace(due=9), many[-4:], None)
        assert [slot for slot, _, _ in states(store)] == [2, 3, *(new.slot for new in many)]
        assert store.run(ended.id) is not None

    def test_another_store_object_sees_that_something_was_written(self, store: Store, other: Store) -> None:
        before = other.version()
        row = keep(store)
        between = other.version()
        store.take_slots(row, [NewSlot(1_000)], None)
        assert len({before, between, other.version()}) == 3
