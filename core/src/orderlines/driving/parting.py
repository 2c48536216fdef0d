"""The last turns of a driver that is to end: what its calls come to is kept, and nothing begins."""

from __future__ import annotations

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
        turns: list[tuple[Line, Turn]] = []
        while outcomes:
            outcome = outcomes.popleft()
            said = self.sayings.end(outcome)
            line = self.calls.take(outcome)
            if line is not None and line.halt < Halt.SKIP and outcome.how not in {"ended", "lost"}:
                turns.append((line, self.sayings.put(self.turning.turn(line, outcome, self.now()), said)))
                continue
            self.sayings.keep(said)
            if line is not None and line.halt < Halt.SKIP and not outcome.started:
                turns.append((line, machine.undone(line, self.now())))
        kept = [(line, turn, turn.step) for line, turn in turns if turn.step is not None]
        if kept:
            for (line, turn, _), done in zip(kept, self.writing.write([step for _, _, step in kept]), strict=True):
                if done.refused is None:
                    self.settled(line, turn)


def _nobody(call: object, careful: bool) -> bool:  # noqa: FBT001 -- the shape of Admit
    return False
