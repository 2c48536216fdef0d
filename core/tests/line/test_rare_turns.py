"""What a line does where its call, or its ``on_failure`` call, ends in one of the rarer ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orderlines import line as machine
from orderlines.acceptance import new_run
from orderlines.driving.serving import Served
from orderlines.executors.base import Outcome
from orderlines.flow.load import load_data
from orderlines.plan import compile_plan
from orderlines.processes.identity import ProcessIdentity
from orderlines.stores.sqlite import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orderlines.line import Line, Turn
    from orderlines.plugins import Registry

WORK: dict[str, Any] = {"id": "a", "call": "steps.work", "with": {"a": 1}}


class Seat:
    """A driver of one run, step by step."""

    def __init__(self, store: SQLiteStore, registry: Registry, node: dict[str, Any], **more: Any) -> None:
        flow = load_data({"flow": "f", **more, "line": [node]}, registry).flow
        plan = compile_plan(flow, registry, None)
        self.store = store
        self.run = store.accept(new_run(flow, {}, None, None))
        self.served = Served(store, self.run, plan, lambda _: plan)
        self.id = store.enroll(ProcessIdentity.current())

    def claim(self) -> Line:
        (row,) = self.store.claim(self.id, [self.run.id], 1)
        return self.served.line(row)

    def take(self, line: Line, turn: Turn) -> Turn:
        assert turn.step is not None
        assert self.store.commit(self.id, [turn.step])[0].refused is None
        machine.settle(line, turn)
        return turn

    def begun(self) -> Line:
        """Return the line with its first call in flight."""
        line = self.claim()
        assert self.take(line, machine.resume(line, 1.0, _always)).begin is not None
        return line


@pytest.fixture
def seat(tmp_path: Path, steps: Registry) -> Iterator[Callable[..., Seat]]:
    store = SQLiteStore(f"sqlite:///{tmp_path}/runs.db")
    yield lambda node, **more: Seat(store, steps, node, **more)
    store.close()


def _always(call: object, crashes: int) -> bool:
    return True


def _lost(started: float) -> Outcome:
    return Outcome(1, "lost", None, "a neighbour died", (), "", started, 0.0)


def test_a_call_that_is_lost_before_it_begins_is_begun_again_but_not_for_ever(seat: Callable[..., Seat]) -> None:
    played = seat({**WORK, "on_crash": "fail"})
    line = played.begun()
    for crashes in (1, 2):
        turn = played.take(line, machine.complete(line, _lost(0.0), 2.0, _always))
        assert turn.begin is not None
        assert (turn.begin.attempt, line.crashes) == (1, crashes)
    turn = machine.complete(line, _lost(0.0), 2.0, _always)
    assert turn.step is not None
    assert (turn.step.status, turn.step.tasks[0].attempt) == ("FAILURE", 1)


def test_a_call_that_was_lost_after_it_began_fails_where_it_may_run_once(seat: Callable[..., Seat]) -> None:
    played = seat({**WORK, "on_crash": "fail"})
    line = played.begun()
    turn = machine.complete(line, _lost(1.5), 2.0, _always)
    assert turn.step is not None
    assert turn.step.status == "FAILURE"


@pytest.mark.parametrize(("wish", "told"), [("timeout", "run"), (None, "node")])
def test_after_a_crash_the_same_on_failure_call_is_made_again(
    wish: str | None, told: str, seat: Callable[..., Seat]
) -> None:
    def tell(message: str) -> dict[str, Any]:
        return {"call": "steps.tell", "with": {"message": message}}

    played = seat({**WORK, "on_failure": tell("node")}, on_failure=tell("run"), timeout=9)
    line = played.begun()
    if wish is None:
        ended = Outcome(1, "raised", None, "no", ("ValueError",), "", 1.0, 0.0)
        first = played.take(line, machine.complete(line, ended, 2.0, _always))
    else:
        ended = Outcome(1, "ended", None, "asked", (), "", 1.0, 0.0)
        first = played.take(line, machine.halted(line, 2.0, wish, ended, _always))
    played.store.release(played.id, [line.id], "signal 9")
    again = machine.resume(played.claim(), 3.0, _always)
    assert first.begin is not None
    assert again.begin is not None
    assert [begin.arguments["message"] for begin in (first.begin, again.begin)] == [told, told]
    assert [begin.attempt for begin in (first.begin, again.begin)] == [1, 2]


def test_a_group_is_tried_again_as_its_strategy_says(seat: Callable[..., Seat]) -> None:
    played = seat({"id": "g", "group": [WORK], "on_error": {"retry": {"times": 1, "delay": 0}}})
    labels = []
    parent = played.claim()
    turn = played.take(parent, machine.resume(parent, 1.0, _always))
    while turn.step is not None and turn.step.opening is not None:
        labels.append(turn.step.opening.label)
        child = played.served.line(next(row for row in played.store.lines(played.run.id) if row.status == "READY"))
        played.take(child, machine.resume(child, 2.0, _always))
        failed = Outcome(1, "raised", None, "no", ("ValueError",), "", 2.0, 0.0)
        played.take(child, machine.complete(child, failed, 3.0, _always))
        parent = played.served.line(played.store.line(parent.id))
        turn = played.take(parent, machine.joined(parent, *played.served.children(parent), 4.0, _always))
    assert labels == ["g#1", "g#1.2"]
    tasks = [kept.task for kept in played.store.tasks(played.run.id) if not kept.line]
    assert [(task.node, task.status, task.attempt) for task in tasks] == [("g", "FAILURE", 2)]
