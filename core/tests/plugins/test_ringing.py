"""What becomes of a bell where no plugin is installed that could ring it, or the one that could is broken."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.engine import Engine, open_store
from orderlines.testing.drivers.played import PlayedDriver
from orderlines.testing.drivers.records import new_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from orderlines.stores.base import Store

BROKEN = """\
import nowhere_at_all
from orderlines.plugins import hookimpl
ORDERLINES_API = 1

@hookimpl
def orderlines_executors():
    return []
"""
QUEUE = "redis://127.0.0.1:1/0"
HEAD = "workers look for lines instead of being told of them: there is no executor 'rq'; "


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with a run that a worker had, and has given back."""
    opened = open_store(f"sqlite:///{tmp_path}/runs.db")
    opened.accept(new_run(queue="default"))
    worker = PlayedDriver(opened)
    opened.release(worker.id, [line.id for line in opened.claim(worker.id, None, 9, ["default"])])
    yield opened
    opened.close()


def told(store: Store, site: Any, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what is logged when workers are to be told of the run."""
    with caplog.at_level(logging.WARNING), Engine(store, registry=site.registry(), queue=QUEUE) as one:
        assert len(one.recover()) == 1
    return [record.message for record in caplog.records]


def test_without_a_plugin_that_rings_it_is_said_what_brings_it(
    store: Store, site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert told(store, site, caplog) == [f"{HEAD}`pip install orderlines-executor-rq` brings it"]


def test_where_the_plugin_that_rings_is_broken_it_is_said_why(
    store: Store, site: Any, caplog: pytest.LogCaptureFixture
) -> None:
    # A package of another name than the one that may be installed, and imported, in earnest.
    (site.folder / "broken_bells").mkdir()
    site.module("broken_bells", "plugin", BROKEN)
    site.describe("orderlines-executor-rq", "[orderlines]\nmain = broken_bells.plugin\n")
    (message,) = told(store, site, caplog)
    assert message.startswith(f"{HEAD}the plugin orderlines-executor-rq is broken and may offer it: ")
    assert "No module named 'nowhere_at_all'" in message
