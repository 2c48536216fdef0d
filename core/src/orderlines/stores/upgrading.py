"""The contract of upgrades: how a store that an older orderlines has made becomes one of this version."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines.errors import Refused
from orderlines.processes.identity import ProcessIdentity
from orderlines.stores.records import LEASE, DriverRow
from orderlines.stores.showing import shown_option

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from orderlines.stores.records import Finding


class SchemaState(NamedTuple):
    """How the schema of a store is.

    :ivar version: its number; ``None`` where there is no store. While a step is under way, that to which it leads.
    :ivar unfinished: whether a step is under way, or its process has died.
    """

    version: int | None
    unfinished: bool = False


class Upgraded(NamedTuple):
    """What was done: the versions that steps led to, and where the store is kept as it was before them."""

    steps: list[int]
    backup: str | None = None


class Upgrade(ABC):
    """Upgrades the schema of one store by a sequence of numbered steps, each from one version to the next.

    The books of drivers keep their columns in every version, and further ones come behind these; what tells the
    version stays as it is.

    An implementation *must* go on where it was when its process died, at whatever moment that was; *must* see to it
    that nobody of another version can open a store that is half upgraded; *must* check, in the transaction that begins
    a step, that no driver is on the books but those that it was told are dead; *must* raise
    :class:`orderlines.errors.StoreUnavailable`, and nothing of its driver's, when the store cannot be reached, and
    :class:`orderlines.errors.UsageError` when what is there is no store of ours.

    It *must never* make a store where there is none, change one of another application, or do twice what
    may be done once only.

    :ivar shown: the store's URL as messages show it: without passwords.
    :ivar needed: the version to which the last step leads: that of this orderlines.
    """

    shown: str
    needed: int

    @abstractmethod
    def close(self) -> None:
        """Let go of the store."""

    @abstractmethod
    def state(self) -> SchemaState:
        """Return how the schema is now.

        :raises UsageError: what is there is another application's, or no store.
        """

    def examine(self) -> Iterable[Finding]:
        """Yield how the server, or the file, is: what a doctor sees of it without making or changing anything.

        The findings' names begin with ``store``.
        """
        return ()

    @abstractmethod
    def steps(self) -> list[int]:
        """Return the versions that the known steps lead to, in order."""

    @abstractmethod
    def drivers(self) -> list[DriverRow]:
        """Return the drivers on the books."""

    @abstractmethod
    def run(self, dead: Collection[int], *, backup: bool = True) -> Upgraded:
        """Do every step that is to be done, or wait for who is doing them.

        :param dead: drivers on the books that are known to be dead.
        :param backup: whether to keep a copy of the store before, where no server has its own means for that.
        :raises Refused: another driver is on the books.
        """


def driver_row(number: int, columns: Sequence[Any]) -> DriverRow:
    """Return a driver as the books of any version have it.

    :param columns: its identity, its beats and, from version 2 on, its lease.
    """
    lease = columns[6] if len(columns) > 6 else LEASE  # noqa: PLR2004 -- the columns of version 1
    return DriverRow(number, ProcessIdentity(*columns[:5]), columns[5], lease)


def refuse_others(shown: str, drivers: Iterable[int], dead: Collection[int]) -> None:
    """Refuse to begin a step while drivers are on the books that are not known to be dead.

    :raises Refused: there are such.
    """
    others = sorted(set(drivers).difference(dead))
    if others:
        names = ", ".join(map(str, others))
        raise Refused(f"store {shown}: drivers work on it, with the numbers {names}; end them, and try again")


def advice(version: int, needed: int, shown: str) -> str:
    """Say what is to be done about a store of another version."""
    what = "a newer orderlines made it: upgrade orderlines" if version > needed else f"run: {command(shown)}"
    return f"schema version {version}, this orderlines needs {needed}; {what}"


def unfinished(version: int, shown: str) -> str:
    """Say that an upgrade has to go on."""
    return f"its upgrade to schema version {version} is under way, or has died on it; go on with: {command(shown)}"


def command(shown: str) -> str:
    """Return what is typed to upgrade a store."""
    return f"orderlines migrate {shown_option(shown)}"
