"""Rounds: what a run that has failed or was stopped keeps, and what is done again."""

# ruff: noqa: PLR2004 -- as in any test, the expected numbers are the test

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from orderlines.errors import Refused, UnknownRun
from orderlines.states import Halt, LineStatus, RunStatus
from orderlines.stores.records import Reopening, Rewind
from orderlines.testing.drivers.played import everything
from orderlines.testing.drivers.records import ending, fork, opening, step, task
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow, Opening, Step
    from orderlines.testing.drivers.played import PlayedDriver
    from orderlines.testing.stores.case import Crowd


def failing(line: LineRow, node: str = "node", siblings: Opening | None = None, attempt: int = 1) -> Step:
    """Return the step that ends a line at a node that has failed."""
    told = json.dumps({"node": node, "line": line.path, "type": "E", "message": "no"})
    failed = task(node, status="FAILURE", attempt=attempt, error=told)
    return ending(line, LineStatus.FAILURE, siblings, error=told)._replace(tasks=(failed,), starts=5.0)


def stopping(line: LineRow, siblings: Opening | None = None) -> Step:
    """Return the step by which a line is stopped in the middle of a node."""
    stopped = ending(line, LineStatus.STOP, siblings)
    return stopped._replace(tasks=(task(status="STOP", error="{}"),), halt=Halt.STOP)


def signalled(driver: PlayedDriver, line: LineRow, key: str, *, early: bool) -> LineRow:
    """Let a line wait for a signal and go on with one that has a key, and is sent before or after it waits."""
    waits = step(line, LineStatus.SIGNAL, keep=False, waits=(key,), state=json.dumps([key]))
    if early:
        assert driver.store.signal(line.run, key, "1", key)
    taken = driver.write(waits).woken
    if not early:
        assert driver.store.signal(line.run, key, "1", key)
        (taken,) = driver.claim(line.run)
    assert taken is not None
    return driver.go(step(taken, tasks=(task(key, result="1"),), cursor=taken.cursor + 1))


