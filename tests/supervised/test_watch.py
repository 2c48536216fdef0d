"""Looking for calls that keep a driver from obeying, while others change what is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.engine import open_store
from orderlines.plugins import registry
from orderlines.processes.identity import ProcessIdentity
from orderlines.states import Halt
from orderlines.supervision.watching import Watch

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_line_that_was_taken_away_a_moment_ago_needs_no_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(f"sqlite:///{tmp_path}/runs.db")
    driver = store.enroll(ProcessIdentity.current(), 15.0)
    watch = Watch(store, registry(), driver)
    # As between two of the store's answers: it named a line which is gone when that is asked for.
    monkeypatch.setattr(store, "halted", lambda _: [(99, Halt.STOP)])
    monkeypatch.setattr(store, "owned", lambda _: [99])
    assert watch.look(0.0, None) == []
    assert watch.parting() > 0
    store.close()
