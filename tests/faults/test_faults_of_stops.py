"""Stop, at every moment: one winner, nothing begins after it, and what was finished before stays finished.

Stop during a retry wait, while queued, at the instant of the claim, as the task ends, twice, of an ended run, of a
parent with children, with the engine down: finished first, the run stays finished and stop says so; stopped first, a
late result is kept as information; with the engine down the wish is stored and obeyed before anything is dispatched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines.acceptance import new_run
from orderlines.stores.sqlite import SQLiteStore
from orderlines.testing.bench import until
from orderlines.testing.invariants import Invariants
from orderlines.testing.witness import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from orderlines.flow.model import Flow
    from orderlines.stores.records import Committed, LineRow, Step
    from orderlines.testing.witness import Said

pytestmark = pytest.mark.usefixtures("kit")
MANY = 40
"""Lines, more than the executor ``thread`` has slots."""


class Case:
    """An engine on an empty store, and the means to write flows for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.go = folder / "go"
        self.url = f"sqlite:///{folder}/runs.db"

    def flow(self, line: str, executor: str = "thread") -> Flow:
        """Load a flow; ``ACT`` in it stands for a call that is seen, and ``WAIT`` for one that waits for :attr:`go`."""
        text = line.replace("WAIT", f"call: seen.act, with: {{log: {self.log}, wait: {self.go}}}")
        text = text.replace("ACT", f"call: seen.act, with: {{log: {self.log}}}")
        path = self.folder / "flow.yaml"
        path.write_text(f"flow: f\nexecutor: {executor}\nline: {text}\n", encoding="utf-8")
        return orderlines.load(path)

    def starts(self) -> list[Said]:
        """Return which calls have begun."""
        return [said for said in read(self.log) if said.what == "start"]

    def stopped(self, run: orderlines.Run, seen: int) -> None:
        """Assert that the run has stopped, that so many calls have begun and no more do, and that all is in order."""
        assert run.wait(30) == "STOP"
        assert len(self.starts()) == seen
        store = SQLiteStore(self.url)
        Invariants(store, self.log).look()
        assert {line.status for line in store.lines(run.row.id)} <= {"STOP", "SUCCESS"}
        store.close()


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    case = Case(tmp_path)
    yield case
    case.go.touch()  # so that no thread is left that waits


def test_a_stop_during_a_retry_wait(case: Case) -> None:
    call = f"call: seen.act, with: {{log: {case.log}, fails: 9}}"
    with orderlines.Engine(case.url) as engine:
        run = engine.start(case.flow(f"[{{id: a, {call}, retry: {{times: 5, delay: 1h}}}}, {{id: b, ACT}}]"))
        until(lambda: [line.status for line in engine.store.lines(run.row.id)] == ["RETRY"], "it waits for its retry")
        run.stop()
        case.stopped(run, 1)


def test_a_stop_while_queued(case: Case) -> None:
    lines = ", ".join(f"l{number}: [{{id: n{number}, WAIT}}]" for number in range(MANY))
    with orderlines.Engine(case.url) as engine:
        run = engine.start(case.flow(f"[{{id: p, parallel: {{lines: {{{lines}}}}}}}]"))
        until(lambda: len(case.starts()) == 32, "every slot is taken")
        run.stop()
        case.stopped(run, 32)
        assert sum(task["status"] == "STOP" for task in run.tasks()) >= 32


class Interfering(SQLiteStore):
    """A store where somebody else acts just before or after this one does a thing.

    :ivar moment: ``claim before``, ``commit after`` ...
    :ivar act: what is done then, once.
    :ivar wanted: whether a step is the one.
    """

    moment = ""
    act: Callable[[], object] | None = None
    wanted: Callable[[Step], bool] = staticmethod(lambda step: True)

    def claim(self, *given: Any, **more: Any) -> list[LineRow]:
        self.meet("claim before")
        found = super().claim(*given, **more)
        self.meet("claim after")
        return found

    def commit(self, driver: int, steps: Sequence[Step]) -> list[Committed]:
        mine = any(self.wanted(step) for step in steps)
        if mine:
            self.meet("commit before")
        done = super().commit(driver, steps)
        if mine:
            self.meet("commit after")
        return done

    def meet(self, moment: str) -> None:
        act = self.act
        if moment == self.moment and act is not None:
            self.act = None
            act()


