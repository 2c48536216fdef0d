"""Lines of runs that are to stop, for queues whose workers do not come: to stop them takes none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.states import FINAL

if TYPE_CHECKING:
    from orderlines.driving.patience import Patience
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow

LOOK: Final = 1.0
"""Seconds between two looks at whether a run with lines at workers is to stop."""
PATIENCE: Final = 2.0
"""Seconds that workers get to stop their lines by themselves."""
RUNS: Final = 100
"""Runs that one look asks for."""
LINES: Final = 256
"""Lines that are taken at once, at most."""


class Stranded:
    """The runs of one driver that have lines at workers: where they are to stop, it takes what is left there, too."""

    def __init__(self, store: Store, driver: int, patiently: Patience) -> None:
        self._store = store
        self._driver = driver
        self._patiently = patiently
        self._since: dict[int, float | None] = {}
        self._next = 0.0

    def note(self, run: int) -> None:
        """Take note of a run that has lines at workers."""
        self._since.setdefault(run, None)

    def look(self, now: float) -> list[LineRow]:
        """Return lines that were to stop, and that nobody has taken for that; they are the driver's.

        :raises StoreUnavailable: the store cannot be reached.
        """
        if not self._since or now < self._next:
            return []
        taken: list[LineRow] = []
        for run in list(self._since)[:RUNS]:
            row = self._store.run(run)
            since = self._since.pop(run)
            if row is None or row.status in FINAL:
                continue
            if row.wish != "stop":
                since = None
            elif since is None:
                since = now
            elif now - since >= PATIENCE:
                taken += self._take(run)
            self._since[run] = since  # Behind those that were not asked for.
        # What waits for these lines goes on with them.
        self._next = now if taken else now + LOOK
        return taken

    def _take(self, run: int) -> list[LineRow]:
        going = (line for line in self._store.lines(run) if line.status not in FINAL)
        queues = sorted({line.queue for line in going if line.queue is not None})
        if not queues:
            return []
        return self._patiently(lambda: self._store.claim(self._driver, [run], LINES, queues))
