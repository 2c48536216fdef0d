"""What commands say of runs that they follow and do not drive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orderlines.acceptance import new_run
from orderlines.cli.beside import Beside
from orderlines.cli.driving import Signals, drive
from orderlines.errors import OrderlinesError, StoreUnavailable
from orderlines.flow.load import load_text
from orderlines.plugins import registry
from orderlines.processes.identity import ProcessIdentity
from orderlines.states import LineStatus
from orderlines.stores.records import Step
from orderlines.stores.sqlite.store import SQLiteStore
from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orderlines.stores.records import RunRow

FLOW = "flow: followed\nline: [{id: a, call: demo.echo, with: {value: 1}}]\n"
SOON = 0.2
"""Seconds after which it is told that a run waits for a worker."""


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderlines.cli.beside._WAITS", SOON)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(f"sqlite:///{tmp_path}/runs.db")
    yield store
    store.close()


def accepted(store: SQLiteStore) -> RunRow:
    flow = load_text(FLOW, registry()).flow
    return store.accept(new_run(flow, {}, None, None)._replace(queue="default"))


def moved(store: SQLiteStore, driver: int, run: RunRow, status: str = LineStatus.READY, **changed: Any) -> None:
    """Take the line of a run, make a step of it, and let go of it."""
    (line,) = store.claim(driver, [run.id], 1, ["default"])
    step = Step(line.id, line.run, line.epoch, line.seq, status, line.cursor, keep=False, **changed)
    assert store.commit(driver, [step])[0].refused is None


def waits_long(store: SQLiteStore) -> bool:
    since = store.waiting().get("default")
    return since is not None and store.now() - since > 2 * SOON


@pytest.mark.parametrize("status", [LineStatus.READY, LineStatus.HANDLER, LineStatus.RETRY])
def test_that_no_worker_comes_is_told_once_wherever_a_line_stands(
    status: str, store: SQLiteStore, capsys: pytest.CaptureFixture[str]
) -> None:
    run = accepted(store)
    driver = store.enroll(ProcessIdentity.current())
    moved(store, driver, run, status, due=store.now() - 1 if status == LineStatus.RETRY else None)
    beside, told = Beside(store, run, store.url), ""

    def is_told() -> bool:
        nonlocal told
        beside.attend(0.01)
        told += capsys.readouterr().err
        return bool(told)

    until(is_told, "it is told")
    assert told.startswith(f"run {run.name} waits for a worker of the queue default: orderlines worker --store ")
    for _ in range(50):
        assert is_told()
    assert told.count("\n") == 1


@pytest.mark.parametrize("why", ["served", "later", "held"])
def test_a_run_that_others_in_its_queue_hold_up_is_not_told_to_wait(
    why: str, store: SQLiteStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """Others wait for workers who have their plugins, and this one is served, or waits for a time, or is in hand."""
    accepted(store)
    until(lambda: waits_long(store), "another run waits for long")
    run = accepted(store)
    driver = store.enroll(ProcessIdentity.current())
    if why == "later":
        moved(store, driver, run, LineStatus.TIME, due=store.now() + 3600)
    elif why == "held":
        assert store.claim(driver, [run.id], 1, ["default"])
    beside = Beside(store, run, store.url)
    for _ in range(100):
        if why == "served":
            moved(store, driver, run)
        beside.attend(0.01)
    assert capsys.readouterr().err == ""


class _Away:
    """A store that cannot be reached, as its supervisor has it at the end of a command."""

    waiting = ()
    failures = {7: "there is no component library 'lost'"}  # noqa: RUF012 -- never changed

    @property
    def store(self) -> Any:
        return self

    def run(self, number: int) -> None:
        raise StoreUnavailable("it is away")


def test_why_a_run_cannot_be_driven_on_is_told_where_the_store_is_away() -> None:
    party: Any = _Away()
    with pytest.raises(OrderlinesError, match="the run is kept but cannot be driven on here: there is no component"):
        drive(party, Signals(), lambda: None)
