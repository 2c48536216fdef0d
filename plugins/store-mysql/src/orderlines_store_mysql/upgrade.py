"""Upgrading a database, one process at a time: what is done is recorded, so that another one can go on.

The version that a step leads to is written at its beginning, which keeps everybody else out: to an older orderlines the
store is one of a newer one, and this one sees in the table ``ol_upgrades`` that the step has not ended.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from pymysql.err import MySQLError

from orderlines.errors import StoreUnavailable, UsageError
from orderlines.stores.upgrading import SchemaState, Upgrade, Upgraded, driver_row, refuse_others
from orderlines_store_mysql.address import Address
from orderlines_store_mysql.creating import alone, holds_others, schema_version, step_under_way, tables
from orderlines_store_mysql.explaining import MISSING_COLUMN, explain, number_of
from orderlines_store_mysql.link import Link
from orderlines_store_mysql.literals import put
from orderlines_store_mysql.schema import KNOWN_BY, UPGRADES, VERSIONS, created
from orderlines_store_mysql.transaction import Transaction
from orderlines_store_mysql.upgrades import STEPS, Change

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from orderlines.stores.records import DriverRow, Finding
    from orderlines_store_mysql.upgrades import Definition, Step

PATIENCE: Final = 3600.0
"""Seconds in which the server must answer: to change a large table takes long."""
_POLITE: Final = "SET SESSION lock_wait_timeout = 60"
"""Seconds to wait for others' transactions before a table is changed: whoever comes after us waits with us."""
_DRIVERS: Final = "SELECT * FROM ol_drivers ORDER BY id"
_DONE: Final = f"SELECT done FROM {UPGRADES} WHERE version = %s"
_Result = TypeVar("_Result")


class MySQLUpgrade(Upgrade):
    """Upgrades a database of MySQL or MariaDB.

    :param steps: those that are known, in order.
    """

    def __init__(self, url: str, steps: Sequence[Step] = STEPS) -> None:
        self._address = Address(url)
        self._address.options = self._address.options._replace(read_timeout=PATIENCE)
        self._steps = steps
        self.shown = self._address.shown
        self.needed = steps[-1].version

    def close(self) -> None:
        pass

    def state(self) -> SchemaState:
        return self._asking(self._state)

    def examine(self) -> list[Finding]:
        from orderlines_store_mysql.examining import server  # noqa: PLC0415 -- only a doctor needs it

        return self._asking(lambda link: list(server(link)))

    def _state(self, link: Link) -> SchemaState:
        there = tables(link)
        try:
            found = _state(link)
        except (MySQLError, ValueError) as error:
            if isinstance(error, MySQLError) and number_of(error) != MISSING_COLUMN:
                raise
            raise self._foreign() from error
        if holds_others(there) if found.version is None else not there >= KNOWN_BY:
            raise self._foreign()
        return found

    def _foreign(self) -> UsageError:
        return UsageError(
            f"store {self.shown}: database {self._address.database!r} holds other tables, and is left as it is; name"
            " the database of a store"
        )

    def steps(self) -> list[int]:
        return [step.version for step in self._steps]

    def drivers(self) -> list[DriverRow]:
        return self._asking(_drivers)

    def run(self, dead: Collection[int], *, backup: bool = True) -> Upgraded:
        return self._asking(lambda link: Upgraded(self._run(link, dead)))

    def _asking(self, work: Callable[[Link], _Result]) -> _Result:
        with self._linked() as link:
            return work(link)

    @contextmanager
    def _linked(self) -> Iterator[Link]:
        try:
            link = Link(self._address)
            try:
                yield link
            finally:
                link.close()
        except MySQLError as error:
            raise explain(error, self._address) from error
        except (OSError, RuntimeError) as error:
            raise StoreUnavailable(f"store {self.shown}: cannot log in: {error}") from error

    def _run(self, link: Link, dead: Collection[int]) -> list[int]:
        done = []
        link.send(_POLITE)
        with alone(link, self._address, "upgrading it"):
            link.send(created(f"{UPGRADES} (version INT NOT NULL PRIMARY KEY, done INT NOT NULL)", maria=link.maria))
            for step in self._steps:
                found = _state(link)
                if step.version > (found.version or 0):
                    self._begin(link, step.version, dead)
                elif not (found.unfinished and step.version == found.version):
                    continue
                self._take(link, step)
                done.append(step.version)
            link.send(f"DROP TABLE {UPGRADES}")
        return done

    def _begin(self, link: Link, version: int, dead: Collection[int]) -> None:
        """Shut everybody out; a driver that comes at the same moment is on the books before, or is refused after."""
        transaction = Transaction(link)
        try:
            transaction.ask(f"SELECT version FROM {VERSIONS} FOR UPDATE")
            refuse_others(self.shown, (driver.id for driver in _drivers(link)), dead)
            transaction.commit(
                put(f"INSERT INTO {UPGRADES} VALUES (%s, 0)", version),
                put(f"INSERT INTO {VERSIONS} VALUES (%s, NOW())", version),
            )
        except BaseException:
            if not link.busy:
                transaction.undo()
            raise

    def _take(self, link: Link, step: Step) -> None:
        ((done,),) = link.ask(put(_DONE, step.version))
        for place, part in enumerate(step.parts[done:], done + 1):
            _do(link, part, put(f"UPDATE {UPGRADES} SET done = %s WHERE version = %s", place, step.version))
        link.send(put(f"DELETE FROM {UPGRADES} WHERE version = %s", step.version))


def _do(link: Link, part: Change | Definition, record: str) -> None:
    if isinstance(part, Change):
        transaction = Transaction(link)
        transaction.ask(part.statement)
        transaction.commit(record)
        return
    if not link.ask(part.done):
        link.send(part.statement)
    link.send(record)


def _state(link: Link) -> SchemaState:
    version = schema_version(link)
    return SchemaState(version, unfinished=version is not None and step_under_way(link))


def _drivers(link: Link) -> list[DriverRow]:
    return [driver_row(row[0], row[1:]) for row in link.ask(_DRIVERS)]
