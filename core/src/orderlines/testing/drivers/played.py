"""A driver as the suite plays it: it claims lines and commits steps, and knows only what the store told it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.processes.identity import ProcessIdentity
from orderlines.testing.drivers.records import new_run

if TYPE_CHECKING:
    from typing import Any

    from orderlines.stores.base import Store
    from orderlines.stores.records import Committed, KeptTask, LineRow, RunRow, Step


class PlayedDriver:
    """A driver on the books of a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.id = store.enroll(ProcessIdentity.current())

    def claim(self, *runs: int, limit: int = 1_000) -> list[LineRow]:
        """Claim lines, of all runs where none is named."""
        return self.store.claim(self.id, runs or None, limit)

    def begin(self, **given: Any) -> LineRow:
        """Accept a run and claim its root line."""
        (line,) = self.claim(self.store.accept(new_run(**given)).id)
        return line

    def try_step(self, step: Step) -> Committed:
        """Commit one step and return what became of it."""
        (done,) = self.store.commit(self.id, [step])
        return done

    def write(self, step: Step) -> Committed:
        """Commit one step, which the store must not refuse."""
        done = self.try_step(step)
        assert done.refused is None, f"refused as {done.refused}: {step}"
        return done

    def go(self, step: Step) -> LineRow:
        """Commit one step, which the store must not refuse, and return the line as it is then."""
        self.write(step)
        return self.store.line(step.line)


def everything(store: Store, run: int) -> tuple[RunRow | None, list[LineRow], list[KeptTask]]:
    """Return all that can be read about a run."""
    return store.run(run), store.lines(run), list(store.tasks(run))
