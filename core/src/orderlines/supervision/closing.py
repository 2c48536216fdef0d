"""Joins whose time is over while a driver's thread is in a call below them: they are closed in its place."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from orderlines.errors import UnknownRun
from orderlines.states import OVERDUE, Halt, LineStatus
from orderlines.stores.records import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow

LATE: Final = 0.1
"""Seconds that a driver gets to close a join by itself, once its time is over."""
AGAIN: Final = 0.5
"""Seconds after which it is looked again for joins, where none was found for what is due."""


class Closing:
    """Closes the joins above the calls of one driver whose time is over, and the joins inside these, as it would.

    Each step says which state of the line it is made for: where the driver was quicker, it is refused.

    :param driver: whose number the steps bear.
    :param queues: those that the driver serves; ``None``: it serves runs.
    :param calls: returns whether a line has a call in the driver's own process.
    """

    def __init__(
        self, store: Store, driver: int, queues: Sequence[str] | None, calls: Callable[[LineRow], bool]
    ) -> None:
        self._store = store
        self._driver = driver
        self._queues = queues
        self._calls = calls
        self._version = -1
        self._due: float | None = None
        self._next_walk = 0.0

    def look(self, now: float, runs: Collection[int] | None) -> None:
        """Close what is to be closed.

        :param now: the moment by the monotonic clock.
        :param runs: those that the driver serves; ``None`` where it serves queues.
        """
        store = self._store
        version = store.version()
        if version != self._version:
            self._due = store.next_due(runs, self._queues)
            self._version = version
        if self._due is None or now < self._next_walk:
            return
        late = store.now() - LATE
        if self._due > late:
            return
        if self._close(late):
            self._version = -1  # What one has written oneself changes no version.
        else:
            self._next_walk = now + AGAIN

    def _close(self, late: float) -> bool:
        """Close the joins that were due at a moment of the store's clock; return whether there was one."""
        known: dict[int, LineRow] = {}
        closed = False
        for number in self._store.owned(self._driver):
            try:
                line = self._line(number, known)
                if self._calls(line):
                    closed = self._close_above(line, known, late) or closed
            except UnknownRun:  # It was voided or pruned a moment ago.
                continue
        return closed

    def _close_above(self, line: LineRow, known: dict[int, LineRow], late: float) -> bool:
        above = [line.id]
        while line.parent is not None:
            line = self._line(line.parent, known)
            above.append(line.id)
        closing = closed = False
        for number, child in pairwise(reversed(above)):
            parent = known[number]
            over = parent.halt == Halt.NONE and parent.due is not None and parent.due <= late
            closing = closing or over or parent.halt >= Halt.SKIP
            if closing and known[child].halt != Halt.STOP:
                self._close_join(parent, known[child], OVERDUE if over else None)
                known[child] = known[child]._replace(halt=Halt.STOP)
                closed = True
        return closed

    def _close_join(self, parent: LineRow, child: LineRow, state: str | None) -> None:
        """Close the join that has opened a child; its name is in the child's path."""
        step = Step(
            parent.id, parent.run, parent.epoch, parent.seq, LineStatus.JOIN, parent.cursor, parent.halt, parent.tasks,
            attempt=parent.attempt, began=parent.began, state=state, closes=child.path.split("/")[-2], keep=False,
        )  # fmt: skip
        (done,) = self._store.commit(self._driver, [step])
        if done.woken is not None:  # The driver does not know that it has it.
            self._store.release(self._driver, [done.woken.id])

    def _line(self, number: int, known: dict[int, LineRow]) -> LineRow:
        if number not in known:
            known[number] = self._store.line(number)
        return known[number]
