"""Making the tables in an empty database, and refusing what is not ours or of another version.

A server cannot take back the making of a table. So the table of versions comes first and its one row last: whoever
finds the table without the row goes on where another one has died.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from pymysql.err import MySQLError

from orderlines.errors import StoreUnavailable
from orderlines.stores.upgrading import advice, unfinished
from orderlines_store_mysql.explaining import MISSING_TABLE, number_of
from orderlines_store_mysql.link import Link
from orderlines_store_mysql.literals import put
from orderlines_store_mysql.schema import OURS, SCHEMA_VERSION, TABLES, UPGRADES, VERSIONS, created

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines_store_mysql.address import Address

PATIENCE: Final = 60
"""Seconds to wait for another process that makes the tables, or upgrades them."""
_LOOK: Final = 0.05
"""Seconds between two looks whether it has ended."""
_THERE: Final = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
_VERSION: Final = f"SELECT version FROM {VERSIONS} ORDER BY version DESC LIMIT 1"


def prepare(link: Link, address: Address) -> None:
    """See to it that a database holds our tables; make them where it is empty, once however many come at once.

    :raises StoreUnavailable: it holds another application's tables, or ours in another version.
    """
    version = schema_version(link)
    if version is None:
        version = _made(link, address)
    if version != SCHEMA_VERSION:
        raise StoreUnavailable(f"store {address.shown}: {advice(version, SCHEMA_VERSION, address.shown)}")
    there = tables(link)
    if UPGRADES in there and step_under_way(link):
        raise StoreUnavailable(f"store {address.shown}: {unfinished(version, address.shown)}")
    if not there >= OURS:
        missing = ", ".join(sorted(OURS - there))
        raise StoreUnavailable(
            f"store {address.shown}: tables are missing: {missing}; restore them, or name an empty database"
        )


def may_be_there(address: Address) -> bool:
    """Return whether a database holds our tables; where it cannot be reached, whoever opens it will be told why."""
    try:
        link = Link(address)
        try:
            return schema_version(link) is not None
        finally:
            link.close()
    except (MySQLError, StoreUnavailable, OSError, RuntimeError):
        return True


def schema_version(link: Link) -> int | None:
    """Return the version of the schema; ``None`` where there is none yet."""
    try:
        rows = link.ask(_VERSION)
    except MySQLError as error:
        if number_of(error) == MISSING_TABLE:
            return None
        raise
    return int(rows[0][0]) if rows else None


def tables(link: Link) -> set[str]:
    """Return which tables the database holds."""
    return {name for (name,) in link.ask(_THERE)}


def holds_others(there: set[str]) -> bool:
    """Return whether the tables of a database without a version of the schema are another application's."""
    return bool(there) and (VERSIONS not in there or bool(there - OURS - {VERSIONS}))


def step_under_way(link: Link) -> bool:
    """Return whether a step of an upgrade has begun and not ended."""
    try:
        return bool(link.ask(f"SELECT version FROM {UPGRADES}"))
    except MySQLError as error:
        if number_of(error) == MISSING_TABLE:
            return False
        raise


@contextmanager
def alone(link: Link, address: Address, doing: str) -> Iterator[None]:
    """Do something while nobody else does anything that needs this too.

    :param doing: what others say of it who wait in vain.
    :raises StoreUnavailable: somebody has been at it for too long.
    """
    # The name of a lock is one for the whole server, and short.
    lock = f"orderlines:{sha256(address.database.encode()).hexdigest()[:40]}"
    ask, deadline = put("SELECT GET_LOCK(%s, 0)", lock), time.monotonic() + PATIENCE
    # Asked again and again: an answer may take no longer than the URL says, and the wait does.
    while link.ask(ask) != ((1,),):
        if time.monotonic() > deadline:
            raise StoreUnavailable(f"store {address.shown}: another process has been {doing} for too long; wait for it")
        time.sleep(_LOOK)
    try:
        yield
    finally:
        if not link.busy:
            link.ask(put("SELECT RELEASE_LOCK(%s)", lock))


def _made(link: Link, address: Address) -> int:
    """Make the tables while nobody else does, and return their version."""
    with alone(link, address, "making its tables"):
        version = schema_version(link)
        if version is None:
            _make(link, address)
            version = SCHEMA_VERSION
        return version


def _make(link: Link, address: Address) -> None:
    if holds_others(tables(link)):
        raise StoreUnavailable(
            f"store {address.shown}: database {address.database!r} holds other tables; name one of its own"
        )
    versions = f"{VERSIONS} (version INT NOT NULL PRIMARY KEY, created DATETIME NOT NULL)"
    for table in (versions, *TABLES):
        link.send(created(table, maria=link.maria))
    link.send(put(f"INSERT INTO {VERSIONS} VALUES (%s, NOW())", SCHEMA_VERSION))
