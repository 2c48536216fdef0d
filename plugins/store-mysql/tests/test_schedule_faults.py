"""What a network and others who write at once do to schedules: each write is done once, and told as it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.errors import Refused
from orderlines.stores.schedule_records import NewSlot, SlotStart, SlotState
from orderlines.testing.bench import until
from orderlines.testing.drivers.timed import FLOWS, keep, run_of, schedule, taken
from orderlines_store_mysql.address import Address

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.stores.records import RunRow
    from orderlines.testing.servers.proxy import Proxy
    from orderlines_store_mysql.store import MySQLStore

TIMES = 25
FAULTS: dict[str, Callable[[Proxy], None]] = {
    "cut": lambda proxy: proxy.cut_before(b"COMMIT"),
    "swallowed": lambda proxy: proxy.swallow_answer(b"COMMIT"),
}
every_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


@every_fault
def test_a_schedule_is_kept_once(
    fault: Callable[[Proxy], None], distant: MySQLStore, proxy: Proxy, store: MySQLStore
) -> None:
    for number in range(TIMES):
        fault(proxy)
        row = keep(distant, name=f"schedule {number}")
        assert proxy.pending == 0
        assert store.schedules(row.schedule.name) == [row]
    fault(proxy)
    with pytest.raises(Refused, match="schedule 0"):
        distant.keep_schedule(schedule("schedule 0", vars="{}"), FLOWS, 5)
    assert len(store.schedules()) == TIMES


@every_fault
def test_what_is_replaced_paused_and_removed_is_told_as_it_is(
    fault: Callable[[Proxy], None], distant: MySQLStore, proxy: Proxy, store: MySQLStore
) -> None:
    for _ in range(TIMES):
        fault(proxy)
        row = distant.keep_schedule(schedule(), FLOWS, 7, replace=True)
        assert store.schedules() == [row]
        fault(proxy)
        paused = distant.pause_schedule("nightly", paused=True)
        assert store.schedules() == [paused] == [row._replace(paused=True)]
        fault(proxy)
        assert distant.remove_schedule("nightly")
        assert proxy.pending == 0
        assert store.schedules() == []
        assert not distant.remove_schedule("nightly")


@every_fault
def test_a_slot_is_taken_and_noted_once(
    fault: Callable[[Proxy], None], distant: MySQLStore, proxy: Proxy, store: MySQLStore
) -> None:
    row = keep(store, 0)
    for number in range(TIMES):
        fault(proxy)
        assert distant.take_slots(row._replace(due=number), [NewSlot(number)], number + 1)
        assert not store.take_slots(row._replace(due=number), [], None)
        fault(proxy)
        assert distant.note_slot("nightly", number, SlotState.SKIPPED, "why")
        assert proxy.pending == 0
        assert not distant.note_slot("nightly", number, SlotState.SKIPPED, "why")
        assert store.slots("nightly", 1)[0][:4] == ("nightly", number, SlotState.SKIPPED, "why")
    assert store.schedules() == [row._replace(due=TIMES)]
    assert len(store.slots(None, 100)) == TIMES


@every_fault
@pytest.mark.parametrize("there", [False, True], ids=["new", "there already"])
def test_a_run_is_started_once_and_told_by_who_started_it(
    fault: Callable[[Proxy], None], distant: MySQLStore, proxy: Proxy, store: MySQLStore, *, there: bool
) -> None:
    row = taken(store, *range(TIMES))
    for number in range(TIMES):
        wanted = run_of("nightly", number)
        known = store.accept(run_of("nightly", number)) if there else None
        fault(proxy)
        run = distant.start_slot(row, number, wanted, alone=False).run
        assert proxy.pending == 0
        assert run is not None
        assert known in {None, run}
        assert store.run(run.id) == run
        assert len(store.lines(run.id)) == 1
        assert distant.start_slot(row, number, wanted, alone=False) == SlotStart()
    assert [slot.run for slot in store.slots("nightly", 100)] == [run.id for run in store.runs(100)]


def test_who_accepts_the_run_of_a_slot_at_the_same_moment_gets_the_same(store: MySQLStore) -> None:
    row, together = taken(store, *range(TIMES)), Barrier(2)

    def accept(slot: int) -> RunRow | None:
        together.wait()
        return store.accept(run_of("nightly", slot))

    def start(slot: int) -> RunRow | None:
        together.wait()
        return store.start_slot(row, slot, run_of("nightly", slot), alone=False).run

    with ThreadPoolExecutor(2) as threads:
        for slot in range(TIMES):
            accepted, started = threads.submit(accept, slot), threads.submit(start, slot)
            assert accepted.result() == started.result()
    runs = store.runs(100)
    assert len(runs) == TIMES
    assert [slot.run for slot in store.slots("nightly", 100)] == [run.id for run in runs]


def test_a_flow_that_is_taken_away_meanwhile_is_kept_again(store: MySQLStore, url: str, admin: Any) -> None:
    keep(store, name="another")
    waiting = "SELECT 1 FROM information_schema.processlist WHERE info LIKE '%LOCK IN SHARE%' AND id <> CONNECTION_ID()"
    with closing(admin.open(url)) as connection, ThreadPoolExecutor(1) as threads:
        cursor = connection.cursor()
        cursor.execute("START TRANSACTION")
        cursor.execute(f"DELETE FROM `{Address(url).database}`.ol_flows")
        keeping = threads.submit(keep, store)
        until(lambda: bool(admin.run(url, waiting)), "it waits for the flow")
        cursor.execute("COMMIT")
        row = keeping.result()
    assert store.schedules("nightly") == [row]
    assert store.flow("digest") == FLOWS[0].body
