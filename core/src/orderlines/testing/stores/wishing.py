"""Wishes: a stop or a timeout that stands on a run and its lines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from orderlines.errors import UnknownRun
from orderlines.states import Halt, LineStatus, RunStatus
from orderlines.testing.drivers.jobs import ACTS
from orderlines.testing.drivers.played import everything
from orderlines.testing.drivers.records import ending, fork, new_run, opening, step
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.testing.drivers.played import PlayedDriver
    from orderlines.testing.stores.case import Crowd


class WishTests(StoreCase):
    """``wish``: write ``stop`` or ``timeout`` on a run and all its lines unless it is final."""

    @pytest.mark.parametrize("wish", ["stop", "timeout"])
    def test_a_wish_stands_on_the_run_and_on_its_lines(
        self, driver: PlayedDriver, rival: PlayedDriver, wish: str
    ) -> None:
        parent, bystander, elsewhere = driver.begin(), driver.begin(), rival.begin()
        one, two = driver.write(fork(parent, opening("ab"))).opened
        driver.write(ending(one))
        row = driver.store.wish(parent.run, wish)
        assert (row, row.wish) == (driver.store.run(parent.run), wish)
        assert driver.store.halted(driver.id) == [(two.id, Halt.STOP)]
        assert [line.halt for line in driver.store.lines(parent.run)] == [Halt.STOP, Halt.NONE, Halt.STOP]
        assert driver.store.line(bystander.id) == bystander
        assert rival.store.halted(rival.id) == []
        assert rival.store.line(elsewhere.id) == elsewhere

    def test_halted_lines_are_told_to_their_driver_only(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        line = driver.begin()
        rival.store.wish(line.run, "stop")
        assert driver.store.halted(driver.id) == [(line.id, Halt.STOP)]
        assert rival.store.halted(rival.id) == []

    @pytest.mark.parametrize(("first", "second"), [("stop", "timeout"), ("timeout", "stop"), ("stop", "stop")])
    def test_the_first_wish_names_how_the_run_ends(self, store: Store, first: str, second: str) -> None:
        run = store.accept(new_run())
        assert store.wish(run.id, first).wish == first
        assert store.wish(run.id, second).wish == first
        assert store.run(run.id) == run._replace(wish=first)

    def test_a_wish_does_not_end_a_run(self, driver: PlayedDriver) -> None:
        line = driver.go(step(driver.begin(), LineStatus.CALL, starts=time.time()))
        row = driver.store.wish(line.run, "stop")
        assert (row.status, row.finished) == (RunStatus.RUNNING, None)

    @pytest.mark.parametrize("status", [RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.STOP])
    def test_a_wish_on_a_final_run_changes_nothing(self, driver: PlayedDriver, status: str) -> None:
        line = driver.begin()
        driver.write(ending(line, status))
        before = everything(driver.store, line.run)
        assert driver.store.wish(line.run, "stop") == before[0]
        assert everything(driver.store, line.run) == before

    def test_a_wish_on_no_run_is_an_error(self, store: Store) -> None:
        with pytest.raises(UnknownRun, match="12345"):
            store.wish(12345, "stop")

    @pytest.mark.parametrize("status", [LineStatus.READY, LineStatus.RETRY, LineStatus.TIME, LineStatus.SIGNAL])
    def test_a_line_that_is_to_stop_can_be_claimed(self, driver: PlayedDriver, status: str) -> None:
        line = driver.go(step(driver.begin(), status, keep=False, due=driver.store.now() + 3600))
        driver.store.wish(line.run, "stop")
        (claimed,) = driver.claim()
        assert (claimed.id, claimed.halt, claimed.status) == (line.id, Halt.STOP, status)

    def test_after_a_stop_no_child_is_opened(self, driver: PlayedDriver) -> None:
        join = opening("abc", 1)
        parent = driver.begin()
        (child,) = driver.write(fork(parent, join)).opened
        driver.store.wish(parent.run, "stop")
        done = driver.write(ending(child, siblings=join)._replace(halt=Halt.STOP))
        assert (done.opened, done.woken) == ((), None)
        assert [line.parent for line in driver.store.lines(parent.run)] == [None, parent.id]

    def test_of_an_end_and_a_stop_at_once_one_wins(self, store: Store, driver: PlayedDriver, crowd: Crowd) -> None:
        """Stale snapshot: it cannot overwrite a stop."""
        lines = [driver.begin() for _ in range(60)]
        ended, stopped = crowd("end_or_stop", [{"lines": [line.id for line in lines], "act": act} for act in ACTS])
        assert [int(one) + two for one, two in zip(ended, stopped, strict=True)] == [1] * 60
        runs = [store.run(line.run) for line in lines]
        assert [run is not None and run.status == RunStatus.SUCCESS for run in runs] == ended
        assert [run is not None and run.wish == "stop" for run in runs] == stopped
