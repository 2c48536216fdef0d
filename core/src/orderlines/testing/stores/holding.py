"""What drivers need besides: what they own and give back, late answers, flows by name, sub-flows and graphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines.states import LineStatus
from orderlines.stores.records import AttemptRow, FlowRow
from orderlines.testing.drivers.played import everything
from orderlines.testing.drivers.records import ending, fork, new_run, opening, step
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.testing.drivers.played import PlayedDriver


class HoldTests(StoreCase):
    """``owned``, ``late``, ``release``, ``flow_named``, ``park`` and sub-flows: what drivers need besides."""

    def test_a_driver_owns_its_unfinished_lines(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        one, two, done = driver.begin(), driver.begin(), driver.begin()
        theirs = rival.begin()
        driver.write(ending(done))
        assert (driver.store.owned(driver.id), rival.store.owned(rival.id)) == ([one.id, two.id], [theirs.id])
        driver.store.release(driver.id, [one.id])
        assert driver.store.owned(driver.id) == [two.id]

    @pytest.mark.parametrize("reason", ["released", "signal 9", ""])
    def test_why_a_call_was_given_back_is_kept(self, driver: PlayedDriver, reason: str) -> None:
        calling = driver.go(step(driver.begin(), LineStatus.CALL, attempt=1, began=5.0))
        ready = driver.go(step(driver.begin(), state="kept"))
        driver.store.release(driver.id, [calling.id, ready.id], reason)
        assert driver.store.line(calling.id) == calling._replace(owner=None, state=reason)
        assert driver.store.line(ready.id) == ready._replace(owner=None)

    def test_an_answer_that_comes_late_changes_nothing(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        before = everything(driver.store, line.run)
        driver.store.late(line.id, AttemptRow("node", 1, 1, 1.0, 2.0, "{}"))
        driver.store.late(line.id, AttemptRow("node", 1, 1, 1.0, 3.0, "{}"))
        assert everything(driver.store, line.run) == before

    def test_the_flow_of_a_name_is_the_one_accepted_last(self, store: Store) -> None:
        assert store.flow_named("flow") is None
        for digest in ("one", "two"):
            store.accept(new_run(digest=digest, body=f'{{"d":"{digest}"}}'))
        found = store.flow_named("flow")
        assert found is not None
        assert (found.digest, found.name, found.body) == ("two", "flow", '{"d":"two"}')
        assert store.flow_named("Flow") is None

    def test_flows_that_are_entered_are_kept_as_well(self, store: Store) -> None:
        store.accept(new_run(flows=(FlowRow("inner", "sub", "2", '{"flow":"sub"}'),)))
        assert store.flow("inner") == '{"flow":"sub"}'
        assert store.flow_named("sub") == ("inner", "sub", "2", '{"flow":"sub"}')

    def test_the_line_of_a_sub_flow_has_variables_of_its_own(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        join = opening("a")._replace(flow="inner", vars='{"x":1}')
        (child,) = driver.write(fork(driver.begin(), join)).opened
        assert (child.flow, child.vars) == ("inner", '{"x":1}')
        driver.store.dismiss([driver.id])
        assert [(line.flow, line.vars) for line in rival.claim()] == [("inner", '{"x":1}')]

    def test_a_graph_opens_a_line_when_those_before_it_have_succeeded(self, driver: PlayedDriver) -> None:
        join = opening("abcd", 1)._replace(after={2: (0, 1), 3: (2,)})
        (line,) = driver.write(fork(driver.begin(), join)).opened
        paths = [line.path]
        while opened := driver.write(ending(line, siblings=join)).opened:
            (line,) = opened
            paths.append(line.path)
        assert [path[-1] for path in paths] == list("abcd")

    def test_what_follows_a_failed_line_of_a_graph_ends_with_it(self, driver: PlayedDriver) -> None:
        join = opening("abcd", strict=False)._replace(after={1: (0,), 2: (1,)})
        a, d = driver.write(fork(driver.begin(), join)).opened
        assert [a.path[-1], d.path[-1]] == ["a", "d"]
        done = driver.write(ending(a, LineStatus.FAILURE, join))
        assert (done.opened, done.woken) == ((), None)
        assert driver.write(ending(d, siblings=join)).woken is not None

    def test_a_parked_store_goes_on_at_the_next_use(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.store.park()
        driver.store.park()
        assert driver.store.line(line.id) == line
        assert driver.go(step(line)).seq == 1
