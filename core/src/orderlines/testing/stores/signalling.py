"""Signals: sent early or late, once, to one line."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from orderlines.errors import Refused, UnknownRun
from orderlines.states import LineStatus
from orderlines.testing.drivers.records import ending, fork, opening, step
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.stores.records import LineRow, Opening, Step
    from orderlines.testing.drivers.played import PlayedDriver
    from orderlines.testing.stores.case import Crowd


def wait_for(line: LineRow, *addresses: str) -> Step:
    """Return the step after which a line waits for a signal."""
    state = json.dumps(addresses, ensure_ascii=False)
    return step(line, LineStatus.SIGNAL, keep=False, waits=addresses, state=state, due=time.time() + 99)


def below(line: LineRow, names: Sequence[str], node: str) -> Opening:
    """Return a join that a line opens, with the paths that an engine gives its children."""
    join = opening(names, node=node)
    return join._replace(prefix=f"{line.path}{join.prefix}")


def address(line: LineRow) -> str:
    """Return LINE/NODE, for a node ``s``."""
    return f"{line.path}/s".lstrip("/")


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

    @pytest.mark.parametrize("names", [("0", "1", "2"), ("x", "y", "z"), ("2", "1", "0")], ids="-".join)
    def test_an_address_names_a_line_at_any_depth(self, driver: PlayedDriver, names: tuple[str, ...]) -> None:
        root = driver.begin()
        outer = driver.write(fork(root, below(root, names, "outer"))).opened
        lines = [line for each in outer for line in driver.write(fork(each, below(each, names, "inner"))).opened]
        for line in lines:
            driver.write(wait_for(line, "s", address(line), "go"))
        for line in lines[::-1]:
            assert driver.store.signal(root.run, address(line), "1")
            (claimed,) = driver.claim()
            assert (claimed.path, claimed.status) == (line.path, LineStatus.SIGNALLED)

    def test_an_address_names_a_line_of_a_graph(self, driver: PlayedDriver) -> None:
        root = driver.begin()
        join = below(root, "abc", "graph")._replace(after={0: (1,), 1: (2,)})
        (done,) = driver.write(fork(root, join)).opened
        for _ in "cb":
            (done,) = driver.write(ending(done, siblings=join)).opened
        driver.write(wait_for(done, "s", address(done)))
        assert driver.store.signal(root.run, "graph#1/a/s", "1")
        assert [line.path for line in driver.claim()] == ["/graph#1/a"]

    def test_an_address_names_a_line_that_is_still_to_wait(self, driver: PlayedDriver) -> None:
        root = driver.begin()
        one, two = driver.write(fork(root, below(root, "01", "fork"))).opened
        driver.write(wait_for(one, "s", address(one)))
        assert driver.store.signal(root.run, address(two), "2")
        assert driver.store.signal(root.run, "fork#1/7/s", "7")
        woken = driver.write(wait_for(two, "s", address(two))).woken
        assert woken is not None
        assert woken.state == "2"
        assert driver.store.line(one.id).status == LineStatus.SIGNAL

    def test_an_address_names_its_line_whatever_others_wait_for(self, driver: PlayedDriver) -> None:
        root = driver.begin()
        one, two = driver.write(fork(root, below(root, "01", "fork"))).opened
        driver.write(wait_for(one, "s", address(one)))
        driver.write(wait_for(two, "s", address(two), address(one)))
        for line in (one, two):
            assert driver.store.signal(root.run, address(one), "1")
            assert [line.id for line in driver.claim()] == [line.id]

    @pytest.mark.parametrize(
        "name", ["fork#1/0/s", "a/b", "a/b/c", "/", "//s", 'say "hi"', "a\\b", "größe 𝄞", "a%b_c", "50%s"]
    )
    def test_what_a_line_waits_for_may_look_like_anything(self, driver: PlayedDriver, name: str) -> None:
        root = driver.begin()
        one, two = driver.write(fork(root, below(root, "01", "fork"))).opened
        driver.write(wait_for(two, "s", address(two), name))
        assert driver.store.signal(root.run, f"not {name}", "0")
        assert driver.store.signal(root.run, name.upper() + ".", "0")
        assert driver.claim() == []
        assert driver.store.signal(root.run, name, "1")
        (claimed,) = driver.claim()
        assert (claimed.id, claimed.state) == (two.id, "1")
        assert driver.store.line(one.id).status == LineStatus.READY

    def test_after_the_end_nothing_takes_a_signal(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.write(ending(line))
        with pytest.raises(Refused, match="has ended"):
            driver.store.signal(line.run, "s", "1")
        with pytest.raises(UnknownRun, match="12345"):
            driver.store.signal(12345, "s", "1")
