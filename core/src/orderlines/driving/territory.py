"""Which lines a driver takes: those of the runs that it was given, or those of some queues."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from orderlines.processes.identity import alive
from orderlines.states import GOES_ON

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow


PATIENCE: Final = 0.5
"""Seconds for which lines are left to other drivers; these look ten times as often."""


class Territory(ABC):
    """The part of a store that one driver works in.

    :ivar batch: how many lines it takes at once, at the most.
    :ivar queues: those that its lines are for; ``None``: they are for no queue.
    :ivar away: whether a call keeps the driver's own thread, so that others like it have to wait for that.
    :ivar joined: runs that another driver may have begun. Where one lives, nothing of them is taken meanwhile but what
        nobody else takes.
    :ivar withheld: whether that has kept the last claim from lines that there may be: soon another one is due.
    """

    batch: int
    queues: Sequence[str] | None = None

    def __init__(self) -> None:
        self.away = False
        self.joined: set[int] = set()
        self.withheld = False

    @abstractmethod
    def settled(self, runs: Collection[int]) -> bool:
        """Return whether there is nothing to look for, with these runs being served."""

    @abstractmethod
    def expire(self, store: Store, runs: Collection[int]) -> None:
        """Write ``timeout`` on the runs whose deadline has passed."""

    @abstractmethod
    def claim(self, store: Store, driver: int, runs: Collection[int], failed: Collection[int]) -> list[LineRow]:
        """Take lines that can go on.

        :param failed: runs that cannot be served here.
        """

    @abstractmethod
    def next_due(self, store: Store, runs: Collection[int]) -> float | None:
        """Return when the next line or deadline comes due, by the store's clock."""

    @abstractmethod
    def admits(self) -> bool:
        """Return whether a line may be of a run that is not served yet, and is served from then on."""


class GivenRuns(Territory):
    """The runs that the driver was given; their lines that are for a queue are left to workers."""

    batch = 256

    def __init__(self) -> None:
        super().__init__()
        self._leaving = Leaving()

    def settled(self, runs: Collection[int]) -> bool:
        """Return whether no run is served."""
        return not runs

    def expire(self, store: Store, runs: Collection[int]) -> None:
        """Do so for the runs that are served."""
        store.expire(runs)

    def claim(self, store: Store, driver: int, runs: Collection[int], failed: Collection[int]) -> list[LineRow]:
        """Take lines of the runs that are served."""
        self.withheld = self.away and not self.joined.isdisjoint(runs) and _others_live(store, driver)
        if self.withheld:
            shared = self.joined.intersection(runs)
            left = self._leaving.left(store, shared)
            runs = [run for run in runs if run not in shared or run in left]
        return store.claim(driver, runs, self.batch) if runs else []

    def next_due(self, store: Store, runs: Collection[int]) -> float | None:
        """Look at the runs that are served."""
        return store.next_due(runs)

    def admits(self) -> bool:
        """Return ``False``: a line of another run is given back."""
        return False


class Leaving:
    """Finds the runs of which nobody takes the lines that can go on."""

    def __init__(self) -> None:
        self._seen: frozenset[tuple[int, int]] = frozenset()
        self._next = 0.0

    def left(self, store: Store, runs: Collection[int]) -> set[int]:
        """Return those of which a line could go on :data:`PATIENCE` ago and still can; found again and again."""
        moment = time.monotonic()
        if moment < self._next:
            return set()
        self._next = moment + PATIENCE
        now = store.now()
        able = {(line.id, line.epoch): run for run in runs for line in store.lines(run) if _can_go_on(line, now)}
        left = {run for line, run in able.items() if line in self._seen}
        self._seen = frozenset(able)
        return left


def _can_go_on(line: LineRow, now: float) -> bool:
    due = line.due is not None and line.due <= now
    return line.owner is None and line.queue is None and (due or line.status in GOES_ON)


def _others_live(store: Store, driver: int) -> bool:
    return any(other.id != driver and alive(other.identity) for other in store.drivers())


class Queues(Territory):
    """Lines of some queues, whatever run they are of.

    :param names: the most urgent first.
    :param batch: few, since others may be idle.
    :ivar open: whether more is taken.
    """

    def __init__(self, names: Sequence[str], batch: int = 16) -> None:
        super().__init__()
        self.queues = self.names = tuple(names)
        self.batch = batch
        self.open = True

    def settled(self, runs: Collection[int]) -> bool:
        """Return ``False``: there may always be more."""
        return False

    def expire(self, store: Store, runs: Collection[int]) -> None:
        """Do so for every run: nobody else may be there who does."""
        store.expire(None)

    def claim(self, store: Store, driver: int, runs: Collection[int], failed: Collection[int]) -> list[LineRow]:
        """Take lines of the queues."""
        if not self.open or not self.batch:
            return []
        return store.claim(driver, None, self.batch, self.names, failed)

    def next_due(self, store: Store, runs: Collection[int]) -> float | None:
        """Look at the queues."""
        return store.next_due(None, self.names)

    def admits(self) -> bool:
        """Return ``True``."""
        return True
