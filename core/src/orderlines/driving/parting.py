"""The last turns of a driver that is to end: what its calls come to is kept, and nothing begins."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from orderlines import line as machine
from orderlines.states import Halt

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable

    from orderlines.driving.calling import Calls
    from orderlines.driving.saying import Sayings
    from orderlines.driving.turning import Turning
    from orderlines.driving.writing import Writing
    from orderlines.executors.base import Outcome
    from orderlines.line import Line, Turn
    from orderlines.stores.records import LogRow


class Parting(NamedTuple):
    """Keeps outcomes.

    :ivar now: the store's clock.
    :ivar settled: told of each line and its turn that is written.
    """

    calls: Calls
    turning: Turning
    writing: Writing
    sayings: Sayings
    now: Callable[[], float]
    settled: Callable[[Line, Turn], None]

    def begin(self) -> None:
        """Let no call begin from now on, and take back those that were never begun."""
        self.turning.admit = _nobody
        self.calls.take_back()

    def keep(self, outcomes: deque[Outcome]) -> None:
        """Commit what calls have come to."""
        kept: list[tuple[Line, Callable[[], Turn]]] = []
        while outcomes:
            outcome = outcomes.popleft()
            said = self.sayings.end(outcome)
            line = self.calls.take(outcome)
            if line is not None and line.halt < Halt.SKIP and outcome.how not in {"ended", "lost"}:
                kept.append((line, partial(self._ended, line, outcome, said)))
                continue
            self.sayings.keep(said)
            if line is not None and line.halt < Halt.SKIP and not outcome.started:
                kept.append((line, partial(self._undone, line)))
        while kept:
            kept = self._write(kept)

    def _ended(self, line: Line, outcome: Outcome, said: tuple[LogRow, ...]) -> Turn:
        return self.sayings.put(self.turning.turn(line, outcome, self.now()), said)

    def _undone(self, line: Line) -> Turn:
        return machine.undone(line, self.now())

    def _write(self, kept: list[tuple[Line, Callable[[], Turn]]]) -> list[tuple[Line, Callable[[], Turn]]]:
        """Commit turns; return those to make again, since their run has been paused meanwhile."""
        turns = [(line, turn, make) for line, make in kept for turn in [make()] if turn.step is not None]
        steps = [turn.step for _, turn, _ in turns if turn.step is not None]
        again = []
        for (line, turn, make), done in zip(turns, self.writing.write(steps) if steps else (), strict=True):
            if done.refused is None:
                self.settled(line, turn)
            elif done.refused == "halted" and line.halt < done.halt < Halt.SKIP:
                line.halt = done.halt
                again.append((line, make))
            elif turn.step is not None and turn.step.logs:
                self.sayings.keep(turn.step.logs)
        return again


def _nobody(call: object, crashes: int) -> bool:
    return False
