from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from orderlines.errors import StoreUnavailable
from orderlines.stores.sqlite import SQLiteStore
from orderlines.stores.sqlite.results import SQLiteResults
from orderlines.testing.results import ResultStoreTests

if TYPE_CHECKING:
    from pathlib import Path


class TestSQLiteResults(ResultStoreTests):
    kind = SQLiteResults
    unreachable = "sqlite:////no/such/folder/values.db"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/one.db"


def test_values_may_be_in_the_file_of_the_store(url: str) -> None:
    store = SQLiteStore(url)
    results = SQLiteResults(url)
    reference = results.put(store.identity(), "run", "text")
    assert results.get(reference) == "text"
    assert store.runs(1) == []
    results.close()
    store.close()


def test_a_file_of_values_is_not_taken_for_a_store(url: str) -> None:
    SQLiteResults(url).close()
    with pytest.raises(StoreUnavailable, match="holds other tables"):
        SQLiteStore(url)
    SQLiteResults(url).close()


def test_the_database_of_something_else_is_refused(url: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "one.db")) as db:
        db.execute("CREATE TABLE songs (name TEXT)")
    with pytest.raises(StoreUnavailable, match="holds other tables"):
        SQLiteResults(url)


def test_to_look_for_a_place_makes_no_file(tmp_path: Path) -> None:
    assert not SQLiteResults.is_there(f"sqlite:///{tmp_path}/none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_place_is_the_same_wherever_it_is_named_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    named = SQLiteResults.place_of("sqlite:///a b?.db".replace("?", "%3F"))
    assert named == SQLiteResults.place_of(f"sqlite:///{tmp_path}/a%20b%3F.db?synchronous=full")
