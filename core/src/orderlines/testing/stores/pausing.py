"""Pauses and skips: what is wished of lines that go on or wait."""

# ruff: noqa: PLR2004 -- as in any test, the expected numbers are the test

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from orderlines.errors import UnknownRun
from orderlines.states import Halt, LineStatus, RunStatus
from orderlines.stores.records import Committed
from orderlines.testing.drivers.played import everything
from orderlines.testing.drivers.records import close, ending, fork, opening, step, task
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.testing.drivers.played import PlayedDriver


class PauseTests(StoreCase):
    """The wish ``pause`` and ``resume``: what goes on is recorded, and nothing begins."""

    def test_a_paused_run_begins_nothing(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        line = driver.begin()
        row = rival.store.wish(line.run, "pause")
        assert (row.status, row.wish) == (RunStatus.PAUSED, "pause")
        assert driver.store.halted(driver.id) == [(line.id, Halt.PAUSE)]
        assert driver.try_step(step(line)) == Committed("halted", Halt.PAUSE)
        parked = driver.go(step(line, keep=False, halt=Halt.PAUSE, tasks=(task(),)))
        assert (parked.owner, parked.tasks) == (None, 1)
        assert driver.claim() == rival.claim() == []

    @pytest.mark.parametrize(("starts", "status"), [(None, RunStatus.PENDING), (5.0, RunStatus.RUNNING)])
    def test_a_resumed_run_goes_on(self, driver: PlayedDriver, starts: float | None, status: str) -> None:
        line = driver.go(step(driver.begin(), keep=False, starts=starts))
        driver.store.wish(line.run, "pause")
        row = driver.store.resume(line.run)
        assert (row, row.status, row.wish) == (driver.store.run(line.run), status, None)
        assert [(each.id, each.halt) for each in driver.claim()] == [(line.id, Halt.NONE)]

    def test_children_opened_while_paused_wait(self, driver: PlayedDriver) -> None:
        join = opening("ab", 1)
        parent = driver.begin()
        (child,) = driver.write(fork(parent, join)).opened
        driver.store.wish(parent.run, "pause")
        (following,) = driver.write(ending(child, siblings=join)._replace(halt=Halt.PAUSE)).opened
        assert following.halt == Halt.PAUSE
        driver.write(step(following, keep=False))
        assert driver.claim() == []
        driver.store.resume(parent.run)
        assert [line.path for line in driver.claim()] == ["/fork#1/b"]

    @pytest.mark.parametrize("wish", ["stop", "timeout"])
    def test_a_pause_gives_way_to_an_end(self, driver: PlayedDriver, wish: str) -> None:
        line = driver.begin()
        driver.store.wish(line.run, "pause")
        row = driver.store.wish(line.run, wish)
        assert (row.wish, row.status) == (wish, RunStatus.PENDING)
        assert driver.store.wish(line.run, "pause").wish == wish
        assert driver.store.resume(line.run).wish == wish
        assert driver.store.line(line.id).halt == Halt.STOP

    def test_the_deadline_of_a_paused_run_is_due(self, driver: PlayedDriver) -> None:
        line = driver.go(step(driver.begin(), LineStatus.CALL, starts=5.0, timeout=1.0))
        driver.store.wish(line.run, "pause")
        assert driver.store.next_due(None) == 6.0
        assert driver.store.expire(None) == [line.run]

    def test_nothing_changes_a_final_run(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.write(ending(line))
        before = everything(driver.store, line.run)
        assert driver.store.wish(line.run, "pause") == driver.store.resume(line.run) == before[0]
        assert everything(driver.store, line.run) == before

    def test_an_unknown_run_is_not_resumed(self, store: Store) -> None:
        with pytest.raises(UnknownRun, match="12345"):
            store.resume(12345)


class SkipTests(StoreCase):
    """``skip``: a line leaves out the node that it stands at."""

    def test_a_step_that_does_not_know_of_it_is_refused(self, driver: PlayedDriver) -> None:
        line = driver.go(step(driver.begin(), LineStatus.CALL, attempt=1))
        assert driver.store.skip(line)
        assert driver.store.halted(driver.id) == [(line.id, Halt.SKIP)]
        assert driver.try_step(ending(line)).refused == "halted"
        left = driver.go(step(line, keep=False, lift=True, halt=Halt.SKIP, cursor=1, tasks=(task(status="SKIP"),)))
        assert (left.halt, left.cursor, left.status) == (Halt.NONE, 1, LineStatus.READY)
        assert [each.id for each in driver.claim()] == [line.id]

    def test_a_line_that_has_moved_on_is_not_marked(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.write(step(line, tasks=(task(),), cursor=1))
        assert not driver.store.skip(line)
        driver.write(ending(driver.store.line(line.id)))
        assert not driver.store.skip(driver.store.line(line.id))

    @pytest.mark.parametrize("status", [LineStatus.READY, LineStatus.RETRY, LineStatus.TIME, LineStatus.SIGNAL])
    def test_a_line_that_waits_can_be_claimed(self, driver: PlayedDriver, status: str) -> None:
        line = driver.go(step(driver.begin(), status, keep=False, due=time.time() + 99))
        assert driver.store.skip(line)
        assert [(each.id, each.halt) for each in driver.claim()] == [(line.id, Halt.SKIP)]

    def test_a_join_is_claimed_to_be_closed_and_then_when_it_is(self, driver: PlayedDriver) -> None:
        join = opening("a")
        parent = driver.begin()
        (child,) = driver.write(fork(parent, join)).opened
        assert driver.store.skip(driver.store.line(parent.id))
        (claimed,) = driver.claim()
        driver.write(close(claimed, join))
        assert driver.claim() == []
        woken = driver.write(ending(child, LineStatus.STOP)._replace(halt=Halt.STOP)).woken
        assert woken is not None
        assert (woken.id, woken.status, woken.halt) == (parent.id, LineStatus.JOINED, Halt.SKIP)

    def test_after_it_the_line_is_paused_as_its_run_is(self, driver: PlayedDriver) -> None:
        line = driver.go(step(driver.begin(), keep=False))
        driver.store.wish(line.run, "pause")
        assert driver.store.skip(line)
        (claimed,) = driver.claim()
        left = driver.go(step(claimed, keep=False, lift=True, cursor=1, tasks=(task(status="SKIP"),)))
        assert left.halt == Halt.PAUSE
        assert driver.claim() == []

    def test_a_sibling_is_opened_without_the_mark(self, driver: PlayedDriver) -> None:
        join = opening("ab", 1)
        (child,) = driver.write(fork(driver.begin(), join)).opened
        assert driver.store.skip(child)
        (following,) = driver.write(ending(child, siblings=join)._replace(halt=Halt.SKIP)).opened
        assert following.halt == Halt.NONE

    def test_a_stop_outdoes_it(self, driver: PlayedDriver) -> None:
        line, stopped = driver.begin(), driver.begin()
        assert driver.store.skip(line)
        driver.store.wish(line.run, "stop")
        driver.store.wish(stopped.run, "stop")
        assert not driver.store.skip(stopped)
        assert [halt for _, halt in driver.store.halted(driver.id)] == [Halt.STOP, Halt.STOP]
