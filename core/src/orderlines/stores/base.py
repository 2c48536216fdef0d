"""The contract of stores: where runs are kept, and what makes a step atomic."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from orderlines.processes.identity import ProcessIdentity
    from orderlines.stores.records import (
        ChildRow,
        Committed,
        DriverRow,
        KeptTask,
        LineRow,
        NewRun,
        RunRow,
        Step,
    )


class Store(ABC):
    """Keeps flows, runs, lines, joins, tasks and the leases of drivers.

    An implementation *must* apply each step whole or not at all; *must* check epoch, seq and wish of the step's line in
    the same transaction; *must* use its own clock for every time that it compares; *must* be usable from several
    threads and processes at once; *must* raise :class:`orderlines.errors.StoreUnavailable`, and nothing of its
    driver's, when it cannot be reached.

    It *must never* overwrite a final status, count a finished child twice, or hold a transaction open between calls.
    """

    scheme: ClassVar[str]
    url: str

    @abstractmethod
    def close(self) -> None:
        """Let go of every connection; the store cannot be used afterwards."""

    @abstractmethod
    def now(self) -> float:
        """Return the store's clock, in seconds since the epoch."""

    @abstractmethod
    def version(self) -> int:
        """Return a number that differs from the last one when another connection may have written since."""

    # Drivers and their leases

    @abstractmethod
    def enroll(self, identity: ProcessIdentity) -> int:
        """Give a driver its id and its first lease."""

    @abstractmethod
    def renew(self, driver: int) -> bool:
        """Renew a lease; ``False`` when the driver is no longer on the books and must end its calls."""

    @abstractmethod
    def dismiss(self, drivers: Collection[int]) -> None:
        """Strike drivers off the books and let go of every line of theirs."""

    @abstractmethod
    def drivers(self) -> list[DriverRow]:
        """Return every driver on the books."""

    # Runs

    @abstractmethod
    def accept(self, run: NewRun) -> RunRow:
        """Keep a new run with its flow and its root line, or return the run that has the same flow and key.

        :raises Refused: the key was used with another digest or other variables.
        """

    @abstractmethod
    def wish(self, run: int, wish: str) -> RunRow:
        """Write ``stop`` or ``timeout`` on a run and all its lines unless it is final; return it as it then is."""

    @abstractmethod
    def expire(self, runs: Collection[int] | None) -> list[int]:
        """Write ``timeout`` on the runs whose deadline has passed; return their ids."""

    # Lines

    @abstractmethod
    def claim(self, driver: int, runs: Collection[int] | None, limit: int) -> list[LineRow]:
        """Take up to ``limit`` lines that can go on and that nobody owns, with a new epoch.

        Those are lines that are ready or joined, that have an attempt in flight without an owner, whose time has come,
        or that are to stop.
        """

    @abstractmethod
    def commit(self, driver: int, steps: Sequence[Step]) -> list[Committed]:
        """Apply each step atomically, all in one transaction where that is possible; say what became of each."""

    @abstractmethod
    def release(self, driver: int, lines: Collection[int]) -> None:
        """Let go of lines that have nothing in flight, or whose calls were never begun."""

    @abstractmethod
    def halted(self, driver: int) -> list[tuple[int, int]]:
        """Return ``(line, wish)`` of the driver's lines on which a wish stands."""

    @abstractmethod
    def next_due(self, runs: Collection[int] | None) -> float | None:
        """Return the earliest ``due`` of a waiting line or deadline of a run, by the store's clock."""

    # What a line needs to go on

    @abstractmethod
    def line(self, line: int) -> LineRow:
        """Return a line as it is."""

    @abstractmethod
    def assigned(self, line: int, after: int) -> list[str]:
        """Return what the tasks of a line assigned after its first ``after`` tasks, in order, as JSON texts."""

    @abstractmethod
    def visits(self, line: int) -> dict[str, int]:
        """Return how often each node of a line has been visited to its end."""

    @abstractmethod
    def children(self, line: int, node: str, visit: int) -> list[ChildRow]:
        """Return the children of a join, in order."""

    @abstractmethod
    def outcomes(self, run: int, nodes: Collection[str]) -> list[KeptTask]:
        """Return the finished tasks of some nodes of a run, oldest first on each line."""

    # Reading

    @abstractmethod
    def run(self, name: str | int) -> RunRow | None:
        """Return a run by its name, or by its number in the store."""

    @abstractmethod
    def runs(self, limit: int, *, unfinished: bool = False) -> list[RunRow]:
        """Return runs, newest first."""

    @abstractmethod
    def flow(self, digest: str) -> str:
        """Return the canonical JSON of a flow."""

    @abstractmethod
    def lines(self, run: int) -> list[LineRow]:
        """Return the lines of a run, parents first."""

    @abstractmethod
    def tasks(self, run: int) -> Iterator[KeptTask]:
        """Return the finished tasks of a run, in the order in which they began."""
