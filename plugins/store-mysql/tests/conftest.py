from __future__ import annotations

from contextlib import closing
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from orderlines.plugins import Registry
from orderlines.plugins.manager import installed
from orderlines.testing.servers.proxy import Proxy
from orderlines_store_mysql.address import Address
from orderlines_store_mysql.store import MySQLStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

LIBRARY = """\
import threading

gate = threading.Event()
begun = threading.Semaphore(0)
done = []

def note(text: str) -> str:
    done.append(text)
    begun.release()
    return text

def wait(text: str) -> str:
    done.append(text)
    begun.release()
    gate.wait()
    return text

def large(size: int) -> str:
    done.append("large")
    return "x" * size
"""
PLUGIN = """\
from orderlines.plugins import *
ORDERLINES_API = 1

@hookimpl
def orderlines_components():
    return [ComponentsPlugin("acts", "mysql_acts.library")]
"""


class Admin:
    """Does to a server what no store does: makes databases, takes them away, looks at it, changes its settings."""

    def open(self, url: str) -> Any:
        """Open a connection of our own, without a database."""
        arguments = {**Address(url).connect_arguments(), "database": None}
        return pymysql.connect(**arguments, autocommit=True)

    def run(self, url: str, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements and return what the last one reads; ``{db}`` stands for the URL's database."""
        rows: Any = ()
        with closing(self.open(url)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement.replace("{db}", f"`{Address(url).database}`"))
                rows = cursor.fetchall()
        return list(rows)

    def make(self, url: str) -> None:
        """Make a database whose defaults are not those of our tables."""
        self.run(url, "CREATE DATABASE {db} CHARACTER SET latin1 COLLATE latin1_swedish_ci")

    def drop(self, url: str) -> None:
        """Take a database away."""
        self.run(url, "DROP DATABASE IF EXISTS {db}")

    def status(self, url: str, name: str) -> int:
        """Return one of the server's counters."""
        return int(self.run(url, f"SHOW GLOBAL STATUS LIKE '{name}'")[0][1])

    def deadlocks(self, url: str) -> int:
        """Return how many deadlocks the server has ended."""
        counter = "SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'"
        return int(self.run(url, counter)[0][0])


@pytest.fixture(scope="session")
def admin() -> Admin:
    return Admin()


@pytest.fixture
def url(placed: Callable[[str], str], admin: Admin) -> Iterator[str]:
    """The URL of an empty database on the session's server."""
    url = placed("mysql://{mariadb}/{database}")
    admin.make(url)
    yield url
    admin.drop(url)


@pytest.fixture
def is_maria(url: str, admin: Admin) -> bool:
    """Whether the session's server is MariaDB, and not Oracle's MySQL."""
    return "MariaDB" in admin.run(url, "SELECT VERSION()")[0][0]


@pytest.fixture
def collation(*, is_maria: bool) -> str:
    """How texts are compared there."""
    return "utf8mb4_nopad_bin" if is_maria else "utf8mb4_0900_bin"


@pytest.fixture
def store(url: str) -> Iterator[MySQLStore]:
    store = MySQLStore(url)
    yield store
    store.close()


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    """What stands between the store ``distant`` and the server."""
    with Proxy(Address(url).port) as proxy:
        yield proxy


@pytest.fixture
def distant(url: str, proxy: Proxy) -> Iterator[MySQLStore]:
    """A store on the same database, behind the proxy."""
    store = MySQLStore(url.replace(f":{Address(url).port}/", f":{proxy.port}/"))
    store.now()
    yield store
    store.close()


@pytest.fixture
def registry(install: Callable[[str, Mapping[str, str]], Path], monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Core and a plugin whose components take note of their calls."""
    site = str(install("mysql_acts", {"plugin": PLUGIN, "library": LIBRARY}))
    monkeypatch.syspath_prepend(site)
    return Registry(installed([site]))


@pytest.fixture
def acts(registry: Registry) -> Iterator[Any]:
    """The module of those components, which is imported once for all tests."""
    library: Any = import_module("mysql_acts.library")
    library.done.clear()
    library.gate.clear()
    yield library
    library.gate.set()
