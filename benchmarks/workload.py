"""What a workload is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from benchmarks.measure import Side


class Unit(NamedTuple):
    """What figures are shown in.

    :ivar factor: from seconds or bytes to it.
    """

    name: str
    factor: float


MICROSECONDS = Unit("us", 1e6)
MILLISECONDS = Unit("ms", 1e3)
SECONDS = Unit("s", 1.0)
MEGABYTES = Unit("MB", 1e-6)

NORMAL = "SQLite, WAL, synchronous=NORMAL"
FULL = "SQLite, WAL, synchronous=FULL"
NORMAL_ALONE = f"{NORMAL} (the floor keeps nothing)"
NOTHING = "nothing"


class Setting(NamedTuple):
    """Where and how large a workload is run.

    :ivar folder: an empty folder for its files.
    :ivar scale: what every count is multiplied with; 1 for the figures to quote.
    :ivar fan_out: the node type that fans out, ``parallel`` or ``foreach``.
    """

    folder: Path
    scale: float
    fan_out: str

    def count(self, number: int) -> int:
        """Return a count at this scale, at least 2."""
        return max(2, round(number * self.scale))

    def store(self, synchronous: str = "normal") -> str:
        """Return the URL of the store of orderlines."""
        return f"sqlite:///{self.folder}/orderlines.db?synchronous={synchronous}"

    @property
    def by_hand(self) -> Path:
        """The SQLite file of the floor."""
        return self.folder / "by-hand.db"


class Workload(NamedTuple):
    """A workload.

    :ivar title: what is done, and what one figure is.
    :ivar persisted: what every side has kept when it is done, unless the title says otherwise.
    :ivar floor: what the first side but orderlines does; ratios are to it.
    :ivar sides: opens the sides in a setting and closes what they need.
    """

    name: str
    title: str
    unit: Unit
    persisted: str
    floor: str
    sides: Callable[[Setting], AbstractContextManager[list[Side]]]
