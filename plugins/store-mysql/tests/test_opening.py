"""Opening a store: what is made, what is refused, and what is said."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.errors import Forked, StoreUnavailable, UsageError
from orderlines.testing.drivers.crowd import crowd_at
from orderlines.testing.drivers.records import new_run
from orderlines.testing.servers.certificates import Certificate
from orderlines.testing.servers.mariadb import MariaDB, SecureMariaDB
from orderlines_store_mysql.address import Address, Options
from orderlines_store_mysql.clock import clock_of
from orderlines_store_mysql.link import Link
from orderlines_store_mysql.schema import OURS, TABLES, VERSIONS, created
from orderlines_store_mysql.store import MySQLStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orderlines.stores.records import Finding
    from orderlines.testing.servers.proxy import Proxy


def tables(admin: Any, url: str) -> list[str]:
    return [name for (name,) in admin.run(url, "SHOW TABLES IN {db}")]


def test_several_processes_that_open_an_empty_store_at_once_make_one(url: str, admin: Any) -> None:
    answers = crowd_at(MySQLStore, url, "accept", [{"key": None, "times": 2}] * 6)
    assert len({number for answer in answers for number in answer}) == 12
    assert admin.run(url, f"SELECT COUNT(*) FROM {{db}}.{VERSIONS}") == [(1,)]
    assert set(tables(admin, url)) == {*OURS, VERSIONS}


def test_who_waits_for_another_one_to_make_the_tables_needs_no_answer_meanwhile(url: str, admin: Any) -> None:
    name = sha256(Address(url).database.encode()).hexdigest()[:40]
    with closing(admin.open(url)) as other, other.cursor() as cursor:
        cursor.execute(f"SELECT GET_LOCK('orderlines:{name}', 0)")
        opening = Thread(target=lambda: MySQLStore(f"{url}?read_timeout=0.3").close())
        opening.start()
        opening.join(0.7)
        assert (opening.is_alive(), tables(admin, url)) == (True, [])
    opening.join()
    assert set(tables(admin, url)) == {*OURS, VERSIONS}


@pytest.mark.parametrize("made", range(len(TABLES) + 1))
def test_what_one_who_died_has_begun_another_one_ends(url: str, admin: Any, made: int, *, is_maria: bool) -> None:
    begun = [f"{VERSIONS} (version INT NOT NULL PRIMARY KEY, created DATETIME NOT NULL)", *TABLES[:made]]
    database = Address(url).database
    admin.run(url, *(created(f"`{database}`.{table}", maria=is_maria) for table in begun))
    store = MySQLStore(url)
    assert store.accept(new_run()) == store.runs(1)[0]
    store.close()


@pytest.mark.parametrize("table", ["songs", "ol_runs"])
def test_a_database_of_something_else_is_refused_and_left_alone(url: str, admin: Any, table: str) -> None:
    admin.run(url, f"CREATE TABLE {{db}}.{table} (name TEXT)")
    with pytest.raises(StoreUnavailable, match="holds other tables"):
        MySQLStore(url)
    assert tables(admin, url) == [table]


@pytest.mark.parametrize(("version", "hint"), [(99, "upgrade orderlines"), (0, "orderlines migrate --store 'mysql://")])
def test_another_version_of_the_schema_is_refused_with_what_to_do(
    store: MySQLStore, url: str, admin: Any, version: int, hint: str
) -> None:
    admin.run(url, f"UPDATE {{db}}.{VERSIONS} SET version = {version}")
    with pytest.raises(StoreUnavailable, match=hint):
        MySQLStore(store.url)


def test_missing_tables_are_named(store: MySQLStore, url: str, admin: Any) -> None:
    admin.run(url, "DROP TABLE {db}.ol_joins")
    with pytest.raises(StoreUnavailable, match="tables are missing: ol_joins"):
        MySQLStore(store.url)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("tester:secret", "tester:wrong-secret", "check the user 'tester' and the password"),
        ("tester:secret@", "", "the URL names no user: write mysql://user:password@host"),
        ("/test_", "/nowhere_", "make it: CREATE DATABASE `nowhere_"),
        ("127.0.0.1:", "127.0.0.1:1", "check that a server answers at 127.0.0.1:1"),
        ("127.0.0.1", "no-such-host.invalid", "check that a server answers at no-such-host.invalid"),
    ],
)
def test_who_is_not_let_in_is_told_what_to_do(url: str, old: str, new: str, told: str) -> None:
    changed = url.replace(old, new)
    if new.endswith(":1"):
        changed = url.replace(f":{Address(url).port}/", ":1/")
    with pytest.raises(StoreUnavailable, match=told) as caught:
        MySQLStore(changed)
    assert "secret" not in str(caught.value)


def test_who_has_no_rights_is_told_which(url: str, admin: Any) -> None:
    admin.run(url, "CREATE USER IF NOT EXISTS 'guest'@'%' IDENTIFIED BY 'secret'")
    with pytest.raises(StoreUnavailable, match="GRANT ALL ON `test_"):
        MySQLStore(url.replace("mysql://tester:", "mysql://guest:"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("mysql://host", "expected mysql://user:password@host:port/database"),
        ("mysql://host/a/b", "expected mysql://"),
        ("mysql://u:secret@host:port/db", "expected mysql://"),
        ("mysql://u:secret@host/db?colour=red", "unknown option 'colour'; there are connect_timeout, look, pool_size"),
        ("mysql://u:secret@host/db?pool_size=0", "pool_size=0: a whole number, at least 1"),
        ("mysql://u:secret@host/db?ssl_verify=maybe", "one of full, ca, none"),
        ("mysql://u:secret@host/db?pool_size=many", "pool_size=many: a whole number, at least 1"),
        ("mysql://u:secret@host/db?look=long", "look=long: a number of seconds, at most 3600"),
        ("mysql://u:secret@host:65536/db", "its port has to be a number up to 65535"),
        ("mysql://u:secret@host/db?ssl_ca=/no/such/file", "what TLS needs cannot be read from ssl_ca=/no/such/file: "),
        ("mysql://u:secret@host/db?ssl_cert=/no/1&ssl_key=/no/2", "read from ssl_cert=/no/1 and ssl_key=/no/2: "),
        ("mysql://u:secret@host/db?read_timeout=0", "more than 0 seconds"),
        ("mysql://u:secret@host/db?ssl=yes", "on or off"),
        ("mysql://u:secret@host/db?ssl_key=key.pem", "ssl_key is the key of ssl_cert: name that as well"),
        ("mysql://u:secret@host/db?ssl", "the option 'ssl' has no value: write ssl=VALUE, or leave it out"),
        ("mysql://u:secret@host/db?ssl_ca=", "the option 'ssl_ca' has no value"),
        ("mysql://u:secret@host/db?ssl=on&ssl=off", "the option 'ssl' is there twice: leave one out"),
        ("mysql://u:secret@host/db?ssl=off&ssl_ca=ca.pem", "ssl_ca does not count with ssl=off: leave one out"),
        ("mysql://u:secret@host/db?ssl_verify=none&ssl_ca=ca.pem", "ssl_ca does not count with ssl_verify=none"),
        (
            "mysql://u:secret@host/db?socket=/run/s.sock",
            "in place of host and port, and host would not count: leave one",
        ),
        ("mysql://u:secret@host/db?password=secret&secret", "unknown option 'password'; there are "),
        ("mysql://me:secret", "expected mysql://"),
        ("mysql://u:secret@host:secret/db", "expected mysql://"),
    ],
)
def test_a_url_with_a_mistake_is_refused_with_the_reason(given: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        MySQLStore(given)
    assert told in str(caught.value)
    assert "secret" not in f"{caught.value}{caught.value.__cause__}"


def opened(url: str) -> list[str]:
    """Return how the connection is encrypted of a store that could be opened."""
    with closing(Link(Address(url))) as link:
        return [cipher for _, cipher in link.ask("SHOW STATUS LIKE 'Ssl_cipher'")]


def test_where_tls_is_asked_for_nobody_logs_in_without(tmp_path: Path) -> None:
    with MariaDB(tmp_path / "server", options=("--skip-ssl",)) as server:
        url = server.new_database()
        assert opened(url) == [""]
        for option in ("ssl=on", "ssl_verify=none"):
            with pytest.raises(StoreUnavailable, match="check the options ssl, ssl_ca, ssl_cert, ssl_key and ssl_v"):
                MySQLStore(f"{url}?{option}")


def test_a_certificate_is_checked_as_the_url_says(tmp_path: Path) -> None:
    with SecureMariaDB(tmp_path / "server") as server:
        certificate = server.certificate
        elsewhere = server.new_database()
        url = elsewhere.replace("127.0.0.1", "localhost")
        assert opened(f"{url}?ssl_ca={certificate}") != [""]
        assert opened(f"{elsewhere}?ssl_ca={certificate}&ssl_verify=ca") != [""]
        assert opened(f"{elsewhere}?ssl_verify=none") != [""]
        for bad in (f"{url}?ssl=on", f"{elsewhere}?ssl_ca={certificate}"):
            with pytest.raises(StoreUnavailable, match=r"say with \?ssl_ca=FILE what to trust, and name the host"):
                MySQLStore(bad)


class StrictMariaDB(SecureMariaDB):
    """A MariaDB that takes its own certificate from who logs in, and no other."""

    def command(self, program: str) -> Sequence[str]:
        return (*super().command(program), f"--ssl-ca={self.certificate}")


def test_what_a_server_wants_to_see_over_tls_is_said(tmp_path: Path) -> None:
    """The server itself says no more than that it lets nobody in."""
    other = Certificate.in_folder(tmp_path)
    other.make()
    with StrictMariaDB(tmp_path / "server") as server:
        own = Certificate.in_folder(server.certificate.parent)
        url = server.new_database().replace("127.0.0.1", "localhost").replace("tester:", "shy:")
        server.sql("CREATE USER 'shy'@'%' IDENTIFIED BY 'secret' REQUIRE X509")
        server.sql("GRANT ALL ON *.* TO 'shy'@'%'")
        with pytest.raises(StoreUnavailable, match=r"in with TLS only, say \?ssl=on or \?ssl_ca=FILE$"):
            MySQLStore(url)
        url += f"?ssl_ca={own.path}"
        with pytest.raises(StoreUnavailable, match=r"this user for a certificate, say \?ssl_cert=FILE&ssl_key=FILE$"):
            MySQLStore(url)
        with pytest.raises(UsageError, match=rf"from ssl_cert={own.path}; where the key is in a file of its own, name"):
            MySQLStore(f"{url}&ssl_cert={own.path}")
        assert opened(f"{url}&ssl_cert={own.path}&ssl_key={own.key}") != [""]
        # A server may have gone before what it says of that is read.
        told = r"it does not take our certificate: name with \?ssl_cert=FILE|, and takes our certificate \(ssl_cert\)$"
        with pytest.raises(StoreUnavailable, match=told):
            MySQLStore(f"{url}&ssl_cert={other.path}&ssl_key={other.key}")


def test_who_does_not_greet_in_time_is_no_server() -> None:
    """Fault: the port is one of something else, or of a server that hangs."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match=rf"a MySQL or MariaDB server answers at 127.0.0.1:{port}"):
            MySQLStore(f"mysql://me@127.0.0.1:{port}/runs?connect_timeout=0.3")
        assert time.monotonic() - began < Options().connect_timeout


