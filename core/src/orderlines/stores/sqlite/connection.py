"""Connections to one SQLite file: one for each thread, opened on first use, and how to get the write lock."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from random import random
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from orderlines.errors import StoreUnavailable, UsageError
from orderlines.stores.sqlite.schema import SCHEMA_VERSION, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BUSY_LIMIT = 30.0
"""Seconds to wait for another process's transaction before giving up."""
_SYNCHRONOUS = {"normal": "NORMAL", "full": "FULL"}


class Address:
    """A parsed ``sqlite:///path[?synchronous=normal|full]`` URL; three slashes: relative, four: absolute."""

    __slots__ = ("path", "synchronous", "url")

    def __init__(self, url: str) -> None:
        """Parse a URL.

        :raises UsageError: it is no such URL.
        """
        head, _, query = url.partition("?")
        if not head.startswith("sqlite:///") or len(head) == len("sqlite:///"):
            raise UsageError(f"store URL {url!r}: expected sqlite:///relative/path.db or sqlite:////absolute/path.db")
        self.url = url
        self.path = Path(unquote(head[len("sqlite:///") :]))
        self.synchronous = _SYNCHRONOUS["normal"]
        for key, values in parse_qs(query, keep_blank_values=True).items():
            if key != "synchronous" or values[-1].lower() not in _SYNCHRONOUS:
                raise UsageError(f"store URL {url!r}: unknown option {key}={values[-1]} (synchronous=normal or full)")
            self.synchronous = _SYNCHRONOUS[values[-1].lower()]


class Connections:
    """The connections of one store object. SQLite forbids carrying one across ``fork``: open the store after it."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def get(self) -> sqlite3.Connection:
        """Return this thread's connection."""
        try:
            connection: sqlite3.Connection = self._local.connection
        except AttributeError:
            connection = self._open()
            self._local.connection = connection
            with self._lock:
                self._all.append(connection)
        return connection

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
        self._local = threading.local()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection for reads; what SQLite raises becomes :class:`StoreUnavailable`."""
        try:
            yield self.get()
        except sqlite3.Error as error:
            raise self.explain(error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock around a block: commit at its end, roll back when it raises."""
        connection = self.get()
        try:
            begin(connection)
            yield connection
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:
                connection.rollback()
            if isinstance(error, sqlite3.Error):
                raise self.explain(error) from error
            raise

    def explain(self, error: sqlite3.Error) -> StoreUnavailable:
        """Say what an SQLite error means for the user."""
        text = str(error)
        path = self.address.path
        if "not a database" in text:
            return StoreUnavailable(
                f"store {self.address.url}: {path} is not an SQLite file; name another one with --store"
            )
        if "disk is full" in text:
            return StoreUnavailable(
                f"store {self.address.url}: the disk is full; nothing was half written, free some room"
            )
        if "readonly" in text:
            return StoreUnavailable(f"store {self.address.url}: {path} cannot be written to; check its permissions")
        return StoreUnavailable(f"store {self.address.url}: {text}")

    def _open(self) -> sqlite3.Connection:
        path = self.address.path
        try:
            _prepare_folder(path)
            connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=0, cached_statements=256
            )
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailable(f"store {self.address.url}: cannot open {path}: {error}") from error
        try:
            _patiently(lambda: connection.execute("PRAGMA journal_mode=WAL"))
            connection.execute(f"PRAGMA synchronous={self.address.synchronous}")
            self._check_schema(connection)
        except sqlite3.Error as error:
            connection.close()
            raise self.explain(error) from error
        except StoreUnavailable:
            connection.close()
            raise
        return connection

    def _check_schema(self, connection: sqlite3.Connection) -> None:
        """Create the schema in an empty file, once however many come at once; refuse another version."""
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            begin(connection)
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    connection.rollback()
                    raise StoreUnavailable(
                        f"store {self.address.url}: {self.address.path} holds other tables; name another file"
                    )
                for statement in TABLES:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            connection.execute("COMMIT")
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found != SCHEMA_VERSION:
            newer = (
                "a newer orderlines wrote it: upgrade orderlines"
                if found > SCHEMA_VERSION
                else "run: orderlines migrate"
            )
            raise StoreUnavailable(
                f"store {self.address.url}: schema version {found}, this orderlines needs {SCHEMA_VERSION}; {newer}"
            )


def begin(connection: sqlite3.Connection) -> None:
    """Take the write lock, waiting up to :data:`BUSY_LIMIT` for other processes."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if not _is_busy(error):
            raise
        _patiently(lambda: connection.execute("BEGIN IMMEDIATE"))


def _patiently(attempt: Callable[[], object]) -> None:
    """Repeat while the file is locked; short waits with jitter, so that two processes do not march in step."""
    deadline = time.monotonic() + BUSY_LIMIT
    wait = 0.0005
    while True:
        try:
            attempt()
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(wait * (0.5 + random()))  # noqa: S311 (spreads waiters, guards nothing)
            wait = min(wait * 1.5, 0.01)
        else:
            return


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _prepare_folder(path: Path) -> None:
    """Make the default folder ``.orderlines`` on first use, hidden from git; other folders must exist."""
    folder = path.parent
    if folder.name == ".orderlines" and not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
