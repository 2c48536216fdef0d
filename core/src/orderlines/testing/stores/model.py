"""A store in memory, as simple as can be: what the real one is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orderlines.states import FINAL, Halt, LineStatus

if TYPE_CHECKING:
    from orderlines.stores.records import LineRow, Step


class Join:
    """A join: the children that are not yet open, and those that are."""

    def __init__(self, names: str, *, strict: bool) -> None:
        self.waiting = list(names)
        self.open: set[int] = set()
        self.strict = strict
        self.closing = False

    def close(self) -> None:
        """Open no more children."""
        self.closing = True
        self.waiting.clear()

    @property
    def done(self) -> bool:
        """Whether every child has finished."""
        return not self.waiting and not self.open


class ModelLine:
    """A line."""

    def __init__(self, run: int, parent: ModelLine | None, owner: int | None, epoch: int) -> None:
        self.run = run
        self.parent = parent
        self.status: str = LineStatus.READY
        self.seq = 0
        self.epoch = epoch
        self.owner = owner
        self.halt = Halt.NONE
        self.join: Join | None = None

    @property
    def final(self) -> bool:
        """Whether it has ended."""
        return self.status in FINAL

    def claimable(self, drivers: set[int]) -> bool:
        """Return whether it can go on and nobody on the books owns it; here nothing waits for a time."""
        if self.final or self.owner in drivers:
            return False
        if self.halt == Halt.STOP:
            return self.status != LineStatus.JOIN or self.join is None or not self.join.closing
        return self.status != LineStatus.JOIN

    def answer(self, step: Step) -> str | None:
        """Return why a step of this line has to be refused, or ``None``."""
        if self.final or (step.epoch, step.seq) != (self.epoch, self.seq):
            return "fenced"
        return "halted" if self.halt > step.halt else None

    def seen(self) -> Seen:
        """Return what a store shows of it; an epoch is compared apart."""
        return Seen(self.run, self.status, self.seq, self.owner, self.halt)


class Seen(NamedTuple):
    """What is compared of a line."""

    run: int
    status: str
    seq: int
    owner: int | None
    halt: int

    @classmethod
    def of(cls, row: LineRow) -> Seen:
        """Return it of a row."""
        return cls(row.run, row.status, row.seq, row.owner, row.halt)