def test_the_readme_names_every_option() -> None:
    """Its table: ``| `one`, `two` | meaning | default |``."""
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    _, _, table = text.partition("| option | meaning | default |")
    rows = [line.split("|")[1] for line in table.partition("\n\n")[0].splitlines()[2:]]
    assert sorted(name for row in rows for name in re.findall("`(.+?)`", row)) == sorted(Options._fields)


def test_a_url_says_what_its_options_are() -> None:
    address = Address("mysql://u%40h:p%2Fw@host:3307/db?pool_size=2&look=0.5&ssl_verify=none")
    assert (address.user, address.password, address.host, address.port) == ("u@h", "p/w", "host", 3307)
    assert (address.options.pool_size, address.options.look, address.options.socket) == (2, 0.5, None)
    for host in ("", "localhost", "127.0.0.1:3306"):
        assert Address(f"mysql://u@{host}/db?socket=/run/s.sock").options.socket == "/run/s.sock"
    assert address.shown == "mysql://u%40h:***@host:3307/db"
    assert Address("mysql://host/db").connect_arguments()["ssl_disabled"] is True
    assert not address.connect_arguments()["ssl"].check_hostname


def test_a_password_stands_in_no_message(store: MySQLStore) -> None:
    assert "secret" in store.url
    assert "secret" not in store.shown


