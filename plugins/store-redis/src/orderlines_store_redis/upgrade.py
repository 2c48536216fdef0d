"""Upgrading the keys of a store: a step is begun and ended by a script each, and may be done again in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.errors import UsageError
from orderlines.stores.upgrading import SchemaState, Upgrade, Upgraded, refuse_others
from orderlines_store_redis.address import Address
from orderlines_store_redis.connection import Connections
from orderlines_store_redis.finding import drivers
from orderlines_store_redis.upgrades import STEPS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from orderlines.stores.records import DriverRow, Finding
    from orderlines_store_redis.connection import Held
    from orderlines_store_redis.upgrades import Step


class _AnyLayout(Connections):
    """Connections to keys of whatever layout."""

    def check_layout(self, held: Held) -> None:
        """Do nothing."""


class RedisUpgrade(Upgrade):
    """Upgrades the keys of a store on Redis.

    :param steps: those that are known, in order.
    """

    def __init__(self, url: str, steps: Sequence[Step] = STEPS) -> None:
        self._connections = _AnyLayout(Address(url))
        self._steps = steps
        self.shown = self._connections.address.shown
        self.needed = steps[-1].version

    def close(self) -> None:
        self._connections.close()

    def examine(self) -> Iterator[Finding]:
        from orderlines_store_redis.examining import rights, server  # noqa: PLC0415 -- only a doctor needs it

        yield from rights(self._connections)
        yield from server(self._connections)

    def state(self) -> SchemaState:
        name = self._connections.key("layout")
        (kind,) = self._connections.ask((b"TYPE", name))
        if kind == b"none":
            return SchemaState(None)
        if kind != b"string":
            raise self._foreign()
        version, upgrading = self._connections.ask((b"GET", name), (b"GET", self._connections.key("upgrading")))
        if not version.isdigit():
            raise self._foreign()
        return SchemaState(int(version), unfinished=upgrading is not None)

    def _foreign(self) -> UsageError:
        prefix = self._connections.address.prefix
        return UsageError(
            f"store {self.shown}: keys of another application begin with {prefix}, and are left as they are; name the"
            " ?prefix= of a store"
        )

    def steps(self) -> list[int]:
        return [step.version for step in self._steps]

    def drivers(self) -> list[DriverRow]:
        return drivers(self._connections)

    def run(self, dead: Collection[int], *, backup: bool = True) -> Upgraded:
        # An ACL that does not let us do that is better noticed before anything has begun.
        self._connections.ask((b"SCAN", b"0", b"COUNT", b"1"))
        return Upgraded([step.version for step in self._steps if self._take(step, dead)])

    def _take(self, step: Step, dead: Collection[int]) -> bool:
        """Do a step, unless it has been done; return whether it was to be done."""
        to = str(step.version)
        what, *others = self._connections.run("upgrade", to, *map(str, dead))
        if what == b"driven":
            refuse_others(self.shown, map(int, others), dead)
        if what == b"over":
            return False
        step.act(self._connections)
        self._connections.run("upgraded", to)
        return True
