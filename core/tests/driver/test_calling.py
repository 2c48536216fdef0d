"""Which calls may begin, and which lines wait for what."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.driving.calling import Calls
from orderlines.executors.base import Executor
from orderlines.plugins import ExecutorPlugin
from orderlines.states import LineStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.executors.base import Call
    from orderlines.plugins import Registry

MODULE = "calling_executors"


class Narrow(Executor):
    """Has ten slots, and two for calls that are to be alone; its calls end when the test says so."""

    name = "narrow"
    interrupt = "kill"
    isolation = "process"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.calls: dict[int, Call] = {}
        self.asked = 0

    def start(self) -> None:
        """Do nothing."""

    def free(self) -> int:
        """Return what is left of ten."""
        return 10 - len(self.calls)

    def free_alone(self) -> int:
        """Return what is left of two."""
        self.asked += 1
        return min(self.free(), 2 - sum(call.alone for call in self.calls.values()))

    def submit(self, call: Call) -> None:
        """Keep it."""
        self.calls[call.id] = call

    def end(self, call: int) -> None:
        """Do nothing."""

    def close(self, grace: float) -> None:
        """Do nothing."""


class Scene:
    """Calls of lines that are made up."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.executor: Any = calls.executor("narrow")
        self.call: Any = SimpleNamespace(
            executor="narrow", at_most_once=False, component=None, timeout=None, grace=1.0
        )  # fmt: skip
        self._count = 0

    def line(self, crashes: int) -> Any:
        """Return a line that is about to begin a call under which so many processes have died."""
        self._count += 1
        here = SimpleNamespace(call=self.call, performs=True)
        info = SimpleNamespace(name="run", flow="flow", round=1)
        return SimpleNamespace(
            id=self._count, crashes=crashes, here=here, info=info, path="", status=LineStatus.READY, halt=0, cursor=0
        )

    def begin(self, *crashes: int) -> list[bool]:
        """Let lines begin their calls, as one group; return which were admitted. The others wait."""
        self.calls.new_group()
        lines = [self.line(number) for number in crashes]
        admitted = [line for line in lines if self.calls.admit(self.call, line.crashes)]
        for line in lines:
            if line in admitted:
                self.calls.submit(line, SimpleNamespace(
                    call=self.call, arguments={}, node="a", visit=1, attempt=1, crashes=line.crashes
                ))  # type: ignore[arg-type]  # fmt: skip
            else:
                self.calls.wait(line, "narrow")
        return [line in admitted for line in lines]

    def served(self) -> list[int]:
        """Return the deaths of the lines that are taken up again once a call may have ended."""
        self.calls.retry()
        return [line.crashes for line in self.calls.served()]

    def land(self, *, alone: bool) -> None:
        """End a call."""
        number = next(number for number, call in self.executor.calls.items() if call.alone is alone)
        del self.executor.calls[number]
        outcome: Any = SimpleNamespace(call=number)
        self.calls.take(outcome)


@pytest.fixture(scope="module")
def narrow(make_module: Callable[..., None], registry_of: Callable[..., Registry]) -> Registry:
    make_module(MODULE, Narrow)
    return registry_of(MODULE, ExecutorPlugin("narrow", f"{MODULE}:Narrow", "call", "kill", "process"))


@pytest.fixture
def scene(narrow: Registry) -> Scene:
    return Scene(Calls(narrow, lambda _: None, lambda *_: None, id))


def test_what_an_executor_is_told_of_a_call_follows_from_the_deaths(scene: Scene) -> None:
    assert scene.begin(0, 1, 2) == [True] * 3
    told = [(call.suspect, call.alone) for call in scene.executor.calls.values()]
    assert told == [(False, False), (True, False), (False, True)]


def test_a_group_takes_no_more_slots_for_calls_alone_than_there_are(scene: Scene) -> None:
    assert scene.begin(2, 2, 2, 1, 0) == [True, True, False, True, True]


def test_lines_that_wait_for_a_slot_alone_are_taken_up_when_there_is_one(scene: Scene) -> None:
    scene.begin(*[2] * 5, *[0] * 8, 0, 1)
    assert scene.executor.free() == 0
    assert scene.served() == []
    scene.land(alone=False)
    assert scene.served() == [0], "it does not wait behind those, and they are not looked at"
    scene.land(alone=True)
    assert scene.served() == [2, 1], "one of them, and one that may share has another slot"


def test_lines_that_wait_apart_can_be_taken_out(scene: Scene) -> None:
    scene.begin(2, 2)
    line = scene.line(2)
    assert scene.calls.waits(line)
    assert scene.calls.forget(line)
    assert not scene.calls.forget(line)
    assert not scene.calls.waits(scene.line(1))


def test_nothing_more_is_asked_for_calls_under_which_nothing_has_died(scene: Scene) -> None:
    scene.begin(*[0] * 12)
    for _ in range(10):
        scene.land(alone=False)
        scene.served()
        assert scene.begin(0) == [True]
        assert scene.calls.waits(scene.line(0))
    assert scene.executor.asked == 0
