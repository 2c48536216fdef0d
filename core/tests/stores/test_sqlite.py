from __future__ import annotations

import gc
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orderlines.errors import Forked, StoreUnavailable, UsageError
from orderlines.stores.records import AttemptRow, LogRow, ProgressRow
from orderlines.stores.sqlite import SQLiteStore
from orderlines.testing.drivers.played import PlayedDriver, everything
from orderlines.testing.drivers.records import new_run, step, task
from orderlines.testing.stores import StoreTests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.stores.records import LineRow

WITHOUT_RUNS = {"drivers", "followers", "store", "large_values", "sqlite_sequence", "schedules", "slots"}
"""Tables in which a run leaves no row of its own."""
LARGE = task(result="x" * 20_000)


class TestSQLite(StoreTests):
    kind = SQLiteStore
    unreachable = "sqlite:////no/such/folder/orderlines.db"

    def test_no_table_keeps_a_row_of_a_run_that_was_pruned(self, driver: PlayedDriver) -> None:
        store = driver.store
        assert isinstance(store, SQLiteStore)
        before = rows(store)
        run, keyed = self.full(driver), self.ended(driver, key="k")
        for (table, count), (_, least) in zip(rows(store).items(), before.items(), strict=True):
            assert count > least or table in WITHOUT_RUNS
        store.prune([run, keyed], store.now() + 1)
        line = LogRow(run, 1, "node", 1, 1, 1.0, None, "late")
        store.keep_logs([line])
        store.keep_progress([ProgressRow(run, 1, 0, 0, "[1]")])
        store.late(1, AttemptRow("node", 1, 1, 1.0, 2.0, "{}"))
        left = {**before, "runs": 1, "flows": 1}
        assert rows(store) == {**left, "sqlite_sequence": rows(store)["sqlite_sequence"]}


def rows(store: SQLiteStore) -> dict[str, int]:
    with store._connections.reading() as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {table: db.execute("SELECT count(*) FROM " + table).fetchone()[0] for table in tables}  # noqa: S608 -- names from the schema


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(f"sqlite:///{path}")
    yield store
    store.close()


@pytest.mark.parametrize("content", [b"not a database, but a text that is long enough to look at" * 20, b"\0" * 4096])
def test_a_file_of_another_kind_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="not an SQLite file"):
        SQLiteStore(f"sqlite:///{path}")
    assert path.read_bytes() == content


