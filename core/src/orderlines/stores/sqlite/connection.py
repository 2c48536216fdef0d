"""Connections to one SQLite file: one for each thread, opened on first use, and how to get the write lock."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet, finalize

from orderlines.errors import StoreClosed, StoreUnavailable, UsageError
from orderlines.folder import prepare_folder
from orderlines.processes.forks import Home
from orderlines.stores.showing import shown
from orderlines.stores.sqlite import forks
from orderlines.stores.sqlite.obstacles import cannot_open, is_full, obstacle
from orderlines.stores.sqlite.schema import SCHEMA_VERSION, STORE
from orderlines.stores.upgrading import advice
from orderlines.stores.urloptions import read_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.stores.sqlite.schema import Schema

BUSY_LIMIT = 30.0
"""Seconds to wait for another process's transaction before giving up."""
PAGE = 2048
"""Bytes of a page of a new file: a step is a tenth cheaper than with SQLite's 4,096."""

_HEAD = "sqlite:///"
_SYNCHRONOUS = {"normal": "NORMAL", "full": "FULL"}


class Address:
    """A parsed ``sqlite:///path[?synchronous=normal|full]`` URL; three slashes: relative, four: absolute."""

    __slots__ = ("path", "synchronous", "url")

    def __init__(self, url: str) -> None:
        """Parse a URL.

        :raises UsageError: it is no such URL.
        """
        head, _, query = url.partition("?")
        seen = shown(url)
        if not head.startswith(_HEAD) or len(head) == len(_HEAD):
            raise UsageError(f"store URL {seen!r}: expected sqlite:///relative/path.db or sqlite:////absolute/path.db")
        self.url = url
        self.path = _unquoted(head[len(_HEAD) :])
        if self.path == ":memory:" or "\0" in self.path:
            raise UsageError(f"store URL {seen!r}: name a file; several processes and threads have to find it")
        try:
            options = read_options(query, ["synchronous"])
            self.synchronous = _SYNCHRONOUS[options.get("synchronous", "normal").lower()]
        except ValueError as error:
            raise UsageError(f"store URL {seen!r}: {error}") from None
        except KeyError as error:
            raise UsageError(f"store URL {seen!r}: option synchronous={error.args[0]}: normal or full") from None


def _about_a_row(error: sqlite3.Error) -> bool:
    """Return whether what was written is the reason; a trigger is nothing of ours, and says that nothing is taken."""
    if isinstance(error, sqlite3.IntegrityError):
        return error.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_TRIGGER
    return isinstance(error, sqlite3.DataError)


