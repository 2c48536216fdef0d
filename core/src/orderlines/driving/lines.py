"""The lines that a driver has in hand, made of the rows that the store gave it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from orderlines.errors import StoreUnavailable
from orderlines.states import LineStatus

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence

    from orderlines.driving.patience import Patience
    from orderlines.driving.serving import Served
    from orderlines.line import Line
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow


class Lines:
    """The lines of one driver.

    :param runs: those that are served, by their numbers.
    :param find: serves the run of a number, where it may be one that is not served yet.
    :param unserved: told of a run that is served no more, and why.
    :ivar known: all of them, by their numbers.
    :ivar ready: those that can go on.
    :ivar joins: those whose join is to be closed.
    """

    def __init__(
        self, store: Store, driver: int, patiently: Patience, runs: MutableMapping[int, Served],
        find: Callable[[int], object], unserved: Callable[[int, BaseException], object],
    ) -> None:  # fmt: skip
        self.known: dict[int, Line] = {}
        self.ready: deque[Line] = deque()
        self.joins: deque[Line] = deque()
        self._store = store
        self._driver = driver
        self._patiently = patiently
        self._runs = runs
        self._find = find
        self._unserved = unserved

    def take(self, row: LineRow) -> None:
        """Take a line that the store gave us; give it back where its run is not served here."""
        if row.run not in self._runs:
            self._find(row.run)
        run = self._runs.get(row.run)
        if run is None:
            self._patiently(lambda: self._store.release(self._driver, [row.id]))
        else:
            self.adopt(row.run, [row.id], lambda: [run.line(row)])

    def adopt(self, run: int, lines: Sequence[int], make: Callable[[], Sequence[Line]]) -> None:
        """Go on with lines, made of what is kept; where that cannot be read, their run is not served here."""
        try:
            made = self._patiently(make)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 -- what was kept cannot be read; other runs go on
            if set(lines) & set(self._patiently(lambda: self._store.owned(self._driver))):
                self.give_up(run, lines, error)
            return  # Where they are not ours any more, another driver has gone on with them meanwhile.
        for line in made:
            self.known[line.id] = line
            (self.joins if line.status == LineStatus.JOIN else self.ready).append(line)

    def give_up(self, run: int, lines: Sequence[int], error: BaseException) -> None:
        """Serve a run no more, and let go of lines of it; it ends all the same, where somebody wishes it."""
        self._runs.pop(run, None)
        self._patiently(lambda: self._store.release(self._driver, lines))
        self._unserved(run, error)

    def drop(self, line: Line) -> None:
        """Forget a line that is not ours any more; a newer state of it, taken in the meantime, stays."""
        if self.known.get(line.id) is line:
            del self.known[line.id]
