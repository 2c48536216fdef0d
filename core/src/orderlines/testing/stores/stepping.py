"""Steps: whole or not at all, once, and only by the owner."""

# ruff: noqa: PLR2004 -- as in any test, the expected numbers are the test

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.states import Halt, LineStatus, RunStatus
from orderlines.stores.records import AttemptRow, Committed
from orderlines.testing.drivers.played import everything
from orderlines.testing.drivers.records import ending, opening, step, task
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow
    from orderlines.testing.drivers.played import PlayedDriver
    from orderlines.testing.stores.case import Crowd

FENCED = Committed(refused="fenced")
HALTED = Committed(refused="halted", halt=Halt.STOP)
ATTEMPT = AttemptRow("node", 1, 1, 1.0, 2.0, '{"type":"ValueError"}')


def full(line: LineRow, **given: Any) -> Any:
    """Return a step that writes wherever a step can write, but for its end."""
    wrote = step(line, LineStatus.JOIN, cursor=3, tasks=(task(assigned='{"x":1}'),), attempts=(ATTEMPT,), keep=False)
    wrote = wrote._replace(due=5.0, state="state", vars='{"x":1}', starts=time.time(), timeout=60.0, opening=opening())
    return wrote._replace(**given)


class StepTests(StoreCase):
    """``commit``: apply each step atomically and say what became of each."""

    def test_a_step_writes_what_it_says(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        written = driver.go(
            step(
                line, LineStatus.CALL, cursor=4, attempt=2, began=1700000000.123456, executor="thread", crashes=1,
                due=1800000000.654321, state="{}", vars='{"b":2}',
            )
        )  # fmt: skip
        assert written == line._replace(
            status=LineStatus.CALL, cursor=4, attempt=2, began=1700000000.123456, executor="thread", crashes=1,
            due=1800000000.654321, state="{}", vars='{"b":2}', seq=line.seq + 1,
        )  # fmt: skip

    def test_a_step_lets_go_of_a_line_that_it_does_not_keep(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        assert driver.go(step(line)).owner == driver.id
        assert driver.go(step(driver.store.line(line.id), keep=False)).owner is None

    def test_a_step_is_applied_once(self, driver: PlayedDriver) -> None:
        first = full(driver.begin())
        driver.write(first)
        before = everything(driver.store, first.run)
        assert driver.try_step(first) == FENCED
        assert everything(driver.store, first.run) == before

    @pytest.mark.parametrize("field", ["epoch", "seq"])
    @pytest.mark.parametrize("by", [-1, 1], ids=["old", "future"])
    def test_epoch_and_seq_are_checked(self, driver: PlayedDriver, field: str, by: int) -> None:
        line = driver.go(step(driver.begin()))
        before = everything(driver.store, line.run)
        assert driver.try_step(full(line._replace(**{field: getattr(line, field) + by}))) == FENCED
        assert everything(driver.store, line.run) == before

    def test_a_step_of_no_line_is_fenced(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        assert driver.try_step(full(line._replace(id=line.id + 1_000))) == FENCED

    @pytest.mark.parametrize("status", [LineStatus.SUCCESS, LineStatus.FAILURE, LineStatus.STOP])
    def test_a_final_status_is_never_overwritten(self, driver: PlayedDriver, status: str) -> None:
        line = driver.go(ending(driver.begin(), status, variables="{}"))
        before = everything(driver.store, line.run)
        assert before[0] is not None
        assert (line.status, before[0].status) == (status, status)
        late = [full(line), ending(line, LineStatus.FAILURE, error="late"), step(line, halt=Halt.STOP, lift=True)]
        assert driver.store.commit(driver.id, late) == [FENCED] * 3
        assert everything(driver.store, line.run) == before

    def test_a_group_applies_all_but_the_refused(self, driver: PlayedDriver) -> None:
        lines = [driver.begin() for _ in range(3)]
        steps = [full(lines[0], opening=None), full(lines[1], seq=7), full(lines[2], opening=None)]
        done = driver.store.commit(driver.id, steps)
        assert done == [Committed(), FENCED, Committed()]
        assert [driver.store.line(line.id).seq for line in lines] == [1, 0, 1]
        assert [len(list(driver.store.tasks(line.run))) for line in lines] == [1, 0, 1]

    def test_a_group_is_answered_in_its_order(self, driver: PlayedDriver) -> None:
        lines = [driver.begin() for _ in range(20)]
        steps = [ending(line) if line.id % 3 else step(line, epoch=99) for line in reversed(lines)]
        assert [done.refused is None for done in driver.store.commit(driver.id, steps)] == [
            step.ending is not None for step in steps
        ]

    def test_no_step_at_all_is_a_group(self, driver: PlayedDriver) -> None:
        assert driver.store.commit(driver.id, []) == []

    def test_a_step_that_does_not_know_the_wish_is_refused_as_halted(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.store.wish(line.run, "stop")
        before = everything(driver.store, line.run)
        assert driver.try_step(full(line)) == HALTED
        assert driver.try_step(ending(line)) == HALTED
        assert everything(driver.store, line.run) == before

    def test_a_step_that_knows_the_wish_is_applied(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.store.wish(line.run, "stop")
        assert driver.go(ending(line, LineStatus.STOP, None)._replace(halt=Halt.STOP)).status == LineStatus.STOP

    def test_who_is_fenced_is_not_told_of_the_wish(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.store.wish(line.run, "stop")
        assert driver.try_step(step(line, epoch=line.epoch - 1)) == FENCED

    def test_a_step_may_lift_the_wish(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.store.wish(line.run, "timeout")
        line = driver.go(step(line, LineStatus.HANDLER, halt=Halt.STOP, lift=True))
        assert line.halt == Halt.NONE
        assert driver.store.halted(driver.id) == []
        assert driver.go(ending(line, LineStatus.FAILURE)).status == LineStatus.FAILURE

    def test_tasks_are_numbered_in_order(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        for names in ("ab", "", "c"):
            line = driver.go(step(line, tasks=tuple(map(task, names))))
        kept = list(driver.store.tasks(line.run))
        assert [(each.line, each.ordinal, each.task.node) for each in kept] == [
            ("", 0, "a"),
            ("", 1, "b"),
            ("", 2, "c"),
        ]
        assert line.tasks == 3

    def test_a_task_is_kept_as_it_is(self, driver: PlayedDriver) -> None:
        kept = task("n", visit=3, status="SKIP", attempt=2, executor="e", started=1.25, finished=2.000001, result="[1]",
                    error='{"type":"E"}', assigned='{"x":null}')  # fmt: skip
        line = driver.go(step(driver.begin(), tasks=(kept,)))
        assert [each.task for each in driver.store.tasks(line.run)] == [kept]

    def test_assignments_are_deltas_after_the_snapshot(self, driver: PlayedDriver) -> None:
        line = driver.go(step(driver.begin(), tasks=(task(assigned='{"a":1}'), task(assigned=None))))
        assert (line.vars, line.vars_at) == ('{"a":1}', 0)
        line = driver.go(step(line, tasks=(task(assigned='{"b":2}'),), vars='{"a":1,"b":2}'))
        assert (line.vars, line.vars_at) == ('{"a":1,"b":2}', 3)
        line = driver.go(step(line, tasks=(task(assigned='{"c":3}'), task(assigned='{"c":4}'))))
        assert (line.vars, line.vars_at) == ('{"a":1,"b":2}', 3)
        assert driver.store.assigned(line.id, line.vars_at) == ['{"c":3}', '{"c":4}']
        assert driver.store.assigned(line.id, 0) == ['{"a":1}', '{"b":2}', '{"c":3}', '{"c":4}']
        assert driver.store.assigned(line.id, 5) == []

    def test_an_attempt_may_be_written_again(self, driver: PlayedDriver) -> None:
        line = driver.go(step(driver.begin(), attempts=(ATTEMPT,)))
        line = driver.go(step(line, attempts=(ATTEMPT._replace(error="{}"), ATTEMPT._replace(attempt=2))))
        assert line.seq == 2

    def test_the_first_call_starts_the_run(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        before = driver.store.now()
        line = driver.go(step(line, LineStatus.CALL, starts=driver.store.now()))
        started = driver.store.run(line.run)
        assert started is not None
        assert (started.status, started.deadline, started.finished) == (RunStatus.RUNNING, None, None)
        assert started.started is not None
        assert before <= started.started <= driver.store.now()
        driver.write(step(line, LineStatus.CALL, starts=driver.store.now(), timeout=1.0))
        assert driver.store.run(line.run) == started

    @pytest.mark.parametrize("status", [RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.STOP])
    def test_the_end_of_the_root_line_is_the_end_of_the_run(self, driver: PlayedDriver, status: str) -> None:
        line = driver.begin()
        before = driver.store.now()
        line = driver.go(ending(line, status, error='{"type":"E"}', variables='{"z":1}', result="1"))
        run = driver.store.run(line.run)
        assert run is not None
        assert (run.status, run.error, run.variables) == (status, '{"type":"E"}', '{"z":1}')
        assert run.finished is not None
        assert before <= run.finished <= driver.store.now()
        assert run.started is not None
        assert (line.status, line.owner, driver.claim()) == (status, None, [])

    def test_steps_that_compete_are_applied_one_after_the_other(
        self, store: Store, driver: PlayedDriver, crowd: Crowd
    ) -> None:
        line = driver.begin()
        crowd("count", [{"line": line.id, "times": 20}] * 4)
        line = store.line(line.id)
        kept = list(store.tasks(line.run))
        assert (line.seq, line.tasks) == (80, 80)
        assert [each.ordinal for each in kept] == list(range(80))
        assert sorted(int(each.task.node) for each in kept) == sorted(list(range(20)) * 4)
