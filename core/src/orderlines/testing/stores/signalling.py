"""Signals: sent early or late, once, to one line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from orderlines.errors import Refused, UnknownRun
from orderlines.states import LineStatus
from orderlines.testing.drivers.records import ending, fork, opening, step
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.records import LineRow, Step
    from orderlines.testing.drivers.played import PlayedDriver
    from orderlines.testing.stores.case import Crowd


def wait_for(line: LineRow, *addresses: str) -> Step:
    """Return the step after which a line waits for a signal."""
    names = ", ".join(f'"{name}"' for name in addresses)
    return step(line, LineStatus.SIGNAL, keep=False, waits=addresses, state=f"[{names}]", due=time.time() + 99)


class SignalTests(StoreCase):
    """``signal`` and ``waits``: a signal is taken once, whether it comes early or late."""

    def test_a_late_signal_goes_to_the_line_that_waits(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        line = driver.begin()
        assert driver.write(wait_for(line, "s", "go")).woken is None
        assert driver.claim() == []
        assert rival.store.signal(line.run, "go", '{"by":1}')
        (claimed,) = driver.claim()
        assert (claimed.status, claimed.state, claimed.due) == (LineStatus.SIGNALLED, '{"by":1}', None)
        assert claimed.epoch > line.epoch

    def test_an_early_signal_waits_for_the_line(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        assert driver.store.signal(line.run, "s", "1")
        assert driver.store.signal(line.run, "s", "2")
        for data in ("1", "2"):
            woken = driver.write(wait_for(line, "s")).woken
            assert woken is not None
            assert (woken.status, woken.state, woken.owner) == (LineStatus.SIGNALLED, data, driver.id)
            line = driver.go(step(woken))
        assert driver.write(wait_for(line, "s")).woken is None

    def test_a_signal_is_for_one_run(self, driver: PlayedDriver) -> None:
        one, two = driver.begin(), driver.begin()
        driver.store.signal(two.run, "s", "1")
        assert driver.write(wait_for(one, "s")).woken is None
        assert driver.write(wait_for(two, "s")).woken is not None

    def test_a_key_stands_for_one_signal(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        line, elsewhere = driver.begin(), driver.begin()
        assert driver.store.signal(line.run, "s", "1", "k")
        assert not rival.store.signal(line.run, "s", "2", "k")
        assert rival.store.signal(elsewhere.run, "s", "2", "k")
        assert rival.store.signal(line.run, "s", "3", "K")

    def test_many_at_once_with_one_key_send_one_signal(self, driver: PlayedDriver, crowd: Crowd) -> None:
        runs = [driver.begin().run for _ in range(10)]
        sent = crowd("signal", [{"runs": runs, "key": "k"}] * 5)
        assert sorted(run for each in sent for run in each) == runs

    def test_several_lines_have_to_be_told_apart(self, driver: PlayedDriver) -> None:
        parent = driver.begin()
        for child in driver.write(fork(parent, opening("ab"))).opened:
            driver.write(wait_for(child, "s", f"{child.path}/s".lstrip("/")))
        with pytest.raises(Refused, match="fork#1/a/s, fork#1/b/s"):
            driver.store.signal(parent.run, "s", "1")
        assert driver.store.signal(parent.run, "fork#1/b/s", "1")
        assert [line.path for line in driver.claim()] == ["/fork#1/b"]

    def test_after_the_end_nothing_takes_a_signal(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.write(ending(line))
        with pytest.raises(Refused, match="has ended"):
            driver.store.signal(line.run, "s", "1")
        with pytest.raises(UnknownRun, match="12345"):
            driver.store.signal(12345, "s", "1")
