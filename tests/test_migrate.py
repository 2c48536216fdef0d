"""``orderlines migrate``: stores that version 1 of the schema has made, on every kind of store."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pymysql
import pytest
from redis import Redis

from orderlines.control import migrating
from orderlines.engine import open_store
from orderlines.errors import Refused
from orderlines.processes.identity import ProcessIdentity
from orderlines.stores import upgrading
from orderlines.stores.sqlite import SQLiteStore
from orderlines_store_mysql.address import Address
from orderlines_store_mysql.store import MySQLStore
from orderlines_store_redis.store import RedisStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Shell

    from orderlines.stores.upgrading import Upgrade

KINDS: dict[str, type[Any]] = {"sqlite": SQLiteStore, "mysql": MySQLStore, "redis": RedisStore}
FLOW = "flow: asks\nvars: {n: 7}\nline:\n  - {id: go, signal: go, set: {n: '${n + 1}'}}\n"
HERE = ProcessIdentity.current()
ELSEWHERE = HERE._replace(host="far", boot="another", pid=77)


class Old:
    """A store that version 1 has made; what else is done to it goes past every store object.

    Of its runs one has ended, one waits for a signal, and one waits for a worker. Nobody drives them.
    """

    def __init__(self, url: str, root: Path) -> None:
        self.url = url
        self._plugins = root / "plugins"
        self._core = root / "core" / "tests" / "stores" / "old" / "version_1.sql"

    @property
    def upgrade(self) -> Upgrade:
        """What upgrades it."""
        upgrade: Upgrade = KINDS[self.url.partition(":")[0]].upgrade(self.url)
        return upgrade

    def make(self) -> None:
        """Make it."""
        raise NotImplementedError

    def enroll(self, identity: ProcessIdentity, beats: int = 0) -> None:
        """Put driver number 7 on its books."""
        raise NotImplementedError

    def be(self, version: int) -> None:
        """Say that it is of another version."""
        raise NotImplementedError

    def be_foreign(self) -> None:
        """Be what another application has made, which has a version as well."""
        raise NotImplementedError

    def content(self) -> Any:
        """Return what is there, whoever has made it."""
        raise NotImplementedError


class OldSQLite(Old):
    def run(self, script: str, *values: object) -> None:
        with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as db, db:
            db.execute(script, values) if values else db.executescript(script)

    def make(self) -> None:
        self.run(self._core.read_text(encoding="utf-8"))

    def enroll(self, identity: ProcessIdentity, beats: int = 0) -> None:
        self.run("INSERT OR REPLACE INTO drivers VALUES (?, ?, ?, ?, ?, ?, ?)", 7, *identity, beats)

    def be(self, version: int) -> None:
        self.run(f"PRAGMA user_version={version}")

    def be_foreign(self) -> None:
        self.run("CREATE TABLE runs (a); INSERT INTO runs VALUES (1); PRAGMA user_version=1")

    def content(self) -> Any:
        path = Path(self.url.removeprefix("sqlite:///"))
        return [(each.name, each.read_bytes()) for each in path.parent.iterdir()]


class OldMySQL(Old):
    def run(self, script: str, *values: object) -> None:
        flag = pymysql.constants.CLIENT.MULTI_STATEMENTS
        arguments = {**Address(self.url).connect_arguments(), "client_flag": flag}
        connection = pymysql.connect(**arguments, charset="utf8mb4", autocommit=True)
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(script, values or None)
            while cursor.nextset():
                pass

    def make(self) -> None:
        self.run((self._plugins / "store-mysql/tests/old/version_1.sql").read_text(encoding="utf-8"))

    def enroll(self, identity: ProcessIdentity, beats: int = 0) -> None:
        self.run("REPLACE INTO ol_drivers VALUES (%s, %s, %s, %s, %s, %s, %s)", 7, *identity, beats)

    def be(self, version: int) -> None:
        self.run("UPDATE ol_versions SET version = %s", version)

    def be_foreign(self) -> None:
        self.run("CREATE TABLE ol_versions AS SELECT 1 AS version; CREATE TABLE ol_runs (a INT)")

    def content(self) -> Any:
        with closing(pymysql.connect(**Address(self.url).connect_arguments())) as connection:
            cursor = connection.cursor()
            cursor.execute("SHOW TABLES")
            return sorted(cursor.fetchall())


class OldRedis(Old):
    def run(self, command: str, name: str, *words: str) -> None:
        server, _, prefix = self.url.partition("?prefix=")
        with closing(Redis.from_url(server)) as client:
            client.execute_command(command, f"{prefix}:{name}", *words)

    def make(self) -> None:
        for line in (self._plugins / "store-redis/tests/old/version_1.jsonl").read_text(encoding="utf-8").splitlines():
            self.run(*json.loads(line))

    def enroll(self, identity: ProcessIdentity, beats: int = 0) -> None:
        self.run("HSET", "drivers", "7", json.dumps(identity))
        self.run("HSET", "beats", "7", str(beats))

    def be(self, version: int) -> None:
        self.run("SET", "layout", str(version))

    def be_foreign(self) -> None:
        self.run("RPUSH", "layout", "1")

    def content(self) -> Any:
        server, _, prefix = self.url.partition("?prefix=")
        with closing(Redis.from_url(server)) as client:
            found: Any = client.keys(f"{prefix}:*")
            return {key: client.dump(key) for key in found}


@pytest.fixture(params=["sqlite", "mariadb", "redis"])
def empty(request: pytest.FixtureRequest, tmp_path: Path, private_server: Callable[[str], Any], root: Path) -> Old:
    """A store of each kind that nobody has made yet."""
    if request.param == "sqlite":
        return OldSQLite(f"sqlite:///{tmp_path}/runs.db", root)
    server = private_server(request.param)
    if request.param == "mariadb":
        return OldMySQL(server.new_database(), root)
    return OldRedis(f"{server.url}?prefix=old-{uuid4().hex}", root)


@pytest.fixture
def old(empty: Old) -> Old:
    """A store of each kind that version 1 has made."""
    empty.make()
    return empty


def dead() -> ProcessIdentity:
    """Return the identity of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        return ProcessIdentity.of(process.pid)


