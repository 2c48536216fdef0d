"""Upgrading an SQLite file, while nobody else has it open: each step is one transaction, its version included."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from random import random
from typing import TYPE_CHECKING, Final

from orderlines.errors import Refused, StoreUnavailable, UsageError
from orderlines.stores.sqlite.connection import Address, Connections, is_busy
from orderlines.stores.sqlite.schema import STORE, VALUES
from orderlines.stores.sqlite.upgrades import STEPS
from orderlines.stores.upgrading import SchemaState, Upgrade, Upgraded, driver_row, refuse_others

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from orderlines.errors import OrderlinesError
    from orderlines.stores.records import DriverRow, Finding
    from orderlines.stores.sqlite.upgrades import Step

PATIENCE: Final = 5.0
"""Seconds to wait until nobody else has the file open."""
_DRIVERS: Final = "SELECT * FROM drivers ORDER BY id"


class SQLiteUpgrade(Upgrade):
    """Upgrades an SQLite file: that of a store, or one that holds large values alone.

    :param steps: those that are known, in order.
    """

    def __init__(self, url: str, steps: Sequence[Step] = STEPS) -> None:
        self._address = Address(url)
        self._steps = steps
        self._explain = Connections(self._address).explain
        self.shown = url
        self.needed = steps[-1].version

    def close(self) -> None:
        pass

    def state(self) -> SchemaState:
        with self._reading() as db:
            return SchemaState(_version(db) if self._tables(db) else None)

    def examine(self) -> list[Finding]:
        from orderlines.stores.sqlite.examining import file  # noqa: PLC0415 -- only a doctor needs it

        with self._reading() as db:  # An empty file becomes as it is to be when it is opened.
            return list(file(db, self._address.path)) if self._tables(db) else []

    def steps(self) -> list[int]:
        return [step.version for step in self._steps]

    def drivers(self) -> list[DriverRow]:
        with self._reading() as db:
            return _drivers(db) if _holds_runs(self._tables(db)) else []

    def run(self, dead: Collection[int], *, backup: bool = True) -> Upgraded:
        with self._alone() as db:
            version = _version(db)
            todo = [step for step in self._steps if step.version > version]
            copy = self._back_up(db, version) if todo and backup else None
            for step in todo:
                self._take(db, step, dead)
        return Upgraded([step.version for step in todo], copy)

    def _back_up(self, db: sqlite3.Connection, version: int) -> str:
        """Copy the file beside itself, and return the copy's name; it has it once it is whole."""
        path = self._address.path
        name = f"{path}.v{version}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.bak"
        half = f"{path}.bak.partial"
        with suppress(FileNotFoundError):
            os.unlink(half)  # noqa: PTH108 -- of one that was killed; pathlib takes 6 ms to import
        with closing(sqlite3.connect(half)) as copy:
            os.chmod(half, os.stat(path).st_mode & 0o777)  # noqa: PTH101, PTH116 -- as above
            db.backup(copy)
        _flush(half)
        os.replace(half, name)  # noqa: PTH105 -- as above
        _flush(os.path.dirname(name) or ".")  # noqa: PTH120 -- as above
        return name

    def _take(self, db: sqlite3.Connection, step: Step, dead: Collection[int]) -> None:
        """Do a step, whole or not at all."""
        db.execute("BEGIN EXCLUSIVE")
        if _holds_runs(self._tables(db)):
            refuse_others(self.shown, (driver.id for driver in _drivers(db)), dead)
            for statement in step.runs:
                db.execute(statement)
        for statement in step.values:
            db.execute(statement)
        db.execute(f"PRAGMA user_version={step.version}")
        db.execute("COMMIT")

    def _tables(self, db: sqlite3.Connection) -> set[str]:
        """Return which tables there are.

        :raises UsageError: they are another application's.
        """
        there = db.execute("SELECT name, type FROM sqlite_master").fetchall()
        tables = {name for name, kind in there if kind == "table"}
        if there and (_version(db) == 0 or not (_holds_runs(tables) or tables >= VALUES.known_by)):
            raise UsageError(
                f"store {self.shown}: {self._address.path} holds other tables, and is left as it is; name the file of a"
                " store"
            )
        return tables

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._connect(PATIENCE)) as db:
                yield db
        except sqlite3.OperationalError as error:
            raise self._in_use() if is_busy(error) else self._explain(error) from error
        except sqlite3.Error as error:
            raise self._told(error) from error

    def _told(self, error: sqlite3.Error) -> OrderlinesError:
        told = self._explain(error)
        return UsageError(str(told)) if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB else told

    def _in_use(self) -> Refused:
        return Refused(
            f"store {self.shown}: another process has {self._address.path} open, or is upgrading it; end every program"
            " that uses it (`fuser FILE` shows them), and try again"
        )

    @contextmanager
    def _alone(self) -> Iterator[sqlite3.Connection]:
        """Have the file to ourselves: who opens it meanwhile waits.

        SQLite leaves the write-ahead log only while nobody else is connected, and says so otherwise.

        :raises Refused: somebody else is.
        """
        with self._reading() as db:
            self._tables(db)  # Before anything is written: even the journal's mode is a change.
        try:
            db = self._connect(0)
            deadline = time.monotonic() + PATIENCE
            while not _leaves_log(db):
                db.close()  # Two that wait like this would wait for each other.
                if time.monotonic() > deadline:
                    raise self._in_use()
                time.sleep(0.05 * (0.5 + random()))  # noqa: S311 -- spreads those who wait, guards nothing
                db = self._connect(0)
            with closing(db):
                yield db
                db.execute("PRAGMA journal_mode=WAL")
        except sqlite3.Error as error:
            raise self._explain(error) from error

    def _connect(self, patience: float) -> sqlite3.Connection:
        from urllib.parse import quote  # noqa: PLC0415 -- 4 ms

        name = f"file:{quote(os.path.abspath(self._address.path))}?mode=rw"  # noqa: PTH100 -- as above
        try:
            return sqlite3.connect(name, uri=True, isolation_level=None, timeout=patience)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"store {self.shown}: cannot open {self._address.path}: {error}") from error


def _leaves_log(db: sqlite3.Connection) -> bool:
    try:
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA journal_mode=DELETE")
        # In this mode the lock stays. One who came before it has brought the log back.
        db.execute("BEGIN EXCLUSIVE")
        db.execute("COMMIT")
        return bool(db.execute("PRAGMA journal_mode").fetchone() == ("delete",))
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise
        return False


def _version(db: sqlite3.Connection) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version


def _holds_runs(tables: set[str]) -> bool:
    return tables >= STORE.known_by


def _drivers(db: sqlite3.Connection) -> list[DriverRow]:
    return [driver_row(row[0], row[1:]) for row in db.execute(_DRIVERS)]


def _flush(path: str) -> None:
    """Have a file, or a folder's list of names, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