class ReopenTests(StoreCase):
    """``reopen`` and ``rounds``: a new round of a run that has failed or was stopped."""

    @pytest.fixture
    def failed(self, driver: PlayedDriver) -> LineRow:
        """Return the root line of a run that did one task, and failed at the second."""
        line = driver.go(step(driver.begin(), tasks=(task("first", assigned='{"b":1}'),), cursor=1))
        return driver.go(failing(line))

    def test_a_failed_task_becomes_an_attempt(self, driver: PlayedDriver, failed: LineRow) -> None:
        row = driver.store.reopen(Reopening(failed.run, 1))
        assert (row.status, row.round, row.wish, row.finished, row.error) == (RunStatus.RUNNING, 2, None, None, None)
        assert row == driver.store.run(failed.run)
        (line,) = driver.claim()
        assert (line.id, line.status, line.cursor, line.attempt) == (failed.id, LineStatus.READY, 1, 1)
        assert (line.halt, line.tasks, line.state) == (Halt.NONE, 1, None)
        assert line.epoch > failed.epoch
        assert [kept.task.node for kept in driver.store.tasks(failed.run)] == ["first"]
        assert driver.store.visits(line.id) == {"first": 1}
        driver.write(ending(line)._replace(tasks=(task(attempt=2),)))
        assert [kept.task.attempt for kept in driver.store.tasks(failed.run)] == [1, 2]

    def test_variables_that_a_line_came_to_are_kept(self, driver: PlayedDriver) -> None:
        line = driver.go(step(driver.begin(), tasks=(task("first", assigned='{"b":1}'),), cursor=1))
        end = failing(line)
        assert end.ending is not None
        driver.write(end._replace(ending=end.ending._replace(variables='{"a":1,"b":1}')))
        driver.store.reopen(Reopening(line.run, 1))
        (line,) = driver.claim()
        assert (line.vars, line.vars_at) == ('{"a":1,"b":1}', 1)
        assert list(driver.store.assigned(line.id, line.vars_at)) == []

    def test_a_line_that_came_to_no_variables_goes_on_with_those_that_it_had(self, driver: PlayedDriver) -> None:
        line = driver.go(step(driver.begin(), tasks=(task("first", assigned='{"b":1}'),), cursor=1, vars='{"a":1}'))
        line = driver.go(step(line, tasks=(task("second", assigned='{"c":1}'),), cursor=2))
        driver.write(failing(line))
        driver.store.reopen(Reopening(line.run, 1))
        (line,) = driver.claim()
        assert (line.vars, line.vars_at) == ('{"a":1}', 1)
        assert list(driver.store.assigned(line.id, line.vars_at)) == ['{"c":1}']

    def test_so_does_a_child(self, driver: PlayedDriver) -> None:
        inside = opening("x")._replace(flow="inner", vars='{"a":1}')
        root = driver.begin()
        (child,) = driver.write(fork(root, inside)).opened
        child = driver.go(step(child, tasks=(task("first", assigned='{"b":1}'),), cursor=1))
        woken = driver.write(failing(child)).woken
        assert woken is not None
        driver.write(failing(woken, "fork"))
        assert driver.store.line(child.id).vars == '{"a":1}'
        driver.store.reopen(Reopening(root.run, 1))
        child = driver.store.line(child.id)
        assert (child.status, child.vars, child.vars_at) == (LineStatus.READY, '{"a":1}', 0)
        assert list(driver.store.assigned(child.id, child.vars_at)) == ['{"b":1}']

    def test_what_on_failure_did_goes(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        step = failing(line)
        driver.write(step._replace(tasks=(*step.tasks, task("node:on_failure"))))
        driver.store.reopen(Reopening(line.run, 1))
        assert list(driver.store.tasks(line.run)) == []
        assert driver.store.line(line.id).tasks == 0

    def test_what_on_failure_did_goes_where_the_node_had_not_begun(self, driver: PlayedDriver) -> None:
        line = driver.go(step(driver.begin(), tasks=(task("first"),), cursor=1, starts=5.0))
        told = json.dumps({"node": "node", "line": "", "type": "Timeout", "message": "late"})
        driver.write(ending(line, LineStatus.FAILURE, error=told)._replace(tasks=(task("node:on_failure"),)))
        driver.store.reopen(Reopening(line.run, 1))
        assert [kept.task.node for kept in driver.store.tasks(line.run)] == ["first"]
        (line,) = driver.claim()
        assert (line.status, line.cursor, line.attempt, line.tasks) == (LineStatus.READY, 1, 0, 1)
        driver.write(ending(line)._replace(tasks=(task("node"),)))
        assert [kept.task.node for kept in driver.store.tasks(line.run)] == ["first", "node"]

    def test_a_stopped_run_goes_on_where_it_stood(self, driver: PlayedDriver) -> None:
        line = driver.go(step(driver.begin(), tasks=(task("first"),), cursor=1, starts=5.0))
        driver.store.wish(line.run, "stop")
        driver.write(stopping(line))
        driver.store.reopen(Reopening(line.run, 1))
        (line,) = driver.claim()
        assert (line.status, line.cursor, line.attempt, line.tasks, line.halt) == (LineStatus.READY, 1, 1, 1, Halt.NONE)

    @pytest.mark.parametrize("given", ["early", "late"])
    def test_a_signal_that_had_come_when_the_run_was_stopped_is_kept(self, driver: PlayedDriver, given: str) -> None:
        line = driver.begin()
        waits = step(line, LineStatus.SIGNAL, keep=False, began=5.0, attempt=1, waits=("s",), state='["s"]', starts=5.0)
        if given == "early":
            driver.store.signal(line.run, "s", '{"by":"ana"}')
        driver.write(waits)
        if given == "late":
            driver.store.signal(line.run, "s", '{"by":"ana"}')
            driver.claim(line.run)
        driver.store.wish(line.run, "stop")
        line = driver.store.line(line.id)
        stopped = task(status="STOP", error="{}", result=line.state)
        driver.write(stopping(line)._replace(tasks=(stopped,)))
        driver.store.reopen(Reopening(line.run, 1))
        (line,) = driver.claim()
        assert (line.status, line.state, line.attempt) == (LineStatus.SIGNALLED, '{"by":"ana"}', 1)
        assert list(driver.store.tasks(line.run)) == []

    def test_a_call_that_returned_when_it_had_been_stopped_is_made_again(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.store.wish(line.run, "stop")
        stopped = task(status="STOP", error="{}", executor="inline", result="1")
        driver.write(stopping(line)._replace(tasks=(stopped,)))
        driver.store.reopen(Reopening(line.run, 1))
        (line,) = driver.claim()
        assert (line.status, line.state, line.attempt) == (LineStatus.READY, None, 1)

    def test_who_had_the_line_is_fenced(self, driver: PlayedDriver, failed: LineRow) -> None:
        driver.store.reopen(Reopening(failed.run, 1))
        assert driver.try_step(step(failed)).refused == "fenced"

    def test_the_time_of_the_run_counts_anew(self, driver: PlayedDriver, failed: LineRow) -> None:
        before = driver.store.now()
        row = driver.store.reopen(Reopening(failed.run, 1, timeout=60.0))
        assert row.deadline is not None
        assert before + 60 <= row.deadline <= driver.store.now() + 60
        assert row.started == 5.0

    def test_the_rounds_that_are_over_are_kept(self, driver: PlayedDriver, failed: LineRow) -> None:
        assert driver.store.rounds(failed.run) == []
        ended = driver.store.run(failed.run)
        assert ended is not None
        driver.store.reopen(Reopening(failed.run, 1, vars='{"c":3}'))
        (over,) = driver.store.rounds(failed.run)
        assert over == (1, RunStatus.FAILURE, ended.finished, ended.error, 1, '{"c":3}')
        (line,) = driver.claim()
        assert (line.vars, line.vars_at) == ('{"c":3}', 1)

    def test_only_a_run_that_ended_badly_is_reopened(self, driver: PlayedDriver, failed: LineRow) -> None:
        going, done = driver.begin(), driver.begin()
        driver.write(ending(done))
        for run, over in ((going.run, 1), (done.run, 1), (failed.run, 2)):
            before = everything(driver.store, run)
            with pytest.raises(Refused):
                driver.store.reopen(Reopening(run, over))
            assert everything(driver.store, run) == before
        with pytest.raises(UnknownRun, match="12345"):
            driver.store.reopen(Reopening(12345, 1))

    def test_of_many_at_once_one_reopens_a_run(self, store: Store, driver: PlayedDriver, crowd: Crowd) -> None:
        lines = [driver.begin() for _ in range(15)]
        for line in lines:
            driver.write(failing(line))
        won = crowd("reopen", [{"runs": [line.run for line in lines]}] * 4)
        assert sorted(run for each in won for run in each) == sorted(line.run for line in lines)
        assert {run.round for run in store.runs(100)} == {2}

    def test_a_skipped_node_is_left_out_in_the_next_round(self, driver: PlayedDriver, failed: LineRow) -> None:
        assert driver.store.skip(driver.store.line(failed.id))
        driver.store.reopen(Reopening(failed.run, 1))
        (line,) = driver.claim()
        assert (line.status, line.halt) == (LineStatus.READY, Halt.SKIP)

    # Joins

    @pytest.mark.parametrize("strict", [True, False])
    def test_a_join_waits_for_those_that_have_not_succeeded(self, driver: PlayedDriver, strict: bool) -> None:  # noqa: FBT001 -- a case
        join = opening("abcd", 3, strict=strict)
        root = driver.begin()
        one, two, three = driver.write(fork(root, join, due=30.0, began=20.0)).opened
        driver.write(ending(one, siblings=join))
        driver.write(failing(two, siblings=join))
        for line in driver.store.lines(root.run):
            if line.status == LineStatus.READY:
                driver.write(stopping(line, join) if strict else ending(line, siblings=join))
        driver.write(failing(driver.store.line(root.id), "fork"))
        driver.store.reopen(Reopening(root.run, 1))
        assert driver.store.line(root.id)[7:9] == (LineStatus.JOIN, 0)
        due = driver.store.line(root.id).due
        assert due is not None
        assert due <= driver.store.now() + 10
        again = driver.claim()
        assert {line.id for line in again} >= {two.id}
        assert one.id not in {line.id for line in again}
        assert (three.id in {line.id for line in again}) == strict
        woken = [driver.write(ending(line, siblings=join)).woken for line in again]
        assert [line is not None for line in woken] == [*[False] * (len(again) - 1), True]

    def test_children_beyond_the_limit_wait_their_turn(self, driver: PlayedDriver) -> None:
        join = opening("abc", 1, strict=False)
        root = driver.begin()
        driver.write(fork(root, join))
        for _ in "abc":
            (child,) = [line for line in driver.store.lines(root.run) if line.status == LineStatus.READY]
            driver.write(failing(child, siblings=join))
        driver.write(failing(driver.store.line(root.id), "fork"))
        driver.store.reopen(Reopening(root.run, 1))
        for place, name in enumerate("abc"):
            (child,) = driver.claim()
            assert child.path == f"/fork#1/{name}"
            done = driver.write(ending(child, siblings=join))
            assert (done.freed, done.woken is not None) == (place < 2, place == 2)

    def test_a_join_whose_children_have_all_succeeded_is_joined_again(self, driver: PlayedDriver) -> None:
        root = driver.begin()
        (child,) = driver.write(fork(root, opening("a"))).opened
        woken = driver.write(ending(child)).woken
        assert woken is not None
        driver.write(failing(woken, "fork"))
        driver.store.reopen(Reopening(root.run, 1))
        (line,) = driver.claim()
        assert (line.id, line.status, line.attempt) == (root.id, LineStatus.JOINED, 1)

    def test_joins_are_reopened_at_every_level(self, driver: PlayedDriver) -> None:
        outer, inner = opening("ab"), opening("xy", node="inner")
        root = driver.begin()
        one, two = driver.write(fork(root, outer)).opened
        x, y = driver.write(fork(one, inner)).opened
        driver.write(ending(y))
        driver.write(ending(two))
        woken = driver.write(failing(x)).woken
        assert woken is not None
        woken = driver.write(failing(woken, "inner")).woken
        assert woken is not None
        driver.write(failing(woken, "fork"))
        driver.store.reopen(Reopening(root.run, 1))
        statuses = [line.status for line in driver.store.lines(root.run)]
        ready, join, done = LineStatus.READY, LineStatus.JOIN, LineStatus.SUCCESS
        assert statuses == [join, join, done, ready, done]
        (line,) = driver.claim()
        woken = driver.write(ending(line)).woken
        assert woken is not None
        assert woken.id == one.id

    def test_a_graph_opens_what_follows_when_that_has_been_done(self, driver: PlayedDriver) -> None:
        join = opening("abc", strict=False)._replace(after={1: (0,), 2: (1,)})
        root = driver.begin()
        (a,) = driver.write(fork(root, join)).opened
        woken = driver.write(failing(a, siblings=join)).woken
        assert woken is not None
        driver.write(failing(woken, "fork"))
        driver.store.reopen(Reopening(root.run, 1))
        (line,) = driver.claim()
        paths = [line.path]
        while opened := driver.write(ending(line, siblings=join)).opened:
            (line,) = opened
            paths.append(line.path)
        assert paths == ["/fork#1/a", "/fork#1/b", "/fork#1/c"]
        assert driver.store.line(root.id).status == LineStatus.JOINED

    # Rewinding

    def test_what_came_later_is_as_if_it_had_never_been(self, driver: PlayedDriver) -> None:
        root = driver.go(step(driver.begin(), tasks=(task("first"), task("second")), cursor=2))
        (child,) = driver.write(fork(root, opening("a"))).opened
        (below,) = driver.write(fork(child, opening("b"))).opened
        woken = driver.write(ending(below)._replace(tasks=(task("deep"),))).woken
        assert woken is not None
        woken = driver.write(failing(woken)).woken
        assert woken is not None
        driver.write(failing(woken, "fork"))
        driver.store.reopen(Reopening(root.run, 1, rewind=Rewind(1, 1), vars='{"a":9}'))
        (line,) = driver.claim()
        assert (line.id, line.status, line.cursor, line.tasks) == (root.id, LineStatus.READY, 1, 1)
        assert (line.vars, line.vars_at, line.attempt) == ('{"a":9}', 1, 0)
        assert driver.store.lines(root.run) == [line]
        assert [kept.task.node for kept in driver.store.tasks(root.run)] == ["first"]
        assert driver.store.children(root.id, "fork#1") == []
        line = driver.go(step(line, tasks=(task("second"),), cursor=2))
        (anew,) = driver.write(fork(line, opening("a"))).opened
        assert anew.id not in {child.id, below.id}
        assert anew.status == LineStatus.READY

    @pytest.mark.parametrize("early", [True, False])
    def test_the_keys_of_signals_that_void_visits_took_are_free(self, driver: PlayedDriver, early: bool) -> None:  # noqa: FBT001 -- a case
        line = signalled(driver, driver.begin(), "first", early=early)
        line = signalled(driver, line, "second", early=early)
        (child,) = driver.write(fork(line, opening("a"))).opened
        child = signalled(driver, child, "below", early=early)
        for key in ("nobody's", "nobody's, with a\0 and a 7"):
            assert driver.store.signal(line.run, "nobody", "1", key)
        woken = driver.write(failing(child)).woken
        assert woken is not None
        driver.write(failing(woken, "fork"))
        driver.store.reopen(Reopening(line.run, 1, rewind=Rewind(1, 1), vars="{}"))
        keys = ("first", "second", "below", "nobody's", "nobody's, with a\0 and a 7")
        sent = [driver.store.signal(line.run, "again", "1", key) for key in keys]
        assert sent == [False, True, True, False, False]
        assert not any(driver.store.signal(line.run, "again", "1", key) for key in keys)

    def test_a_key_that_was_freed_is_freed_again(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        for round_ in (1, 2, 3):
            line = signalled(driver, line, "key", early=round_ == 2)
            driver.write(failing(line))
            driver.store.reopen(Reopening(line.run, round_, rewind=Rewind(0, 0), vars="{}"))
            (line,) = driver.claim()
        line = signalled(driver, line, "key", early=False)
        driver.write(failing(line))
        driver.store.reopen(Reopening(line.run, 4, rewind=Rewind(1, 1), vars="{}"))
        assert not driver.store.signal(line.run, "key", "1", "key")

    def test_without_going_back_no_key_is_free(self, driver: PlayedDriver) -> None:
        line = signalled(driver, driver.begin(), "one", early=True)
        (child,) = driver.write(fork(line, opening("a"))).opened
        woken = driver.write(failing(signalled(driver, child, "two", early=False))).woken
        assert woken is not None
        driver.write(failing(woken, "fork"))
        driver.store.reopen(Reopening(line.run, 1))
        assert not any(driver.store.signal(line.run, "again", "1", key) for key in ("one", "two"))

    @pytest.mark.parametrize("early", [True, False])
    def test_the_key_of_a_signal_that_had_come_when_its_node_ended_badly_is_free(
        self,
        driver: PlayedDriver,
        early: bool,  # noqa: FBT001 -- a case
    ) -> None:
        line = driver.go(step(driver.begin(), tasks=(task("first"),), cursor=1))
        waits = step(line, LineStatus.SIGNAL, keep=False, waits=("s",), state='["s"]')
        if early:
            assert driver.store.signal(line.run, "s", "1", "key")
        taken = driver.write(waits).woken
        if not early:
            assert driver.store.signal(line.run, "s", "1", "key")
            (taken,) = driver.claim(line.run)
        assert taken is not None
        driver.write(failing(taken, "s"))
        driver.store.reopen(Reopening(line.run, 1))
        (line,) = driver.claim()
        assert not driver.store.signal(line.run, "other", "1", "key")
        driver.write(failing(line, "s", attempt=2))
        driver.store.reopen(Reopening(line.run, 2, rewind=Rewind(1, 1), vars="{}"))
        assert driver.store.signal(line.run, "other", "1", "key")
