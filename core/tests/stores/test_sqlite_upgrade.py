"""Upgrading an SQLite file that version 1 has made."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orderlines.errors import Refused, StoreUnavailable, UsageError
from orderlines.processes.identity import ProcessIdentity
from orderlines.stores.sqlite import SQLiteStore, upgrade
from orderlines.stores.sqlite.results import SQLiteResults
from orderlines.stores.sqlite.schema import SCHEMA_VERSION
from orderlines.stores.sqlite.upgrade import SQLiteUpgrade
from orderlines.stores.sqlite.upgrades import STEPS, Step
from orderlines.stores.upgrading import SchemaState

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD = Path(__file__).parent / "old" / "version_1.sql"
VALUES = """CREATE TABLE large_values (
    run TEXT NOT NULL, sha256 TEXT NOT NULL, store TEXT NOT NULL, written REAL NOT NULL, body BLOB NOT NULL,
    UNIQUE (run, sha256)
);
INSERT INTO large_values VALUES ('r', 's', 't', 1.0, x'00');
PRAGMA user_version=1;
"""
VICTIM = """
import os, signal, sqlite3, sys
from functools import partial

url, last = sys.argv[1], int(sys.argv[2])
count = 0

class Killing(sqlite3.Connection):
    def execute(self, *arguments):
        global count
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(*arguments)

    def backup(self, target):
        def strike(status, remaining, total):
            if last < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        super().backup(target, pages=10, progress=strike)

sqlite3.connect = partial(sqlite3.connect, factory=Killing)
from orderlines.stores.sqlite.upgrade import SQLiteUpgrade

