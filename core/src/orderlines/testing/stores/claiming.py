"""Claiming: who may go on with a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines.states import LineStatus
from orderlines.testing.drivers.records import ending, fork, new_run, opening, step
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.testing.drivers.played import PlayedDriver
    from orderlines.testing.stores.case import Crowd

IN_FLIGHT = [LineStatus.CALL, LineStatus.HANDLER]
WAITING = [LineStatus.RETRY, LineStatus.TIME, LineStatus.SIGNAL, LineStatus.JOIN]


class ClaimTests(StoreCase):
    """``claim``: take up to ``limit`` lines that can go on and that nobody owns, with a new epoch."""

    def test_a_ready_line_is_claimed_with_a_new_epoch(self, store: Store, driver: PlayedDriver) -> None:
        before = store.lines(store.accept(new_run()).id)
        (line,) = driver.claim()
        assert line == store.line(line.id)
        assert [line] == [before[0]._replace(owner=driver.id, epoch=line.epoch)]
        assert line.epoch > before[0].epoch

    @pytest.mark.parametrize("status", [LineStatus.READY, *IN_FLIGHT, *WAITING])
    def test_a_line_with_an_owner_is_not_claimed(self, driver: PlayedDriver, rival: PlayedDriver, status: str) -> None:
        driver.write(step(driver.begin(), status, due=0.0))
        assert driver.claim() == rival.claim() == []

    @pytest.mark.parametrize("status", [LineStatus.READY, *IN_FLIGHT])
    def test_an_attempt_in_flight_without_an_owner_is_claimed(
        self, driver: PlayedDriver, rival: PlayedDriver, status: str
    ) -> None:
        begun = driver.go(step(driver.begin(), status, attempt=1, began=5.0, executor="e"))
        driver.store.dismiss([driver.id])
        (line,) = rival.claim()
        assert line == begun._replace(owner=rival.id, epoch=line.epoch)
        assert line.epoch > begun.epoch

    @pytest.mark.parametrize("status", WAITING)
    def test_a_waiting_line_is_claimed_when_its_time_has_come(self, driver: PlayedDriver, status: str) -> None:
        now = driver.store.now()
        driver.write(step(driver.begin(), status, keep=False, due=now + 3600))
        driver.write(step(driver.begin(), status, keep=False, due=None))
        overdue = driver.go(step(driver.begin(), status, keep=False, due=now - 0.001))
        assert [line.id for line in driver.claim()] == [overdue.id]

    @pytest.mark.parametrize("status", [LineStatus.SUCCESS, LineStatus.FAILURE, LineStatus.STOP])
    def test_a_line_that_has_ended_is_never_claimed(self, driver: PlayedDriver, status: str) -> None:
        line = driver.begin()
        driver.write(ending(line, status))
        driver.store.wish(line.run, "stop")
        assert driver.claim() == []

    def test_a_woken_parent_without_an_owner_is_claimed(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        (child,) = driver.write(fork(driver.begin(), opening("a"))).opened
        woken = driver.write(ending(child)).woken
        assert woken is not None
        driver.store.dismiss([driver.id])
        (line,) = rival.claim()
        assert (line.id, line.status) == (woken.id, LineStatus.JOINED)
        assert line.epoch > woken.epoch

    def test_the_earlier_owner_is_fenced_by_the_claim(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        line = driver.begin()
        driver.store.dismiss([driver.id])
        (taken,) = rival.claim()
        assert driver.try_step(ending(line)).refused == "fenced"
        assert rival.go(step(taken)).owner == rival.id

    def test_who_is_not_on_the_books_any_more_claims_nothing(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        line = driver.begin()
        driver.store.dismiss([driver.id])
        assert driver.claim() == []
        assert [row.id for row in rival.claim()] == [line.id]

    def test_who_released_a_line_and_claims_it_again_has_a_new_epoch(self, driver: PlayedDriver) -> None:
        epochs = []
        line = driver.begin()
        for _ in range(3):
            epochs.append(line.epoch)
            driver.store.release(driver.id, [line.id])
            (line,) = driver.claim()
        assert epochs == sorted(set(epochs))
        assert line.epoch > epochs[-1]

    def test_a_released_line_keeps_what_it_is(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        line, kept = driver.begin(), driver.begin()
        driver.store.release(driver.id, [line.id])
        assert driver.store.line(line.id) == line._replace(owner=None)
        assert [row.id for row in rival.claim()] == [line.id]
        assert driver.store.line(kept.id) == kept

    def test_nobody_releases_the_lines_of_another(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        line = driver.begin()
        rival.store.release(rival.id, [line.id])
        assert driver.store.line(line.id) == line
        driver.store.release(driver.id, [])

    def test_no_more_than_the_limit_is_claimed(self, store: Store, driver: PlayedDriver) -> None:
        for _ in range(5):
            store.accept(new_run())
        sizes = [len(driver.claim(limit=2)) for _ in range(4)]
        assert sizes == [2, 2, 1, 0]

    def test_only_the_lines_of_the_named_runs_are_claimed(self, store: Store, driver: PlayedDriver) -> None:
        first, second, third = (store.accept(new_run()).id for _ in range(3))
        assert store.claim(driver.id, [], 10) == []
        assert {line.run for line in driver.claim(first, third)} == {first, third}
        assert [line.run for line in driver.claim()] == [second]

    def test_many_runs_may_be_named(self, store: Store, driver: PlayedDriver) -> None:
        run = store.accept(new_run()).id
        others = range(run + 1, run + 300_000)
        assert [line.run for line in store.claim(driver.id, [*others, run], 10)] == [run]
        assert store.expire([*others, run]) == []
        assert store.next_due([*others, run]) is None

    def test_a_line_is_claimed_by_one_of_many(self, store: Store, crowd: Crowd) -> None:
        for _ in range(200):
            store.accept(new_run())
        claimed = crowd("claim", [{"limit": 7}] * 4)
        lines = [store.lines(run.id)[0].id for run in store.runs(1_000)]
        assert sorted(line for each in claimed for line in each) == sorted(lines)