def _unquoted(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote  # noqa: PLC0415 -- 4 ms, for names with odd characters only

    return unquote(text)


class Held:
    """A thread's connection, closed when the thread has ended and lets go of it; ``lock`` is held while it is used."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self.connection = connection
        self.path = path
        self.lock = threading.Lock()
        # No `__del__`: where both are garbage, the connection might go first, and complain that nobody has closed it.
        # Not at the end of the process, which may be a fork of the one whose connection it is.
        finalize(self, connection.close).atexit = False
        forks.remember(self)


class Connections:
    """The connections of one store object. SQLite forbids carrying one across ``fork``: open the store after it.

    :param schema: what the file is to hold; a database without its tables is another application's.
    """

    def __init__(self, address: Address, schema: Schema = STORE) -> None:
        self.address = address
        self._schema = schema
        self._local = threading.local()
        self._all: WeakSet[Held] = WeakSet()
        self._lock = threading.Lock()
        self._closed = False
        self._home = Home(f"the open store {address.url}")

    def close(self) -> None:
        """Close every thread's connection, each once its thread does not use it: SQLite crashes otherwise."""
        if self._home.left():
            return
        with self._lock:
            self._closed = True
            for held in self._all:
                with held.lock:
                    held.connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend this thread's connection for reads; what SQLite raises becomes :class:`StoreUnavailable`."""
        held = self.held()
        with held.lock:
            self._refuse_when_closed()
            try:
                yield held.connection
            except sqlite3.Error as error:
                raise self.explain(error) from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock around a block: commit at its end, roll back when it raises."""
        held = self.held()
        with held.lock:
            connection = held.connection
            try:
                begin(connection)
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                self.undo(connection, error)
                raise

    def undo(self, connection: sqlite3.Connection, error: BaseException) -> None:
        """Roll back what an error has interrupted; one of SQLite's becomes :class:`StoreUnavailable`.

        Not one about a row that breaks a rule or is too large: however often it is repeated, it stays so.
        """
        if isinstance(error, sqlite3.Error) and not _about_a_row(error):
            with suppress(sqlite3.Error):
                connection.rollback()
            raise self.explain(error) from error
        connection.rollback()

    def held(self) -> Held:
        """Return this thread's connection, to be used while its ``lock`` is held.

        :raises StoreClosed: the store was closed.
        :raises Forked: it was opened in another process.
        """
        self._home.check()
        try:
            held: Held = self._local.held
        except AttributeError:
            self._refuse_when_closed()
            held = Held(self._open(), self.address.path)
            with self._lock:
                self._all.add(held)
            self._local.held = held
        if self._closed:
            self._refuse_when_closed()
        return held

    def version(self) -> int:
        """Return a number that is another one once another connection has written."""
        with self.reading() as db:
            number: int = db.execute("PRAGMA data_version").fetchone()[0]
            return number

    def park(self) -> None:
        """Close this thread's connection; the next use opens another one."""
        if self._home.left():
            return
        held: Held | None = self._local.__dict__.pop("held", None)
        if held is not None:
            with held.lock:
                held.connection.close()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise StoreClosed(f"store {self.address.url} has been closed; open it again")

    def explain(self, error: sqlite3.Error) -> StoreUnavailable:
        """Say what an SQLite error means for the user."""
        text = str(error)
        path = self.address.path
        if "not a database" in text:
            return StoreUnavailable(
                f"store {self.address.url}: {path} is not an SQLite file; name another one with --store"
            )
        if is_full(path, error):
            return StoreUnavailable(
                f"store {self.address.url}: the disk is full; nothing was half written, free some room"
            )
        if "readonly" in text:
            return StoreUnavailable(f"store {self.address.url}: {path} cannot be written to; check its permissions")
        if cannot_open(error):
            text = f"cannot open {path}: {obstacle(path, error)}"
        return StoreUnavailable(f"store {self.address.url}: {text}")

    def _open(self) -> sqlite3.Connection:
        path = self.address.path
        forks.check(path)
        try:
            prepare_folder(path)
            connection = self._connect(path)
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailable(f"store {self.address.url}: cannot open {path}: {obstacle(path, error)}") from error
        try:
            # Before anything is written: even the journal's mode is a change to what may be somebody else's file.
            _patiently(lambda: self._check_tables(connection))
            # Counts in an empty file only. Each step writes two pages to the log, and sums up every byte of them.
            connection.execute(f"PRAGMA page_size={PAGE}")
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

    def _connect(self, path: str, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=0, cached_statements=256, **options
        )
        return connection

    def _check_tables(self, connection: sqlite3.Connection) -> None:
        """Refuse a database of another application."""
        connection.execute("BEGIN")
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        finally:
            connection.rollback()
        if tables and (version == 0 or not tables >= self._schema.known_by):
            raise self._foreign()

    def _foreign(self) -> StoreUnavailable:
        return StoreUnavailable(f"store {self.address.url}: {self.address.path} holds other tables; name another file")

    def _check_schema(self, connection: sqlite3.Connection) -> None:
        """Create the schema in an empty file, once however many come at once; refuse another version."""
        if _version(connection) == 0:
            begin(connection)
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    connection.rollback()
                    raise self._foreign()
                for statement in self._schema.statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            connection.execute("COMMIT")
        found = _version(connection)
        if found != SCHEMA_VERSION:
            url = self.address.url
            raise StoreUnavailable(f"store {url}: {advice(found, SCHEMA_VERSION, url)}")


def _version(connection: sqlite3.Connection) -> int:
    """Return the version of the schema; even to read it may have to wait for one who begins the write-ahead log."""
    found: list[int] = []
    _patiently(lambda: found.append(connection.execute("PRAGMA user_version").fetchone()[0]))
    return found[0]


def begin(connection: sqlite3.Connection) -> None:
    """Take the write lock, waiting up to :data:`BUSY_LIMIT` for other processes."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if not is_busy(error):
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
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            from random import random  # noqa: PLC0415 -- 1 ms, and only where somebody else writes

            time.sleep(wait * (0.5 + random()))  # noqa: S311 (spreads waiters, guards nothing)
            wait = min(wait * 1.5, 0.01)
        else:
            return


def is_busy(error: sqlite3.OperationalError) -> bool:
    """Return whether somebody else holds a lock."""
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
