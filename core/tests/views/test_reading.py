"""A run is looked at again and again while it goes on, and read again only where something was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines import Engine
from orderlines.errors import UnknownRun
from orderlines.plugins import registry
from orderlines.stores.records import NewRun
from orderlines.stores.sqlite import SQLiteStore
from orderlines.views import RunReader, run_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = '{"flow": "short", "line": [{"id": "one", "start": {}}]}'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    """A store with the run ``r1``, which nobody drives."""
    opened = SQLiteStore(f"sqlite:///{tmp_path}/runs.db")
    opened.accept(NewRun("r1", "short", "1", "digest", BODY, "{}", None, None))
    yield opened
    opened.close()


def test_a_run_is_read_again_when_it_has_changed(store: SQLiteStore) -> None:
    reader = RunReader(store, "r1", registry())
    before = reader.read()
    assert (before["status"], before["tasks"]) == ("PENDING", [])
    assert reader.read() is before
    with Engine(store.url, executor="inline") as engine:
        assert [run.wait(30) for run in engine.recover()] == ["SUCCESS"]
    after = reader.read()
    assert [task["node"] for task in after["tasks"]] == ["one"]
    row = store.run("r1")
    assert row is not None
    assert after == run_document(store, row)
    assert reader.read() is after


def test_a_run_that_is_not_there_is_told(store: SQLiteStore) -> None:
    with pytest.raises(UnknownRun, match="'r2'"):
        RunReader(store, "r2").read()
