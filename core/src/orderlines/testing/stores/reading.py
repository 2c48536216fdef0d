"""Reading: what is there, in a stated order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.stores.records import RunFilter
from orderlines.testing.drivers.records import ending, fork, new_run, opening, step, task
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.testing.drivers.played import PlayedDriver


class ReadTests(StoreCase):
    """``run``, ``runs``, ``ended``, ``flow``, ``lines``, ``tasks``, ``visits``, ``children``, ``outcomes``."""

    def test_an_empty_store_holds_nothing(self, store: Store) -> None:
        assert (store.runs(10), store.drivers(), store.run("run"), store.run(1)) == ([], [], None, None)
        assert (store.lines(1), list(store.tasks(1)), store.expire(None)) == ([], [], [])

    def test_a_run_is_found_by_name_or_by_number(self, store: Store) -> None:
        run = store.accept(new_run(name="run-a"))
        assert store.run("run-a") == store.run(run.id) == run
        assert (store.run("run-b"), store.run("RUN-A"), store.run(run.id + 1)) == (None, None, None)

    def test_a_name_is_not_a_number(self, store: Store) -> None:
        first = store.accept(new_run())
        named = store.accept(new_run(name=str(first.id)))
        assert store.run(str(first.id)) == named
        assert store.run(first.id) == first

    def test_runs_are_read_newest_first(self, driver: PlayedDriver) -> None:
        lines = [driver.begin() for _ in range(5)]
        numbers = [line.run for line in reversed(lines)]
        assert [run.id for run in driver.store.runs(10)] == numbers
        assert [run.id for run in driver.store.runs(2)] == numbers[:2]
        driver.write(ending(lines[4]))
        driver.write(ending(lines[2]))
        assert [run.id for run in driver.store.runs(10, unfinished=True)] == [numbers[n] for n in (1, 3, 4)]
        assert [run.id for run in driver.store.runs(1, unfinished=True)] == [numbers[1]]
        assert [run.id for run in driver.store.runs(10)] == numbers

    def test_which_runs_have_ended_or_are_unknown_is_told_at_once(self, driver: PlayedDriver) -> None:
        lines = [driver.begin() for _ in range(3)]
        driver.write(ending(lines[1]))
        unknown = lines[2].run + 1
        asked = [*(line.run for line in lines), unknown]
        assert sorted(driver.store.ended(asked)) == [lines[1].run, unknown]
        assert driver.store.ended([]) == []

    def test_only_the_wanted_runs_are_read(self, driver: PlayedDriver) -> None:
        names = ["ab", "aB", "a%", "b"]
        rows = [driver.store.accept(new_run(name=name, flow=f"f-{name}")) for name in names]
        (line,) = driver.claim(rows[3].id)
        driver.write(ending(line))

        def found(**given: Any) -> list[str]:
            return [row.name for row in driver.store.runs(10, wanted=RunFilter(**given))]

        assert found() == names[::-1]
        assert found(prefix="a") == ["a%", "aB", "ab"]
        assert (found(prefix="a%"), found(prefix="ab"), found(prefix="abc")) == (["a%"], ["ab"], [])
        assert (found(flow="f-aB"), found(flow="f-")) == (["aB"], [])
        assert found(statuses=("SUCCESS", "FAILURE")) == ["b"]
        assert found(statuses=("PENDING",), prefix="b") == []
        assert found(since=driver.store.now() + 60) == []
        assert found(since=driver.store.now() - 60) == names[::-1]
        wanted = RunFilter(prefix="b")
        assert driver.store.runs(10, unfinished=True, wanted=wanted) == []

    def test_lines_are_read_parents_first(self, driver: PlayedDriver) -> None:
        parent, stranger = driver.begin(), driver.begin()
        one, two = driver.write(fork(parent, opening("ab"))).opened
        (inner,) = driver.write(fork(one, opening("x", node="inner"))).opened
        lines = driver.store.lines(parent.run)
        assert lines[0].id == parent.id
        assert {line.id for line in lines} == {parent.id, one.id, two.id, inner.id}
        places = {line.id: place for place, line in enumerate(lines)}
        assert all(places[line.parent] < places[line.id] for line in lines if line.parent is not None)
        assert driver.store.lines(stranger.run) == [stranger]

    def test_tasks_are_read_in_the_order_in_which_they_began(self, driver: PlayedDriver) -> None:
        parent = driver.go(step(driver.begin(), tasks=(task("first", started=1.0),)))
        one, two = driver.write(fork(parent, opening("ab"))).opened
        driver.write(step(two, tasks=(task("b", started=2.0), task("c", started=4.0, finished=4.0))))
        driver.write(step(one, tasks=(task("a", started=3.0, finished=9.0), task("z", started=5.0))))
        kept = list(driver.store.tasks(parent.run))
        assert [each.task.node for each in kept] == ["first", "b", "a", "c", "z"]
        assert [each.line for each in kept] == ["", *(f"/fork#1/{name}" for name in "baba")]

    def test_tasks_of_one_line_that_began_together_keep_their_order(self, driver: PlayedDriver) -> None:
        names = [f"n{number}" for number in range(30)]
        line = driver.go(step(driver.begin(), tasks=tuple(map(task, names))))
        assert [each.task.node for each in driver.store.tasks(line.run)] == names

    def test_visits_are_counted_for_each_line(self, driver: PlayedDriver) -> None:
        parent = driver.go(step(driver.begin(), tasks=(task("a"), task("b"), task("a", visit=2))))
        (child,) = driver.write(fork(parent, opening("x"))).opened
        assert driver.store.visits(parent.id) == {"a": 2, "b": 1}
        assert driver.store.visits(child.id) == {}

    def test_outcomes_are_those_of_some_nodes_on_a_line_and_inside_of_it(self, driver: PlayedDriver) -> None:
        parent, stranger = driver.begin(), driver.begin()
        driver.write(step(stranger, tasks=(task("a", result="no"),)))
        parent = driver.go(step(parent, tasks=(task("a", result="1"), task("b"), task("a", visit=2, result="2"))))
        (child,) = driver.write(fork(parent, opening("x"))).opened
        child = driver.go(step(child, tasks=(task("a", result="3"),)))
        (grandchild,) = driver.write(fork(child, opening("y"))).opened
        driver.write(step(grandchild, tasks=(task("b"), task("a", result="4"))))
        kept = driver.store.outcomes_inside([parent.id], ["a", "unknown"])
        assert [(each.line, each.ordinal, each.task.result) for each in kept] == [
            ("", 0, "1"), ("", 2, "2"), (child.path, 0, "3"), (grandchild.path, 1, "4"),
        ]  # fmt: skip
        assert [each.result for each in driver.store.outcomes(parent.id, ["a", "unknown"])] == ["1", "2"]
        assert [each.node for each in driver.store.outcomes(grandchild.id, ["a", "b"])] == ["b", "a"]
        assert driver.store.outcomes(parent.id, []) == []
        assert driver.store.outcomes_inside([parent.id], []) == []
        assert driver.store.outcomes_inside([], ["a"]) == []

    def test_outcomes_of_other_lines_are_left_out(self, driver: PlayedDriver) -> None:
        parent = driver.begin()
        for visit in (1, 2):
            one, two, three = driver.write(fork(parent, opening("xyz", visit=visit))).opened
            for child in (one, two):
                driver.write(ending(driver.go(step(child, tasks=(task("a", result=child.path),)))))
            woken = driver.write(ending(driver.go(step(three, tasks=(task("a", result=three.path),))))).woken
            assert woken is not None
            parent = woken
            kept = driver.store.outcomes_inside([three.id, one.id], ["a"])
            assert [each.task.result for each in kept] == [one.path, three.path]
        kept = driver.store.outcomes_inside([parent.id], ["a"])
        assert [each.task.result for each in kept] == [f"/fork#{visit}/{name}" for visit in (1, 2) for name in "xyz"]

    def test_reading_tasks_slowly_keeps_nobody_from_writing(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        line = driver.go(step(driver.begin(), tasks=(task("a"), task("b"))))
        tasks = driver.store.tasks(line.run)
        assert next(tasks).task.node == "a"
        driver.write(step(line, tasks=(task("c", started=9.0),)))
        rival.begin()
        assert next(tasks).task.node == "b"