@pytest.fixture
def interfering(case: Case) -> Iterator[Callable[[str, Flow, Callable[[Step], bool]], tuple[Any, int]]]:
    """Return what accepts a run which another process stops at a moment; nobody drives it yet."""
    other = SQLiteStore(case.url)

    def make(moment: str, flow: Flow, wanted: Callable[[Step], bool]) -> tuple[Interfering, int]:
        store = Interfering(case.url)
        number = other.accept(new_run(flow, {}, None, None)).id
        store.moment, store.wanted, store.act = moment, wanted, lambda: other.wish(number, "stop")
        return store, number

    yield make
    other.close()


@pytest.mark.parametrize("moment", ["claim before", "claim after"])
def test_a_stop_at_the_instant_of_the_claim(moment: str, case: Case, interfering: Any) -> None:
    store, _ = interfering(moment, case.flow("[{id: a, ACT}, {id: b, ACT}]", "inline"), lambda step: False)
    with orderlines.Engine(store) as engine:
        (run,) = engine.recover()
        case.stopped(run, 0)
    store.close()


@pytest.mark.parametrize(("moment", "status", "begun"), [("commit before", "STOP", 1), ("commit after", "SUCCESS", 2)])
def test_a_stop_as_the_task_ends(moment: str, status: str, begun: int, case: Case, interfering: Any) -> None:
    """Stopped first, a late result is kept as information."""
    store, number = interfering(
        moment, case.flow("[{id: a, ACT}, {id: b, ACT}, {id: c, ACT}]", "inline"), lambda step: bool(step.tasks)
    )
    with orderlines.Engine(store) as engine:
        (run,) = engine.recover()
        assert run.wait(30) == "STOP"
        (first, *_) = store.tasks(number)
        assert (first.task.node, first.task.status, first.task.result) == ("a", status, '""')
        # the step that ends `a` begins `b` as well; where the stop came before it, `b` has not begun
        assert len(case.starts()) <= begun
    store.close()


@pytest.mark.parametrize(("moment", "status"), [("commit before", "STOP"), ("commit after", "SUCCESS")])
def test_a_stop_as_the_last_task_ends(moment: str, status: str, case: Case, interfering: Any) -> None:
    """Finished first: the run stays finished and stop says so."""
    store, number = interfering(moment, case.flow("[{id: a, ACT}]", "inline"), lambda step: step.ending is not None)
    with orderlines.Engine(store) as engine:
        (run,) = engine.recover()
        assert run.wait(30) == status
        before = run.row
        assert store.wish(number, "stop") == before
    store.close()


def test_a_stop_twice_and_of_an_ended_run(case: Case) -> None:
    with orderlines.Engine(case.url) as engine:
        run = engine.start(case.flow("[{id: a, WAIT}, {id: b, ACT}]"))
        until(lambda: len(case.starts()) == 1, "it has begun")
        run.stop()
        run.stop()
        case.stopped(run, 1)
        before = run.row
        run.stop()
        assert run.row == before
        done = engine.start(case.flow("[{id: a, ACT}]"))
        assert done.wait(30) == "SUCCESS"
        before = done.row
        done.stop()
        assert done.row == before


def test_a_stop_of_a_parent_with_children(case: Case) -> None:
    (case.folder / "sub.yaml").write_text(
        f"flow: sub\nline: [{{id: s, call: seen.act, executor: thread, with: {{log: {case.log}, wait: {case.go}}}}}]\n",
        encoding="utf-8",
    )
    inner = "{id: g, group: [{id: w, WAIT}, {id: v, ACT}]}"
    each = f"{{id: f, foreach: [1, 2, 3], limit: 2, line: [{inner}]}}"
    dag = "{id: d, graph: {nodes: [{id: x, WAIT}, {id: y, ACT, after: [x]}]}}"
    waits = "t: [{id: t, delay: 1h}], s: [{id: q, signal: go}]"
    lines = f"{{a: [{each}], b: [{{id: e, flow: ./sub.yaml}}], c: [{dag}], {waits}}}"
    with orderlines.Engine(case.url) as engine:
        run = engine.start(case.flow(f"[{{id: p, parallel: {{lines: {lines}}}}}, {{id: z, ACT}}]"))
        until(lambda: len(case.starts()) == 4, "the leaves have begun")
        run.stop()
        case.stopped(run, 4)


def test_a_stop_with_the_engine_down(case: Case) -> None:
    """With the engine down the wish is stored and obeyed before anything is dispatched."""
    store = SQLiteStore(case.url)
    flow = case.flow("[{id: a, ACT}, {id: b, ACT}]", "inline")
    row = store.accept(new_run(flow, {}, None, None))
    orderlines.engine.Run(store, row.name).stop()
    assert store.run(row.id).wish == "stop"  # type: ignore[union-attr]
    with orderlines.Engine(case.url) as engine:
        (run,) = engine.recover()
        case.stopped(run, 0)
    store.close()
