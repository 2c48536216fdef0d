"""Upgrading a store that nobody works on: who is on its books must be dead, or they would go on in the old way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from orderlines.errors import Refused, UsageError
from orderlines.processes.identity import alive, visible
from orderlines.stores.upgrading import advice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orderlines.stores.base import Store
    from orderlines.stores.records import DriverRow
    from orderlines.stores.upgrading import SchemaState, Upgrade

_LOOK: Final = 0.5
"""Seconds between two looks at the leases of drivers of which nothing else is known."""


class Migrated(NamedTuple):
    """What was done, or is to be.

    :ivar found: the version of the schema before.
    :ivar needed: that of this orderlines.
    :ivar steps: the versions that steps led to.
    :ivar backup: where the store is kept as it was.
    """

    found: int
    needed: int
    steps: list[int]
    backup: str | None = None


def plan(upgrade: Upgrade) -> Migrated:
    """Return which steps are to be done; none where the store is as it has to be.

    :raises UsageError: there is no store, or one to which no step leads from there.
    """
    state = upgrade.state()
    if state.version is None:
        raise UsageError(f"there is no store at {upgrade.shown}; the first `orderlines run` makes it as it has to be")
    known = upgrade.steps()
    if not known[0] - 1 <= state.version <= upgrade.needed:
        raise UsageError(f"store {upgrade.shown}: {_no_way(state.version, known, upgrade)}")
    first = _first(state)
    return Migrated(first - 1, upgrade.needed, [version for version in known if version >= first])


def _first(state: SchemaState) -> int:
    version = state.version or 0
    return version if state.unfinished else version + 1


def _no_way(version: int, known: list[int], upgrade: Upgrade) -> str:
    if version > upgrade.needed:
        return advice(version, upgrade.needed, upgrade.shown)
    return (
        f"schema version {version}, and this orderlines upgrades from version {known[0] - 1} on; upgrade with an older"
        " orderlines first"
    )


def migrate(
    upgrade: Upgrade, open_store: Callable[[], Store], told: Callable[[str], None], *, backup: bool = True
) -> Migrated:
    """Do the steps that are to be done, and strike the drivers off the books that have died.

    :param open_store: opens the store, once it is upgraded.
    :param told: is told what takes its time.
    :raises UsageError: as :func:`plan`.
    :raises Refused: drivers live on the store.
    """
    planned = plan(upgrade)
    if not planned.steps:
        return planned
    dead = _dead(upgrade, told)
    done = upgrade.run(dead, backup=backup)
    if dead:
        store = open_store()
        try:
            store.dismiss(dead)
        finally:
            store.close()
    return planned._replace(steps=done.steps, backup=done.backup)


def _dead(upgrade: Upgrade, told: Callable[[str], None]) -> list[int]:
    """Return the drivers on the books, all of which are dead; those elsewhere when their lease has stood still.

    :raises Refused: one lives.
    """
    before = {driver.id: driver for driver in upgrade.drivers()}
    _refuse(upgrade, (row for row in before.values() if visible(row.identity) and alive(row.identity)))
    elsewhere = [row for row in before.values() if not visible(row.identity)]
    lease = max((row.lease for row in elsewhere), default=0.0)
    if elsewhere:
        told(f"waiting {lease:g} s to see whether these have died, which cannot be seen from here: {_names(elsewhere)}")
    deadline = time.monotonic() + lease
    while elsewhere and time.monotonic() < deadline:
        time.sleep(_LOOK)
        now = {driver.id: driver for driver in upgrade.drivers()}
        _refuse(upgrade, (row for row in now.values() if row != before.get(row.id)))
        elsewhere = [row for row in elsewhere if row.id in now]
    return sorted(before)


def _refuse(upgrade: Upgrade, living: Iterable[DriverRow]) -> None:
    rows = list(living)
    if rows:
        raise Refused(
            f"store {upgrade.shown}: drivers work on it, and would go on in the old way: {_names(rows)}; end them"
            " (their runs can be recovered), with the workers and schedulers that would begin others, and try again"
        )


def _names(rows: Iterable[DriverRow]) -> str:
    return ", ".join(f"process {row.identity.pid} on {row.identity.host}" for row in rows)