SQLiteUpgrade(url).run([])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a store that version 1 has made."""
    path = tmp_path / "old store.db"
    write(path, OLD.read_text(encoding="utf-8"))
    return path


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:///{path}"


def write(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(script)


def content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [*db.iterdump(), str(db.execute("PRAGMA user_version").fetchone())]


def victim(url: str, last: int) -> int:
    return subprocess.run([sys.executable, "-c", VICTIM, url, str(last)], check=False, timeout=60).returncode


def kinds(path: Path) -> Iterator[tuple[str, ...]]:
    """Yield the columns of every table, and what indices there are: in an upgraded file they stand in another order."""
    with closing(sqlite3.connect(path)) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            yield (table, *sorted(str(row[1:]) for row in db.execute(f"PRAGMA table_info({table})")))
        yield from db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index'")


def test_every_version_has_a_step() -> None:
    assert [step.version for step in STEPS] == list(range(2, SCHEMA_VERSION + 1))


def test_an_upgraded_file_is_as_a_new_one(path: Path, url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=f"schema version 1, .* run: orderlines migrate --store '{url}'"):
        SQLiteStore(url)
    before = content(path)
    done = SQLiteUpgrade(url).run([])
    assert done.steps == [2]
    assert done.backup is not None
    assert content(Path(done.backup)) == before
    SQLiteStore(f"sqlite:///{tmp_path}/new.db").close()
    assert sorted(kinds(path)) == sorted(kinds(tmp_path / "new.db"))
    with closing(SQLiteStore(url)) as store:
        (run,) = (run for run in store.runs(9) if run.key == "queued")
        assert store.waiting() == {"gpu": pytest.approx(run.created, abs=0.1)}


def test_one_that_is_killed_at_any_statement_is_gone_on_with(path: Path, url: str, tmp_path: Path) -> None:
    before = content(path)
    SQLiteUpgrade(url).run([], backup=False)
    whole = content(path)
    kills = 0
    while True:
        path.unlink()
        write(path, OLD.read_text(encoding="utf-8"))
        ended = victim(url, kills + 1)
        if ended == 0:
            break
        kills += 1
        assert ended == -signal.SIGKILL
        assert SQLiteUpgrade(url).state() in {SchemaState(1), SchemaState(2)}
        assert content(path) in (before, whole)
        SQLiteUpgrade(url).run([], backup=False)
        assert content(path) == whole
        SQLiteStore(url).close()
    assert kills >= len(STEPS[0].runs) + len(["BEGIN", "user_version", "COMMIT"])
    assert content(path) == whole
    assert all(content(kept) == before for kept in tmp_path.glob("*.bak"))


def test_what_stands_in_the_log_of_one_that_was_killed_is_kept(path: Path, url: str, tmp_path: Path) -> None:
    script = (
        "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "db.execute('PRAGMA journal_mode=WAL'); db.execute(\"UPDATE runs SET status = 'LOGGED'\"); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, timeout=60)
    assert (tmp_path / "old store.db-wal").stat().st_size > 0
    done = SQLiteUpgrade(url).run([])
    for kept in (path, Path(done.backup or "")):
        assert "".join(content(kept)).count("'LOGGED'") == 3


def test_a_copy_that_was_not_whole_is_not_taken_for_one(path: Path, url: str, tmp_path: Path) -> None:
    assert victim(url, -1) == -signal.SIGKILL
    assert list(tmp_path.glob("*.bak")) == []
    done = SQLiteUpgrade(url).run([])
    assert [str(kept) for kept in tmp_path.glob("*.bak*")] == [done.backup]
    assert SQLiteUpgrade(url).state() == SchemaState(2)
    assert path.stat().st_mode == Path(done.backup or "").stat().st_mode


def test_a_step_that_fails_leaves_nothing_and_those_before_it_stand(path: Path, url: str) -> None:
    bad = Step(3, runs=("CREATE TABLE more (a)", "CREATE TABLE more (a)"))
    with pytest.raises(StoreUnavailable, match="table more already exists"):
        SQLiteUpgrade(url, (*STEPS, bad)).run([])
    assert SQLiteUpgrade(url).state() == SchemaState(2)
    assert "more" not in "".join(content(path))
    good = Step(3, runs=("CREATE TABLE more (a)",), values=("ALTER TABLE large_values ADD COLUMN more",))
    assert SQLiteUpgrade(url, (*STEPS, good)).run([]).steps == [3]
    with pytest.raises(StoreUnavailable, match="a newer orderlines made it: upgrade orderlines"):
        SQLiteStore(url)


def test_a_file_of_large_values_alone_is_upgraded_as_well(tmp_path: Path) -> None:
    path = tmp_path / "values.db"
    write(path, VALUES)
    url = f"sqlite:///{path}"
    with pytest.raises(StoreUnavailable, match="orderlines migrate"):
        SQLiteResults(url)
    found = SQLiteUpgrade(url)
    assert (found.drivers(), found.run([]).steps) == ([], [2])
    with closing(SQLiteResults(url)) as results:
        assert [old.run for old in results.old("t", 0.0)] == ["r"]


def test_nobody_else_may_have_it_open(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    SQLiteUpgrade(url).run([], backup=False)
    more = (*STEPS, Step(3, runs=("CREATE TABLE more (a)",)))
    monkeypatch.setattr(upgrade, "PATIENCE", 0.1)
    with closing(SQLiteStore(url)):
        with pytest.raises(Refused, match=r"another process has .* open, or is upgrading it; end every program"):
            SQLiteUpgrade(url, more).run([])
        assert SQLiteUpgrade(url).state() == SchemaState(2)
    assert SQLiteUpgrade(url, more).run([]).steps == [3]


def test_one_that_is_being_upgraded_for_long_is_said_to_be(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "PATIENCE", 0.1)
    told: list[str] = []

    class Slow:
        version, values = 2, ()

        @property
        def runs(self) -> tuple[str, ...]:
            """What is done while the step is under way: another one comes."""
            for act in (SQLiteUpgrade.state, lambda found: found.run([])):
                with pytest.raises(Refused, match="or is upgrading it") as caught:
                    act(SQLiteUpgrade(url))
                told.append(str(caught.value))
            return STEPS[0].runs

    SQLiteUpgrade(url, (Slow(),)).run([], backup=False)  # type: ignore[arg-type]
    assert len(told) == 2
    SQLiteStore(url).close()


def test_a_driver_that_is_not_known_to_be_dead_keeps_it_as_it_is(path: Path, url: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO drivers VALUES (?, ?, ?, ?, ?, ?, ?)", (7, *ProcessIdentity.current(), 0))
    with pytest.raises(Refused, match="with the numbers 7; end them"):
        SQLiteUpgrade(url).run([6])
    assert SQLiteUpgrade(url).state() == SchemaState(1)
    assert SQLiteUpgrade(url).run([7]).steps == [2]


@pytest.mark.parametrize(
    "script",
    [
        "PRAGMA journal_mode=WAL; CREATE TABLE songs (a)",
        "CREATE TABLE runs (a); PRAGMA user_version=1",
        "CREATE VIEW songs AS SELECT 1",
    ],
)
def test_a_database_of_something_else_is_left_alone(tmp_path: Path, script: str) -> None:
    path = tmp_path / "theirs.db"
    write(path, script)
    before = path.read_bytes()
    for act in (SQLiteUpgrade.state, SQLiteUpgrade.drivers, lambda found: found.run([])):
        with pytest.raises(UsageError, match="holds other tables"):
            act(SQLiteUpgrade(f"sqlite:///{path}"))
    assert path.read_bytes() == before


def test_a_file_that_is_none_of_sqlite_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    path.write_text("a letter, and a long one\n" * 99, encoding="utf-8")
    before = path.read_bytes()
    for act in (SQLiteUpgrade.state, lambda found: found.run([])):
        with pytest.raises(UsageError, match="is not an SQLite file; name another one"):
            act(SQLiteUpgrade(f"sqlite:///{path}"))
    assert [(each, each.read_bytes()) for each in tmp_path.iterdir()] == [(path, before)]


def test_no_file_is_made(tmp_path: Path) -> None:
    for act in (SQLiteUpgrade.state, lambda found: found.run([])):
        with pytest.raises(StoreUnavailable, match="cannot open"):
            act(SQLiteUpgrade(f"sqlite:///{tmp_path}/none.db"))
    assert list(tmp_path.iterdir()) == []
