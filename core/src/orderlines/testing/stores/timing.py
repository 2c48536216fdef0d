"""Time: what is due, what is overdue, by the store's own clock."""

# ruff: noqa: PLR2004 -- as in any test, the expected numbers are the test

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines.states import LineStatus
from orderlines.testing.drivers.records import ending, new_run, step
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow
    from orderlines.testing.drivers.played import PlayedDriver
    from orderlines.testing.stores.case import Crowd


def started(driver: PlayedDriver, timeout: float | None) -> LineRow:
    """Return the root line of a run whose clock has started."""
    return driver.go(step(driver.begin(), LineStatus.CALL, starts=driver.store.now(), timeout=timeout))


class TimeTests(StoreCase):
    """``now``, ``expire``, ``next_due``: every time that is compared is the store's."""

    def test_the_clock_is_one_for_all(self, store: Store, other: Store) -> None:
        times = [clock.now() for clock in (store, other) * 5]
        assert times == sorted(times)
        assert times[0] > 1_600_000_000

    def test_the_deadline_counts_from_the_first_call(self, driver: PlayedDriver) -> None:
        run = driver.store.run(started(driver, 60.5).run)
        assert run is not None
        assert run.started is not None
        assert run.deadline == pytest.approx(run.started + 60.5, abs=1e-6)

    def test_a_run_past_its_deadline_is_wished_a_timeout_once(self, driver: PlayedDriver) -> None:
        overdue, patient, endless = (started(driver, timeout).run for timeout in (0.0, 3600.0, None))
        waiting = driver.store.accept(new_run()).id
        assert driver.store.expire(None) == [overdue]
        assert driver.store.expire(None) == []
        wishes = {run.id: run.wish for run in driver.store.runs(10)}
        assert wishes == {overdue: "timeout", patient: None, endless: None, waiting: None}
        assert len(driver.store.halted(driver.id)) == 1

    def test_only_the_named_runs_expire(self, driver: PlayedDriver) -> None:
        one, two = started(driver, 0.0).run, started(driver, 0.0).run
        assert driver.store.expire([]) == []
        assert driver.store.expire([two]) == [two]
        assert driver.store.expire([one, two]) == [one]

    def test_a_stop_outlives_the_deadline(self, driver: PlayedDriver) -> None:
        run = started(driver, 0.0).run
        driver.store.wish(run, "stop")
        assert driver.store.expire(None) == []
        assert [row.wish for row in driver.store.runs(10)] == ["stop"]

    def test_a_final_run_does_not_expire(self, driver: PlayedDriver) -> None:
        line = started(driver, 0.0)
        driver.write(ending(line))
        assert driver.store.expire(None) == []
        assert [row.wish for row in driver.store.runs(10)] == [None]

    def test_of_many_at_once_one_expires_a_run(self, driver: PlayedDriver, crowd: Crowd) -> None:
        runs = [started(driver, 0.0).run for _ in range(30)]
        expired = crowd("expire", [{}] * 6)
        assert sorted(run for each in expired for run in each) == runs

    def test_nothing_is_due_in_an_empty_store(self, store: Store) -> None:
        assert store.next_due(None) is None

    def test_the_earliest_time_is_the_next(self, driver: PlayedDriver) -> None:
        now = driver.store.now()
        late, early = driver.begin(), driver.begin()
        assert driver.store.next_due(None) is None
        driver.write(step(late, LineStatus.RETRY, keep=False, due=now + 200))
        assert driver.store.next_due(None) == now + 200
        driver.write(step(early, LineStatus.TIME, keep=False, due=now + 100))
        assert driver.store.next_due(None) == now + 100
        assert driver.store.next_due([late.run]) == now + 200
        assert driver.store.next_due([]) is None

    def test_a_deadline_is_due_as_well(self, driver: PlayedDriver) -> None:
        line = started(driver, 50.0)
        run = driver.store.run(line.run)
        assert run is not None
        assert driver.store.next_due(None) == driver.store.next_due([line.run]) == run.deadline
        driver.store.wish(line.run, "stop")
        assert driver.store.next_due(None) is None

    def test_the_past_is_due(self, driver: PlayedDriver) -> None:
        driver.write(step(driver.begin(), LineStatus.RETRY, keep=False, due=5.0))
        assert driver.store.next_due(None) == 5.0

    def test_what_has_ended_is_never_due(self, driver: PlayedDriver) -> None:
        line = started(driver, 50.0)
        driver.write(ending(line)._replace(due=7.0))
        assert driver.store.next_due(None) is None
