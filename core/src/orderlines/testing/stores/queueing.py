"""Lines that are for a queue: left to whoever serves it, and rung for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines.states import Halt, LineStatus
from orderlines.testing.drivers.records import ending, fork, new_run, opening, step
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow, Opening
    from orderlines.testing.drivers.played import PlayedDriver
    from orderlines.testing.stores.case import Crowd

FAR = 3600.0


def queued(names: str = "abc", limit: int = 100, queue: str = "default") -> Opening:
    """Return a join whose children are for a queue."""
    return opening(names, limit)._replace(queue=queue)


class QueueTests(StoreCase):
    """``queue`` of runs, lines and openings; ``queues`` and ``without`` of ``claim``; ``moves`` of a step; ``ring``."""

    def taken(self, driver: PlayedDriver, *queues: str, limit: int = 100) -> list[LineRow]:
        return driver.store.claim(driver.id, None, limit, queues)

    def test_a_line_for_a_queue_is_claimed_by_who_asks_for_it(self, store: Store, driver: PlayedDriver) -> None:
        run = store.accept(new_run(queue="gpu"))
        assert driver.claim() == self.taken(driver, "default") == []
        (line,) = self.taken(driver, "default", "gpu")
        assert (line.run, line.queue, line.owner) == (run.id, "gpu", driver.id)
        assert line == store.line(line.id)

    def test_a_line_for_no_queue_is_claimed_by_who_asks_for_none(self, store: Store, driver: PlayedDriver) -> None:
        store.accept(new_run())
        assert self.taken(driver, "default") == []
        (line,) = driver.claim()
        assert (line.queue, line.rings) == (None, 0)

    def test_the_first_queue_comes_first(self, store: Store, driver: PlayedDriver) -> None:
        slow = [store.accept(new_run(queue="slow")).id for _ in range(2)]
        fast = [store.accept(new_run(queue="fast")).id for _ in range(2)]
        assert [line.run for line in self.taken(driver, "fast", "slow", limit=3)] == [*fast, slow[0]]
        assert [line.run for line in self.taken(driver, "fast", "slow")] == [slow[1]]

    def test_runs_may_be_left_out(self, store: Store, driver: PlayedDriver) -> None:
        first, second = (store.accept(new_run(queue="q")).id for _ in range(2))
        (line,) = store.claim(driver.id, None, 10, ["q"], {first})
        assert line.run == second
        assert store.claim(driver.id, None, 10, ["q"], {first}) == []
        assert [line.run for line in self.taken(driver, "q")] == [first]

    def test_a_run_accepted_for_a_queue_is_left_and_rung_for(self, store: Store, driver: PlayedDriver) -> None:
        _, line = store.accept_for(driver.id, new_run(queue="q"))
        if line is not None:  # a store may leave it to who asks
            assert (line.owner, line.queue, line.rings) == (None, "q", 1)
            assert line == store.line(line.id)
        assert len(self.taken(driver, "q")) == 1

    def test_children_for_a_queue_are_left_and_rung_for(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        done = driver.write(fork(driver.begin(), queued("abc", 2)))
        assert (done.opened, done.woken) == ((), None)
        assert [(row.path[-1], row.owner, row.queue, row.rings) for row in done.left] == [
            ("a", None, "default", 1),
            ("b", None, "default", 1),
        ]
        assert [driver.store.line(row.id) for row in done.left] == list(done.left)
        assert driver.claim() == []
        assert [line.path[-1] for line in self.taken(rival, "default")] == ["a", "b"]

    def test_the_next_child_is_given_to_who_finished_one_of_its_queue(
        self, driver: PlayedDriver, rival: PlayedDriver
    ) -> None:
        join = queued("abc", 1)
        driver.write(fork(driver.begin(), join))
        (child,) = self.taken(rival, "default")
        done = rival.write(ending(child, siblings=join))
        assert [(row.path[-1], row.owner) for row in done.opened] == [("b", rival.id)]
        assert done.left == ()

    def test_the_next_child_is_left_by_who_serves_another_queue(
        self, driver: PlayedDriver, rival: PlayedDriver
    ) -> None:
        join = queued("ab", 1)
        driver.write(fork(driver.begin(), join))
        (child,) = self.taken(rival, "default")
        rival.write(step(child, moves=True, queue="gpu", keep=False))
        (child,) = self.taken(rival, "gpu")
        done = rival.write(ending(child, siblings=join))
        assert done.opened == ()
        assert [(row.path[-1], row.owner, row.queue, row.rings) for row in done.left] == [("b", None, "default", 1)]

    def test_a_parent_for_no_queue_is_left_to_its_engine(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        parent = driver.begin()
        driver.write(fork(parent, queued("a")))
        (child,) = self.taken(rival, "default")
        done = rival.write(ending(child))
        assert (done.woken, done.left, done.freed) == (None, (), True)
        assert self.taken(rival, "default") == []
        (woken,) = driver.claim()
        assert (woken.id, woken.status) == (parent.id, LineStatus.JOINED)

    def test_a_parent_of_the_same_queue_is_woken(self, store: Store, driver: PlayedDriver) -> None:
        store.accept(new_run(queue="default"))
        (parent,) = self.taken(driver, "default")
        driver.write(fork(parent, queued("a")))
        (child,) = self.taken(driver, "default")
        woken = driver.write(ending(child)).woken
        assert woken is not None
        assert (woken.id, woken.owner, woken.status) == (parent.id, driver.id, LineStatus.JOINED)

    def test_a_parent_of_another_queue_is_left_and_rung_for(self, store: Store, driver: PlayedDriver) -> None:
        store.accept(new_run(queue="cpu"))
        (parent,) = self.taken(driver, "cpu")
        driver.write(fork(parent, queued("a", queue="gpu")))
        (child,) = self.taken(driver, "gpu")
        done = driver.write(ending(child))
        assert done.woken is None
        assert [(row.id, row.queue, row.status) for row in done.left] == [(parent.id, "cpu", LineStatus.JOINED)]
        assert [line.id for line in self.taken(driver, "cpu")] == [parent.id]

    def test_a_closed_join_wakes_its_own_line(self, store: Store, driver: PlayedDriver) -> None:
        store.accept(new_run(queue="q"))
        (parent,) = self.taken(driver, "q")
        join = queued("a", queue="q")
        driver.write(fork(parent, join))
        (child,) = self.taken(driver, "q")
        driver.write(ending(child, LineStatus.FAILURE))
        assert driver.store.line(parent.id).status == LineStatus.JOINED

    def test_a_line_moves_to_another_queue(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        line = driver.begin()
        done = driver.write(step(line, moves=True, queue="gpu", keep=False))
        (left,) = done.left
        assert (left.id, left.queue, left.owner, left.rings, left.seq) == (line.id, "gpu", None, 1, line.seq + 1)
        assert driver.claim() == []
        (taken,) = self.taken(rival, "gpu")
        assert taken.epoch > line.epoch

    def test_a_ring_is_noted_once_for_each_line(self, store: Store, other: Store, driver: PlayedDriver) -> None:
        store.accept(new_run(queue="q"))
        (line,) = self.taken(driver, "q")
        store.release(driver.id, [line.id])
        (rung,) = store.ring(["q"], FAR, 10)
        assert rung == store.line(line.id)
        assert rung.rings == line.rings + 1
        assert other.ring(["q"], FAR, 10) == []
        assert other.ring(["p"], 0.0, 10) == []
        assert [row.rings for row in other.ring(["p", "q"], 0.0, 10)] == [rung.rings + 1]

    def test_nobody_rings_for_what_has_an_owner_or_cannot_go_on(self, store: Store, driver: PlayedDriver) -> None:
        for status in (LineStatus.CALL, LineStatus.TIME):
            store.accept(new_run(queue="q"))
            (line,) = self.taken(driver, "q")
            driver.write(step(line, status, keep=status == LineStatus.CALL, due=store.now() + FAR))
        assert store.ring(["q"], 0.0, 10) == []

    def test_what_comes_due_and_what_is_to_stop_is_rung_for(self, store: Store, driver: PlayedDriver) -> None:
        runs = [store.accept(new_run(queue="q")).id for _ in range(2)]
        for line, due in zip(self.taken(driver, "q"), (store.now() - 1, store.now() + FAR), strict=True):
            driver.write(step(line, LineStatus.TIME, keep=False, due=due))
        assert [row.run for row in store.ring(["q"], 0.0, 10)] == [runs[0]]
        store.wish(runs[1], "stop")
        assert [(row.run, row.halt) for row in store.ring(["q"], 0.0, 10)] == [(runs[0], 0), (runs[1], Halt.STOP)]

    def test_the_next_time_is_that_of_the_queues(self, store: Store, driver: PlayedDriver) -> None:
        store.accept(new_run(queue="q"))
        due = store.now() + FAR
        (line,) = self.taken(driver, "q")
        driver.write(step(line, LineStatus.TIME, keep=False, due=due))
        assert store.next_due(None) is None
        assert store.next_due(None, ["p"]) is None
        assert store.next_due(None, ["p", "q"]) == pytest.approx(due, abs=0.01)

    def test_many_who_ring_at_once_get_each_line_once(self, store: Store, driver: PlayedDriver, crowd: Crowd) -> None:
        for _ in range(20):
            store.accept(new_run(queue="q"))
        lines = [line.id for line in self.taken(driver, "q")]
        store.release(driver.id, lines)
        rung = crowd("ring", [{"queue": "q", "silence": FAR, "limit": 3} for _ in range(4)])
        assert sorted(line for one in rung for line in one) == sorted(lines)

    def test_a_queue_tells_since_when_its_oldest_line_waits(self, store: Store, driver: PlayedDriver) -> None:
        assert store.waiting() == {}
        begun = store.now()
        runs = [store.accept(new_run(queue=queue)).id for queue in ("q", "q", "p")]
        since = store.waiting()
        assert since == {"p": pytest.approx(begun, abs=1.0), "q": pytest.approx(begun, abs=1.0)}
        assert len(store.ring(["p", "q"], 0.0, 10)) == len(runs)
        assert store.waiting() == since  # however often it is rung for
        assert len(self.taken(driver, "q", limit=1)) == 1
        assert since["q"] <= store.waiting()["q"] <= store.now() + 1.0
        self.taken(driver, "q")
        assert store.waiting() == {"p": since["p"]}

    def test_what_comes_due_waits_since_then(self, store: Store, driver: PlayedDriver) -> None:
        for queue, wait in {"late": -100.0, "early": FAR}.items():
            store.accept(new_run(queue=queue))
            (line,) = self.taken(driver, queue)
            driver.write(step(line, LineStatus.TIME, keep=False, due=store.now() + wait))
        assert store.waiting() == {"late": pytest.approx(store.now() - 100, abs=1.0)}

    def test_what_is_paused_or_for_no_queue_does_not_wait(self, store: Store) -> None:
        store.accept(new_run())
        run = store.accept(new_run(queue="q")).id
        before = store.waiting()["q"]
        store.wish(run, "pause")
        assert store.waiting() == {}
        store.resume(run)
        assert store.waiting()["q"] > before