@pytest.mark.parametrize("version", [0, 1, 99])
@pytest.mark.parametrize("table", ["songs", "runs"])
def test_a_database_of_something_else_is_refused_and_left_alone(path: Path, table: str, version: int) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"CREATE TABLE {table} (name TEXT)")
        db.execute(f"PRAGMA user_version={version}")
    content = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="holds other tables"):
        SQLiteStore(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_store_is_refused_behind_a_fork(store: SQLiteStore) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        told = b"no error"
        try:
            store.runs(1)
        except Forked as error:
            told = str(error).encode()
        finally:
            os.write(writing, told)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        assert "a fork of it" in answer.read()
    os.waitpid(child, 0)
    assert store.runs(1) == []


@pytest.mark.parametrize(("version", "hint"), [(99, "upgrade orderlines"), (-1, "orderlines migrate")])
def test_another_version_of_the_schema_is_refused_with_what_to_do(
    store: SQLiteStore, path: Path, version: int, hint: str
) -> None:
    """Schema older or newer than the code: refuses to start and says which command migrates."""
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version={version}")
    with pytest.raises(StoreUnavailable, match=hint):
        SQLiteStore(store.url)


@pytest.mark.parametrize("kind", ["folder", "missing"])
def test_a_path_that_cannot_be_a_file_is_unavailable(tmp_path: Path, kind: str) -> None:
    path = tmp_path if kind == "folder" else tmp_path / "missing" / "runs.db"
    with pytest.raises(StoreUnavailable, match="cannot open"):
        SQLiteStore(f"sqlite:///{path}")


@pytest.mark.parametrize(
    "query", ["?synchronous=off", "?mode=ro", "?synchronous", "?synchronous=full&synchronous=normal"]
)
def test_an_unknown_option_is_refused(path: Path, query: str) -> None:
    with pytest.raises(UsageError, match="synchronous"):
        SQLiteStore(f"sqlite:///{path}{query}")
    assert not path.exists()


@pytest.mark.parametrize(("query", "level"), [("", 1), ("?synchronous=normal", 1), ("?synchronous=full", 2)])
def test_the_promise_is_set_in_the_url(path: Path, query: str, level: int) -> None:
    """Power loss: with `synchronous=full` nothing acknowledged is missing, since SQLite waits for the disk."""
    store = SQLiteStore(f"sqlite:///{path}{query}")
    with store._connections.reading() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (level,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


def fill(driver: PlayedDriver, line: LineRow) -> None:
    for _ in range(1_000):
        line = driver.go(step(line, tasks=(LARGE, LARGE)))


def test_a_full_disk_leaves_whole_steps_and_goes_on_when_there_is_room(store: SQLiteStore) -> None:
    """Disk full: no half state; clear error; goes on when there is room."""
    driver = PlayedDriver(store)
    line = driver.begin()
    with store._connections.reading() as db:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count={pages + 40}")
    with pytest.raises(StoreUnavailable, match="disk is full"):
        fill(driver, line)
    line = store.line(line.id)
    assert 2 * line.seq == line.tasks == len(list(store.tasks(line.run))) > 0
    before = everything(store, line.run)
    with pytest.raises(StoreUnavailable, match="disk is full"):
        store.accept(new_run(digest="large", body="x" * 1_000_000))
    assert len(store.runs(10)) == 1
    assert everything(store, line.run) == before
    with store._connections.reading() as db:
        db.execute(f"PRAGMA max_page_count={pages + 4_000}")
    assert driver.go(step(line, tasks=(LARGE, LARGE))).tasks == line.tasks + 2


def test_a_file_that_cannot_be_opened_is_told_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreUnavailable, match=f"there is no folder {tmp_path}/no; make it"):
        SQLiteStore(f"sqlite:///{tmp_path}/no/runs.db").now()
    with pytest.raises(StoreUnavailable, match="it is a folder; name a file"):
        SQLiteStore(f"sqlite:///{tmp_path}").now()
    SQLiteStore(f"sqlite:///{tmp_path}/runs.db").close()
    for name in ("runs.db-wal", "runs.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
        (tmp_path / name).mkdir()
    monkeypatch.setattr(os, "access", lambda path, _: path != str(tmp_path))
    with pytest.raises(StoreUnavailable, match=f"{tmp_path} cannot be written to, which SQLite does even to read"):
        SQLiteStore(f"sqlite:///{tmp_path}/runs.db").now()


def test_the_default_folder_is_made_and_hidden_from_git(tmp_path: Path) -> None:
    SQLiteStore(f"sqlite:///{tmp_path}/.orderlines/orderlines.db").close()
    assert (tmp_path / ".orderlines" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_a_row_that_breaks_a_rule_is_not_taken_for_a_store_that_is_away(store: SQLiteStore) -> None:
    run = new_run()
    store.accept(run)
    with pytest.raises(sqlite3.IntegrityError):
        store.accept(run)
    assert len(store.runs(10)) == 1


def test_a_store_that_nobody_closes_is_closed_with_whatever_refers_to_it(path: Path) -> None:
    store = SQLiteStore(f"sqlite:///{path}")
    ring: list[object] = [store]
    ring.append(ring)
    assert _open_files(path)
    del store, ring
    gc.collect()  # From Python 3.13 on this complains of a connection that goes unclosed, which fails the test.
    assert not _open_files(path)


def _open_files(path: Path) -> list[str]:
    """Return what this process has open of a store's files."""
    links = (str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return [target for target in links if target.startswith(str(path))]
