"""A run comes to the same whoever drives it, dies over it, stops, pauses and retries it: what has ended is kept."""

from __future__ import annotations

import os
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.disturbed_flows import DisturbedFlow
from tests.disturbing import Game

from orderlines import draining, driver
from orderlines.stores.sqlite import SQLiteStore
from orderlines.testing import witness

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("kit", "hasty")

SEEDS = range(int(os.environ["ORDERLINES_CHAOS"])) if os.environ.get("ORDERLINES_CHAOS") else range(4)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let drivers look round all the time, and do the same however fast the machine is."""
    monkeypatch.setattr(driver, "POLL", 0.0)
    monkeypatch.setattr(driver, "GROUP", 60.0)
    monkeypatch.setattr(draining, "QUICK", 60.0)
    monkeypatch.setattr(witness, "clock", witness.clock)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_disturbances_make_no_difference(seed: int, workers: int, tmp_path: Path) -> None:
    came = []
    for name, count, acts in (("calm", 1, 0), ("disturbed", workers, 12)):
        folder = tmp_path / name
        folder.mkdir()
        chance = Random(seed)  # noqa: S311 -- repeatable on purpose
        make = partial(SQLiteStore, f"sqlite:///{folder}/runs.db")
        game = Game(DisturbedFlow(seed, folder), folder, make, chance, workers=count, acts=acts)
        came.append(game.play())
    assert came[1] == came[0], game.history
    assert came[0].status == "SUCCESS"
