"""Runs that a driver cannot serve, and why: they are kept, and end all the same where somebody wishes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.unplanned import Unplanned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orderlines.driving.patience import Patience
    from orderlines.leases import Leases
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

LOOK = 1.0
"""Seconds between two looks at whether such a run is to end."""


class Unserved:
    """The runs that one driver was given and cannot serve.

    :param queues: as :class:`orderlines.unplanned.Unplanned` takes them.
    :param tell: called with the number of one that has ended.
    :ivar failures: why, by the run's number.
    """

    def __init__(
        self, store: Store, registry: Registry, driver: int, patiently: Patience, leases: Leases,
        queues: Sequence[str] | None, tell: Callable[[int], None],
    ) -> None:  # fmt: skip
        self.failures: dict[int, BaseException] = {}
        self._store = store
        self._driver = driver
        self._patiently = patiently
        self._leases = leases
        self._tell = tell
        self._unplanned = Unplanned(store, registry, driver, queues)
        self._next = 0.0
        self._untold: set[int] = set()

    def note(self, run: int, error: BaseException) -> None:
        """Take note of why a run cannot be driven on; a look tells so, once what is to end here has."""
        self.failures[run] = error
        self._untold.add(run)
        self._next = 0.0

    def look(self, now: float) -> None:
        """End those that are to end, now and then, and forget those that have ended elsewhere."""
        if not self.failures or now < self._next:
            return
        self._next = now + LOOK
        for number in list(self.failures):
            row = self._store.run(number)
            if row is None:  # It has ended elsewhere, and was pruned.
                self.failures.pop(number)
            if row is None or self.end(row) or (number in self._untold and not self._unplanned.ends(row)):
                self._untold.discard(number)
                self._tell(number)
        if self._untold:
            self._next = now  # Lines of theirs are in hand, and stop.

    def end(self, row: RunRow) -> bool:
        """End a run where somebody wishes it; return whether it is over."""
        if row.wish is not None:
            self._patiently(lambda: self._leases.bury(self._driver))
        over = self._patiently(lambda: self._unplanned.end(row))
        if over:
            self.failures.pop(row.id, None)
        return over