def test_a_store_is_refused_behind_a_fork_which_leaves_its_parent_alone(store: MySQLStore) -> None:
    ((before,),) = store._read("SELECT CONNECTION_ID()")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        told = b"no error"
        try:
            store.runs(1)
        except Forked as error:
            told = str(error).encode()
        finally:
            store.close()
            os.write(writing, told)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        assert "a fork of it" in answer.read()
    os.waitpid(child, 0)
    assert store._read("SELECT CONNECTION_ID()") == ((before,),)


def test_a_fork_may_open_the_store_itself(store: MySQLStore) -> None:
    store.accept(new_run())
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        told = b"none"
        try:
            own = MySQLStore(store.url)
            told = str(len(own.runs(10))).encode()
            own.close()
        finally:
            os.write(writing, told)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        assert answer.read() == "1"
    os.waitpid(child, 0)


def test_a_fork_knows_the_time_though_another_thread_was_asking_for_it(url: str) -> None:
    asking, forked = Event(), Event()

    def ask() -> float:
        asking.set()
        forked.wait()
        return 0.0

    there = MySQLStore(url.replace("127.0.0.1", "localhost"))  # one that nobody else in this process asks
    thread = Thread(target=clock_of(Address(there.url)).now, args=(ask,))
    thread.start()
    asking.wait()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # what hangs here is ended
        try:
            own = MySQLStore(there.url)
            own.now()
            os.write(writing, b"known")
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        assert answer.read() == "known"
    os.waitpid(child, 0)
    forked.set()
    thread.join()
    there.close()