def test_runs_of_an_older_version_go_on(old: Old, shell: Shell) -> None:
    store = ("--store", old.url)
    refused = shell.call("runs", *store)
    assert (refused.code, "run: orderlines migrate --store " in refused.err) == (4, True)
    told = shell.call("migrate", "--dry-run", *store)
    assert (told.code, "would be upgraded from schema version 1 to 2" in told.out) == (0, True)
    assert shell.call("runs", *store).code == 4
    done = shell.call("migrate", "--json", *store)
    assert done.code == 0, done.err
    backup = done.document.pop("backup")
    assert (backup is not None) == old.url.startswith("sqlite:")
    assert {**done.document, "backup": None, "store": ""} == {
        "store": "", "found": 1, "needed": 2, "steps": [2], "backup": None, "dry_run": False,
    }  # fmt: skip
    runs = {run["key"]: run["run"] for run in shell.call("runs", "--json", *store).document["runs"]}
    assert shell.call("signal", runs["open"], "go", *store).code == 0
    joined = shell.call("run", "--key", "open", "--json", shell.flow(FLOW), *store)
    found = joined.document
    assert (joined.code, found["run"]) == (0, runs["open"])
    assert (found["status"], found["variables"]) == ("SUCCESS", {"n": 8})
    again = shell.call("migrate", *store)
    assert (again.code, again.out.endswith(" is up to date: schema version 2\n")) == (0, True)
    with closing(open_store(old.url)) as opened:
        (queued,) = (run for run in opened.runs(9) if run.key == "queued")
        assert opened.waiting() == {"gpu": pytest.approx(queued.created, abs=0.1)}


def test_what_lives_on_a_store_is_named(old: Old, shell: Shell) -> None:
    old.enroll(HERE)
    refused = shell.call("migrate", "--store", old.url)
    assert (refused.code, refused.out) == (2, "")
    assert (
        f"drivers work on it, and would go on in the old way: process {os.getpid()} on {HERE.host}; end" in refused.err
    )
    assert old.upgrade.state().version == 1
    old.enroll(dead())
    assert shell.call("migrate", "--store", old.url).code == 0
    with closing(open_store(old.url)) as store:
        assert store.drivers() == []


