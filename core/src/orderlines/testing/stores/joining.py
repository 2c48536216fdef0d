"""Joins: children that are opened, counted once, and followed by their parent."""

# ruff: noqa: PLR2004 -- as in any test, the expected numbers are the test

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines.states import OVERDUE, Halt, LineStatus
from orderlines.stores.records import ChildRow, Committed
from orderlines.testing.drivers.records import close, ending, fork, opening, step
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow, Opening, Step
    from orderlines.testing.drivers.played import PlayedDriver
    from orderlines.testing.stores.case import Crowd


def stopped(line: LineRow, siblings: Opening | None = None) -> Step:
    """Return the step by which a line obeys a stop."""
    return ending(line, LineStatus.STOP, siblings)._replace(halt=Halt.STOP)


class JoinTests(StoreCase):
    """``opening``, ``ending`` and ``closes`` of a step: a finished child is counted once, the last wakes the parent."""

    @pytest.fixture
    def parent(self, driver: PlayedDriver) -> LineRow:
        return driver.begin()

    def test_children_are_opened_for_the_driver(self, driver: PlayedDriver, parent: LineRow) -> None:
        done = driver.write(fork(parent, opening("abc")))
        assert [(row.path, row.place, row.block) for row in done.opened] == [
            ("/fork#1/a", 0, 1), ("/fork#1/b", 1, 2), ("/fork#1/c", 2, 3),
        ]  # fmt: skip
        for row in done.opened:
            assert (row.run, row.parent, row.status, row.owner) == (parent.run, parent.id, LineStatus.READY, driver.id)
            assert (row.cursor, row.seq, row.halt, row.tasks, row.vars) == (0, 0, 0, 0, None)
            assert row == driver.store.line(row.id)
        assert len({row.join for row in done.opened} | {None}) == 2
        assert driver.store.line(parent.id)[7:12] == (LineStatus.JOIN, 0, 1, parent.epoch, None)
        assert [row.path for row in driver.store.lines(parent.run)] == ["", "/fork#1/a", "/fork#1/b", "/fork#1/c"]

    def test_an_open_child_belongs_to_its_driver(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        (child,) = driver.write(fork(driver.begin(), opening("a"))).opened
        assert rival.claim() == []
        assert driver.go(step(child, LineStatus.CALL)).owner == driver.id

    @pytest.mark.parametrize("limit", [1, 2, 3, 4])
    def test_who_finishes_a_child_opens_the_next(self, driver: PlayedDriver, parent: LineRow, limit: int) -> None:
        join = opening("abcd", limit)
        active = list(driver.write(fork(parent, join)).opened)
        assert len(active) == limit
        walked = []
        while active:
            child = active.pop(0)
            done = driver.write(ending(child, siblings=join))
            walked.append(child.path[-1])
            active += done.opened
            assert [row.path[-1] for row in done.opened] == list("abcd")[len(walked) + limit - 1 :][:1]
            assert (done.woken is not None) == (not active)
        assert walked == list("abcd")

    def test_the_next_child_belongs_to_who_finished(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        join = opening("ab", 1)
        (child,) = driver.write(fork(driver.begin(), join)).opened
        driver.store.dismiss([driver.id])
        (child,) = rival.claim()
        (following,) = rival.write(ending(child, siblings=join)).opened
        assert (following.path, following.owner, following.join) == ("/fork#1/b", rival.id, child.join)
        assert following == rival.store.line(following.id)

    def test_the_last_child_wakes_the_parent(self, driver: PlayedDriver, parent: LineRow) -> None:
        children = driver.write(fork(parent, opening("abc"), due=driver.store.now() + 99)).opened
        assert [driver.write(ending(child)).woken for child in children[:2]] == [None, None]
        woken = driver.write(ending(children[2])).woken
        assert woken == driver.store.line(parent.id)
        assert woken is not None
        assert (woken.status, woken.owner, woken.due, woken.seq) == (LineStatus.JOINED, driver.id, None, 1)
        assert woken.epoch > parent.epoch
        assert driver.claim() == []

    def test_who_opened_the_join_is_fenced_once_the_parent_is_woken(
        self, driver: PlayedDriver, rival: PlayedDriver, parent: LineRow
    ) -> None:
        (child,) = driver.write(fork(parent, opening("a"))).opened
        driver.store.dismiss([driver.id])
        rival.claim()
        assert rival.write(ending(rival.store.line(child.id))).woken is not None
        assert driver.try_step(close(parent._replace(seq=1), opening("a"))).refused == "fenced"

    def test_a_finished_child_is_counted_once(self, driver: PlayedDriver, parent: LineRow) -> None:
        one, two = driver.write(fork(parent, opening("ab"))).opened
        driver.write(ending(one))
        for _ in range(3):
            assert driver.try_step(ending(one)).refused == "fenced"
        assert driver.store.line(parent.id).status == LineStatus.JOIN
        assert driver.write(ending(two)).woken is not None

    def test_children_are_read_in_order_of_place(self, driver: PlayedDriver, parent: LineRow) -> None:
        children = driver.write(fork(parent, opening("abc"))).opened
        a, b, c = (child.id for child in children)
        assert [row[:4] for row in driver.store.children(parent.id, "fork#1")] == [
            (a, 0, "/fork#1/a", LineStatus.READY),
            (b, 1, "/fork#1/b", LineStatus.READY),
            (c, 2, "/fork#1/c", LineStatus.READY),
        ]
        driver.write(ending(children[2], result="3", variables='{"c":3}'))
        driver.write(ending(children[0], LineStatus.STOP))
        driver.write(ending(children[1], result="", error="", variables=""))
        assert driver.store.children(parent.id, "fork#1") == [
            ChildRow(a, 0, "/fork#1/a", LineStatus.STOP, None, None, None),
            ChildRow(b, 1, "/fork#1/b", LineStatus.SUCCESS, "", "", ""),
            ChildRow(c, 2, "/fork#1/c", LineStatus.SUCCESS, None, "3", '{"c":3}'),
        ]

    def test_each_visit_has_a_join_of_its_own(self, driver: PlayedDriver, parent: LineRow) -> None:
        for visit in (1, 2):
            (child,) = driver.write(fork(parent, opening("a", visit=visit))).opened
            woken = driver.write(ending(child, result=str(visit))).woken
            assert woken is not None
            parent = woken
        assert [driver.store.children(parent.id, f"fork#{visit}")[0].result for visit in (1, 2)] == ["1", "2"]
        assert driver.store.children(parent.id, "fork#3") == []

    def test_a_failed_child_closes_the_join(self, driver: PlayedDriver, parent: LineRow) -> None:
        join = opening("abcd", 3)
        one, two, three = driver.write(fork(parent, join)).opened
        driver.write(ending(two, LineStatus.FAILURE, siblings=join, error="{}"))
        assert sorted(driver.store.halted(driver.id)) == [(one.id, Halt.STOP), (three.id, Halt.STOP)]
        assert driver.try_step(step(one)).refused == "halted"
        first = driver.write(stopped(one, join))
        assert (first.opened, first.woken) == ((), None)
        last = driver.write(stopped(three, join))
        assert last.woken is not None
        assert len(driver.store.children(parent.id, "fork#1")) == 3

    def test_a_failed_child_may_be_the_last(self, driver: PlayedDriver, parent: LineRow) -> None:
        join = opening("abc", 1)
        (child,) = driver.write(fork(parent, join)).opened
        done = driver.write(ending(child, LineStatus.FAILURE, siblings=join))
        assert done.opened == ()
        assert done.woken == driver.store.line(parent.id)

    @pytest.mark.parametrize("status", [LineStatus.FAILURE, LineStatus.STOP])
    def test_without_stop_on_failure_the_others_go_on(self, driver: PlayedDriver, parent: LineRow, status: str) -> None:
        join = opening("abc", 2, strict=False)
        one, two = driver.write(fork(parent, join)).opened
        (three,) = driver.write(ending(one, status, siblings=join)).opened
        assert driver.store.halted(driver.id) == []
        assert [driver.write(ending(child, siblings=join)).woken is not None for child in (two, three)] == [False, True]

    def test_a_join_whose_time_is_over_is_closed(self, driver: PlayedDriver, parent: LineRow) -> None:
        join = opening("abcd", 2)
        one, two = driver.write(fork(parent, join, due=driver.store.now() - 1)).opened
        (parent,) = driver.claim()
        done = driver.write(close(parent, join, state="timeout"))
        assert (done.opened, done.woken) == ((), None)
        assert driver.claim() == []
        assert {line for line, _ in driver.store.halted(driver.id)} == {one.id, two.id}
        assert driver.write(stopped(one, join)).woken is None
        woken = driver.write(stopped(two, join)).woken
        assert woken is not None
        assert (woken.id, woken.state, woken.due) == (parent.id, "timeout", None)

    @pytest.mark.parametrize(("due", "state"), [(-1, OVERDUE), (99, None)])
    def test_a_parent_learns_whether_its_last_child_came_late(
        self, driver: PlayedDriver, parent: LineRow, due: float, state: str | None
    ) -> None:
        (child,) = driver.write(fork(parent, opening("a"), due=driver.store.now() + due)).opened
        woken = driver.write(ending(child)).woken
        assert woken == driver.store.line(parent.id)
        assert woken is not None
        assert (woken.status, woken.state, woken.due) == (LineStatus.JOINED, state, None)

    def test_closing_twice_closes_once(self, driver: PlayedDriver, parent: LineRow) -> None:
        join = opening("abc", 2)
        one, two = driver.write(fork(parent, join, due=0.0)).opened
        (parent,) = driver.claim()
        parent = driver.go(close(parent, join, keep=True))
        assert driver.write(close(parent, join)).woken is None
        assert [driver.write(stopped(child)).woken is not None for child in (one, two)] == [False, True]

    def test_closing_a_join_without_open_children_wakes_the_parent(self, driver: PlayedDriver, parent: LineRow) -> None:
        join = opening("abc", 1)
        (child,) = driver.write(fork(parent, join)).opened
        driver.store.wish(parent.run, "stop")
        assert driver.write(stopped(child, join)) == Committed()
        (parent,) = driver.claim()
        woken = driver.write(close(parent, join)).woken
        assert woken == driver.store.line(parent.id)
        assert woken is not None
        assert (woken.status, woken.halt, woken.owner) == (LineStatus.JOINED, Halt.STOP, driver.id)

    def test_nested_joins_are_closed_level_by_level(self, driver: PlayedDriver, parent: LineRow) -> None:
        outer, inner = opening("ab"), opening("xy", node="inner")
        one, two = driver.write(fork(parent, outer)).opened
        x, y = driver.write(fork(one, inner)).opened
        driver.write(ending(two, LineStatus.FAILURE))
        assert driver.store.halted(driver.id) == []
        (one,) = driver.claim()
        assert (one.status, one.halt) == (LineStatus.JOIN, Halt.STOP)
        driver.write(close(one, inner))
        assert {line for line, _ in driver.store.halted(driver.id)} == {x.id, y.id}
        assert driver.claim() == []
        assert driver.write(stopped(x)).woken is None
        woken = driver.write(stopped(y)).woken
        assert woken is not None
        assert woken.id == one.id
        last = driver.write(stopped(woken)).woken
        assert last is not None
        assert last.id == parent.id

    def test_a_nested_child_counts_only_at_its_own_join(self, driver: PlayedDriver, parent: LineRow) -> None:
        (one,) = driver.write(fork(parent, opening("a"))).opened
        (inner,) = driver.write(fork(one, opening("x"))).opened
        woken = driver.write(ending(inner)).woken
        assert woken is not None
        assert woken.id == one.id
        assert driver.store.line(parent.id).status == LineStatus.JOIN

    def test_children_that_finish_at_once_wake_the_parent_once(
        self, store: Store, driver: PlayedDriver, crowd: Crowd
    ) -> None:
        parents = [driver.begin() for _ in range(25)]
        pairs = [driver.write(fork(parent, opening("ab"))).opened for parent in parents]
        woken = crowd("finish", [{"lines": [pair[place].id for pair in pairs]} for place in (0, 1)])
        assert sorted(woken[0] + woken[1]) == [parent.id for parent in parents]
        assert {store.line(parent.id).status for parent in parents} == {LineStatus.JOINED}