def test_the_texts_of_the_tables_are_compared_exactly_whatever_the_databases_default(
    store: MySQLStore, url: str, admin: Any, collation: str
) -> None:
    asked = "SELECT DISTINCT {0}_collation FROM information_schema.{0}s WHERE table_schema = '" + Address(url).database
    assert admin.run(url, asked.format("table") + "'") == [(collation,)]
    columns = (
        f"SELECT DISTINCT collation_name FROM information_schema.columns WHERE table_schema = '{Address(url).database}'"
    )
    assert set(admin.run(url, columns)) == {(collation,), (None,)}


def test_a_store_is_examined(store: MySQLStore, url: str, admin: Any, collation: str) -> None:
    found = {finding.name: finding for finding in store.examine()}
    assert found["store server"].told == admin.run(url, "SELECT VERSION()")[0][0]
    assert found["store schema"].told == "version 2"
    assert found["store flush"].state == "note"
    assert found["store flush"].told.startswith("innodb_flush_log_at_trx_commit 0")
    assert found["store texts"].told.startswith(f"{collation}, InnoDB (the database's default: latin1")
    assert found["store connections"].state == "ok"
    assert {finding.state for finding in found.values()} == {"ok", "note"}
    admin.run(url, "SET GLOBAL read_only = 1", "SET GLOBAL innodb_flush_log_at_trx_commit = 1")
    try:
        found = {finding.name: finding for finding in store.examine()}
    finally:
        admin.run(url, "SET GLOBAL read_only = 0", "SET GLOBAL innodb_flush_log_at_trx_commit = 0")
    assert (found["store flush"].state, found["store writes"].state) == ("ok", "wrong")


