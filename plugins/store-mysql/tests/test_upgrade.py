"""Upgrading a database that version 1 has made."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from orderlines.errors import Refused, StoreUnavailable, UsageError
from orderlines.processes.identity import ProcessIdentity
from orderlines.stores.upgrading import SchemaState
from orderlines_store_mysql.address import Address
from orderlines_store_mysql.schema import SCHEMA_VERSION, VERSIONS
from orderlines_store_mysql.store import MySQLStore
from orderlines_store_mysql.upgrade import MySQLUpgrade
from orderlines_store_mysql.upgrades import STEPS, Step, column

if TYPE_CHECKING:
    from orderlines.testing.servers.proxy import Proxy

OLD = (Path(__file__).parent / "old" / "version_1.sql").read_text(encoding="utf-8")
IDENTITY = ProcessIdentity.current()
SENT = (
    b"CREATE TABLE IF NOT EXISTS ol_upgrades", b"FOR UPDATE", b"FROM ol_drivers", b"INSERT INTO ol_upgrades",
    b"SELECT done", b"information_schema.columns", b"ALTER TABLE ol_lines", b"SET done = 1",
    b"ALTER TABLE ol_drivers", b"SET done = 2", b"UPDATE ol_lines", b"SET done = 3", b"DELETE FROM ol_upgrades",
    b"DROP TABLE",
)  # fmt: skip
"""What is told to the server, in order."""


@pytest.fixture(autouse=True)
def old(url: str, collation: str) -> None:
    """Fill the database with what version 1 has made."""
    arguments = {**Address(url).connect_arguments(), "client_flag": pymysql.constants.CLIENT.MULTI_STATEMENTS}
    connection = pymysql.connect(**arguments, charset="utf8mb4", autocommit=True)
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(OLD.replace("utf8mb4_nopad_bin", collation))
        while cursor.nextset():
            pass


@pytest.fixture
def far(url: str, proxy: Proxy) -> str:
    """The URL of the database behind the proxy."""
    return url.replace(f":{Address(url).port}/", f":{proxy.port}/")


def is_whole(url: str) -> bool:
    """Return whether the store can be opened and has what it had."""
    with closing(MySQLStore(url)) as store:
        (run,) = (run for run in store.runs(9) if run.key == "queued")
        assert store.waiting() == {"gpu": pytest.approx(run.created, abs=0.1)}
        assert len(store.runs(9)) == 3
    return MySQLUpgrade(url).state() == SchemaState(SCHEMA_VERSION)


def test_every_version_has_a_step() -> None:
    assert [step.version for step in STEPS] == list(range(2, SCHEMA_VERSION + 1))


def test_an_upgraded_database_is_as_a_new_one(url: str, admin: Any) -> None:
    asked = (
        "SELECT table_name, column_name, column_type, is_nullable FROM information_schema.columns"
        f" WHERE table_schema = '{Address(url).database}' ORDER BY 1, 2"
    )
    with pytest.raises(StoreUnavailable, match=r"schema version 1, .* run: orderlines migrate --store 'mysql://"):
        MySQLStore(url)
    assert MySQLUpgrade(url).run([]).steps == [2]
    assert is_whole(url)
    upgraded = admin.run(url, asked)
    admin.run(url, "DROP DATABASE {db}", "CREATE DATABASE {db}")
    MySQLStore(url).close()
    assert admin.run(url, asked) == upgraded


@pytest.mark.parametrize("fault", ["cut_before", "swallow_answer"])
@pytest.mark.parametrize("content", SENT, ids=lambda content: content.decode())
def test_one_that_dies_at_any_statement_is_gone_on_with(
    url: str, far: str, proxy: Proxy, content: bytes, fault: str
) -> None:
    getattr(proxy, fault)(content)
    with pytest.raises(StoreUnavailable):
        MySQLUpgrade(far).run([])
    assert proxy.pending == 0
    found = MySQLUpgrade(url).state()
    if found != SchemaState(2):
        assert found in {SchemaState(1), SchemaState(2, unfinished=True)}
        with pytest.raises(
            StoreUnavailable, match="go on with: orderlines" if found.unfinished else "schema version 1"
        ):
            MySQLStore(url)
    assert MySQLUpgrade(url).run([]).steps == ([] if found == SchemaState(2) else [2])
    assert is_whole(url)


def test_several_at_once_do_each_step_once(url: str) -> None:
    more = (*STEPS, Step(3, (column("ol_runs", "more", "INT"),)))
    done: list[int] = []

    def work() -> None:
        done.extend(MySQLUpgrade(url, more).run([]).steps)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [2, 3]
    assert MySQLUpgrade(url, more).state() == SchemaState(3)


def test_a_driver_that_is_not_known_to_be_dead_keeps_it_as_it_is(url: str, admin: Any) -> None:
    values = ", ".join(map(repr, (7, *IDENTITY, 0)))
    admin.run(url, f"INSERT INTO {{db}}.ol_drivers VALUES ({values})")
    assert [(row.id, row.identity) for row in MySQLUpgrade(url).drivers()] == [(7, IDENTITY)]
    with pytest.raises(Refused, match="with the numbers 7; end them"):
        MySQLUpgrade(url).run([6])
    assert MySQLUpgrade(url).state() == SchemaState(1)
    assert MySQLUpgrade(url).run([7]).steps == [2]


def test_who_had_it_open_begins_no_driver_any_more(url: str) -> None:
    MySQLUpgrade(url).run([])
    with closing(MySQLStore(url)) as store:
        assert store.enroll(IDENTITY) > 0
        store.dismiss([driver.id for driver in store.drivers()])
        MySQLUpgrade(url, (*STEPS, Step(3, (column("ol_runs", "more", "INT"),)))).run([])
        with pytest.raises(StoreUnavailable, match="schema version 3, this orderlines needs 2; a newer orderlines"):
            store.enroll(IDENTITY)
        assert store.drivers() == []


def test_an_empty_database_stays_empty(url: str, admin: Any) -> None:
    admin.run(url, "DROP DATABASE {db}", "CREATE DATABASE {db}")
    assert MySQLUpgrade(url).state() == SchemaState(None)
    assert admin.run(url, "SHOW TABLES IN {db}") == []


@pytest.mark.parametrize(
    "table",
    ["songs (a INT)", f"{VERSIONS} (number INT)", f"{VERSIONS} AS SELECT 'first' AS version", "ol_runs (a INT)"],
)
def test_a_database_of_something_else_is_left_alone(url: str, admin: Any, table: str) -> None:
    admin.run(url, "DROP DATABASE {db}", "CREATE DATABASE {db}", f"CREATE TABLE {{db}}.{table}")
    with pytest.raises(UsageError, match="holds other tables, and is left as it is"):
        MySQLUpgrade(url).state()
    assert len(admin.run(url, "SHOW TABLES IN {db}")) == 1


def test_what_is_said_of_a_server_that_is_away(url: str) -> None:
    away = url.replace(f":{Address(url).port}/", ":1/")
    with pytest.raises(StoreUnavailable, match="check that a server answers"):
        MySQLUpgrade(away).state()


def test_the_versions_that_there_were_are_kept(url: str, admin: Any) -> None:
    MySQLUpgrade(url).run([])
    assert admin.run(url, f"SELECT version FROM {{db}}.{VERSIONS} ORDER BY version") == [(1,), (2,)]
    assert admin.run(url, "SHOW TABLES IN {db} LIKE 'ol_upgrades'") == []
