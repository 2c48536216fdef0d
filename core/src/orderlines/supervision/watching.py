"""Which call keeps a driver from obeying: one in its own process, whose line is to stop, or is out of time."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from orderlines.driving.plans import Plans
from orderlines.errors import UnknownRun
from orderlines.executors.base import DEFAULT_GRACE
from orderlines.states import Halt, LineStatus
from orderlines.supervision.closing import Closing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from orderlines.plan import PlannedCall
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow

PATIENCE = 0.1
"""Seconds that a driver gets to obey a wish by itself before the call in its thread is asked to end."""

SLACK = 2.0
"""Seconds beyond the grace of its calls that a driver gets to end them and to let go."""

_CALLING = frozenset({LineStatus.CALL, LineStatus.HANDLER})


class Watch:
    """Looks at the store for what a driver cannot see while a call runs in its thread: wishes, and times that are over.

    :param queues: those that the driver serves; ``None``: it serves runs.
    """

    def __init__(self, store: Store, registry: Registry, driver: int, queues: Sequence[str] | None = None) -> None:
        self._store = store
        self._registry = registry
        self._driver = driver
        self._since: dict[int, float] = {}
        self._plans = Plans(store, registry)
        self._closing = Closing(store, driver, queues, self._in_process)

    def look(self, now: float, runs: Collection[int] | None) -> list[LineRow]:
        """Return the lines that should have stopped by now, and have a call in the driver's own process.

        :param now: the moment by the monotonic clock.
        :param runs: whose deadlines are kept; ``None``: those of all.
        :raises StoreUnavailable: it cannot be reached.
        """
        self._store.expire(runs)
        self._closing.look(now, runs)
        held = [row for row in self._halted() if self._in_process(row)]
        self._since = {row.id: self._since.get(row.id, now) for row in held}
        return [row for row in held if now - self._since[row.id] >= PATIENCE]

    def parting(self) -> float:
        """Return how long the driver may take to let go, in seconds: the longest grace of its calls, wherever they run.

        It ends those that are not in its own thread itself, which takes a moment more.
        """
        rows = [row for row in self._lines(self._store.owned(self._driver)) if row.status in _CALLING]
        grace = max(map(self.grace, rows), default=DEFAULT_GRACE)
        return grace if any(map(self._in_process, rows)) else grace + SLACK

    def grace(self, row: LineRow) -> float:
        """Return the grace of the call at a line's cursor, in seconds."""
        call = self._call(row) if row.status == LineStatus.CALL else None
        return DEFAULT_GRACE if call is None else call.grace

    def _call(self, row: LineRow) -> PlannedCall | None:
        """Return the call at a line's cursor; only a run in which something is to end needs its plan here."""
        run = self._store.run(row.run)
        if run is None:
            return None
        plan = self._plans.of(row.flow or run.digest, run.executor)
        return plan.blocks[row.block].nodes[row.cursor].call

    def _halted(self) -> Iterator[LineRow]:
        return self._lines(number for number, halt in self._store.halted(self._driver) if halt >= Halt.SKIP)

    def _lines(self, numbers: Iterable[int]) -> Iterator[LineRow]:
        """Return those lines that are still there: another driver may have ended them, and somebody voided them."""
        for number in numbers:
            with suppress(UnknownRun):
                yield self._store.line(number)

    def _in_process(self, row: LineRow) -> bool:
        going = row.status in _CALLING and row.owner == self._driver
        return going and row.executor is not None and self._registry.load_executor(row.executor).isolation == "thread"