def test_a_packet_that_takes_no_large_value_is_named(url: str, admin: Any) -> None:
    ((usual,),) = admin.run(url, "SELECT @@global.max_allowed_packet")
    seen = []
    for size in (1 << 18, 1 << 20):
        admin.run(url, f"SET GLOBAL max_allowed_packet = {size}")
        try:
            with closing(MySQLStore(url)) as store:
                seen += [finding for finding in store.examine() if finding.name == "store packet"]
        finally:
            admin.run(url, f"SET GLOBAL max_allowed_packet = {usual}")
    small, large = seen
    assert (small.state, "256 KiB: large values fail" in small.told, "16M" in small.advice) == ("wrong", True, True)
    assert (large.state, "1 MiB" in large.told) == ("ok", True)


@pytest.fixture
def as_reader(url: str, admin: Any) -> Iterator[str]:
    """The URL of the database for a user who may only read there."""
    admin.run(url, "CREATE USER 'reader'@'%' IDENTIFIED BY 'secret'", "GRANT SELECT ON {db}.* TO 'reader'@'%'")
    yield url.replace("mysql://tester:", "mysql://reader:")
    admin.run(url, "DROP USER 'reader'@'%'")


def rights(url: str) -> Finding:
    with closing(MySQLStore(url)) as store:
        (finding,) = [finding for finding in store.examine() if finding.name == "store rights"]
        return finding


@pytest.mark.usefixtures("store")
def test_a_user_who_may_not_write_is_named(url: str, as_reader: str, admin: Any) -> None:
    assert rights(url).state == "ok"
    found = rights(as_reader)
    assert found.state == "wrong"
    assert found.told == "'reader'@'%' may not INSERT, UPDATE, DELETE in any of its tables"
    assert f"GRANT ALL ON `{Address(url).database}`.* TO 'reader'@'%'" in found.advice
    admin.run(url, "GRANT INSERT, UPDATE ON {db}.* TO 'reader'@'%'", "GRANT DELETE ON {db}.ol_runs TO 'reader'@'%'")
    told = rights(as_reader).told
    assert told.startswith("'reader'@'%' may not DELETE in ol_attempts, ol_drivers, ")
    assert ("ol_runs" in told, "UPDATE" in told) == (False, False)
    admin.run(url, "SET GLOBAL sql_safe_updates = 1")
    try:
        assert rights(as_reader).told == told
        admin.run(url, "GRANT DELETE ON {db}.* TO 'reader'@'%'")
        assert rights(as_reader).state == "ok"
    finally:
        admin.run(url, "SET GLOBAL sql_safe_updates = 0")


def test_a_user_who_may_make_no_tables_is_told(url: str, as_reader: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"CREATE command denied to user 'reader'.* GRANT ALL ON `test_"):
        MySQLStore(as_reader)
    with closing(MySQLStore(url)):
        assert rights(as_reader).state == "wrong"


def test_the_version_differs_once_in_so_long_where_the_url_says_so(url: str) -> None:
    store = MySQLStore(f"{url}?look=3600")
    assert store.version() == store.version()
    store.close()


def test_a_step_of_a_chain_is_one_round_trip(distant: MySQLStore, proxy: Proxy) -> None:
    from orderlines.testing.drivers.played import PlayedDriver  # noqa: PLC0415
    from orderlines.testing.drivers.records import ending, step, task  # noqa: PLC0415

    driver = PlayedDriver(distant)
    line = driver.begin()
    before = proxy.messages
    for number in range(10):
        written = step(line, tasks=(task(f"n{number}"),), vars="{}" if number == 5 else None)
        assert driver.try_step(written).refused is None
        line = line._replace(seq=line.seq + 1, tasks=line.tasks + 1)
    assert driver.try_step(ending(line)).refused is None
    assert proxy.messages - before == 11


@pytest.mark.parametrize("secret", ["S3c@retPw", "S3c/r@etPw", "S3c#retPw", "S3c@r/etPw", "S3c?retPw", "S3c@r?etPw"])
def test_no_part_of_a_password_that_is_not_escaped_is_shown(secret: str) -> None:
    with pytest.raises(UsageError, match="%40") as caught:
        MySQLStore(f"mysql://me:{secret}@127.0.0.1/runs")
    assert not any(part in str(caught.value) for part in ("S3c", "retPw", "etPw"))