def test_a_driver_elsewhere_is_dead_once_its_lease_has_stood_still(old: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrading, "LEASE", 0.05)
    monkeypatch.setattr(migrating, "_LOOK", 0.02)
    old.enroll(ELSEWHERE)
    told: list[str] = []

    def renewed(text: str) -> None:
        told.append(text)
        old.enroll(ELSEWHERE, beats=len(told))

    with pytest.raises(Refused, match="process 77 on far"):
        migrating.migrate(old.upgrade, lambda: open_store(old.url), renewed)
    assert old.upgrade.state().version == 1
    done = migrating.migrate(old.upgrade, lambda: open_store(old.url), told.append)
    assert done.steps == [2]
    assert [" to see whether these have died" in text for text in told] == [True, True]
    with closing(open_store(old.url)) as store:
        assert store.drivers() == []


@pytest.mark.parametrize(
    ("version", "told"), [(9, "a newer orderlines made it: upgrade orderlines"), (-1, "upgrades from version 1 on")]
)
def test_a_version_to_which_no_step_leads_is_refused(old: Old, shell: Shell, version: int, told: str) -> None:
    if isinstance(old, OldRedis) and version < 0:
        version = 0
    old.be(version)
    for options in ([], ["--dry-run"]):
        refused = shell.call("migrate", "--store", old.url, *options)
        assert (refused.code, refused.out) == (2, "")
        assert told in refused.err
    assert old.upgrade.state().version == version


def test_where_there_is_no_store_none_is_made(empty: Old, shell: Shell, tmp_path: Path) -> None:
    for options in ([], ["--dry-run"], ["--json"]):
        refused = shell.call("migrate", "--store", empty.url, *options)
        assert (refused.code, "there is no store at " in refused.err) == (2, True)
    assert list(tmp_path.iterdir()) == []
    if not isinstance(empty, OldSQLite):
        assert empty.upgrade.state().version is None


def test_what_is_another_applications_is_refused_and_left_as_it_is(empty: Old, shell: Shell) -> None:
    empty.be_foreign()
    before = empty.content()
    for options in ([], ["--dry-run"], ["--json"]):
        refused = shell.call("migrate", "--store", empty.url, *options)
        assert (refused.code, " left as " in refused.err) == (2, True), refused.err
    assert empty.content() == before


def test_a_new_store_is_up_to_date(empty: Old, shell: Shell) -> None:
    open_store(empty.url).close()
    done = shell.call("migrate", "--json", "--store", empty.url)
    assert (done.code, done.document["steps"], done.document["backup"]) == (0, [], None)


def test_of_several_at_once_one_upgrades(old: Old, shell: Shell, tmp_path: Path) -> None:
    begun = [shell.begin("migrate", "--json", "--store", old.url) for _ in range(4)]
    ran = [shell.finish(process) for process in begun]
    assert [done.code for done in ran] == [0] * 4, [done.err for done in ran]
    assert old.upgrade.state().version == 2
    assert len(list(tmp_path.glob("*.bak"))) == isinstance(old, OldSQLite)
    with closing(open_store(old.url)) as store:
        assert len(store.runs(9)) == 3


def test_a_backup_is_a_store_of_the_older_version(shell: Shell, tmp_path: Path, root: Path) -> None:
    old = OldSQLite(f"sqlite:///{tmp_path}/runs.db", root)
    old.make()
    done = shell.call("migrate", "--store", old.url)
    (kept,) = tmp_path.glob("*.bak")
    assert done.out.startswith(f"as it was, it is kept in {kept}\n")
    shutil.move(kept, tmp_path / "runs.db")
    assert shell.call("migrate", "--no-backup", "--store", old.url).code == 0
    assert list(tmp_path.glob("*.bak")) == []


def test_a_store_that_is_away_is_said_to_be(shell: Shell) -> None:
    for url in ("mysql://u:secret@127.0.0.1:1/db", "redis://:secret@127.0.0.1:1/0", "sqlite:////no/such/folder/x.db"):
        done = shell.call("migrate", "--store", url)
        assert (done.code, "secret" in done.err, "Traceback" in done.err) == (4, False, False)
