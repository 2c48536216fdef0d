"""A run comes to the same whoever drives it, dies over it, pauses, stops and retries it: what has ended is kept."""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

import pytest
from tests.disturbed_flows import DisturbedFlow
from tests.disturbing import Game

from orderlines import draining, driver
from orderlines.opening import store_kind
from orderlines.plugins import registry
from orderlines.testing import witness

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.disturbing import Came, Given

pytestmark = pytest.mark.usefixtures("kit", "hasty")

CHAOS = bool(os.environ.get("ORDERLINES_CHAOS"))
SEEDS = range(200) if CHAOS else range(3)
SEEDS_OF_SERVERS = range(20) if CHAOS else (0,)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let drivers look round all the time, and do the same however fast the machine is."""
    monkeypatch.setattr(driver, "POLL", 0.0)
    monkeypatch.setattr(driver, "GROUP", 60.0)
    monkeypatch.setattr(draining, "QUICK", 60.0)
    monkeypatch.setattr(witness, "clock", witness.clock)
    monkeypatch.setenv("ORDERLINES_LEASE", "1h")  # Nobody keeps those of the game's workers.


def play(seed: int, folder: Path, url: str, given: Given, workers: int = 1, acts: int = 0) -> tuple[Came, Game]:
    """Return what a run comes to."""
    folder.mkdir()
    kind = store_kind(url, registry())
    chance = Random(seed)  # noqa: S311 -- repeatable on purpose
    flow = DisturbedFlow(seed, folder)
    game = Game(flow, folder, lambda: kind(url), chance, given=given, workers=workers, acts=acts)
    return game.play(), game


@pytest.mark.parametrize("remembers", [True, False], ids=["remembering", "forgetful"])
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_disturbances_make_no_difference(
    seed: int, workers: int, remembers: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        if not remembers:
            patch.setattr("orderlines.driving.serving.MAX_JOINS", 1)
            patch.setattr("orderlines.line.walk.SNAPSHOT_EVERY", 3)
        disturbed, game = play(seed, tmp_path / "disturbed", f"sqlite:///{tmp_path}/disturbed.db", {}, workers, 20)
    calm, _ = play(seed, tmp_path / "calm", f"sqlite:///{tmp_path}/calm.db", game.given)
    assert disturbed == calm, game.history


@pytest.mark.parametrize("seed", SEEDS_OF_SERVERS)
def test_disturbances_make_no_difference_on_servers(seed: int, tmp_path: Path, databases: Callable[[], str]) -> None:
    disturbed, game = play(seed, tmp_path / "disturbed", databases(), {}, 3, 20)
    calm, _ = play(seed, tmp_path / "calm", f"sqlite:///{tmp_path}/calm.db", game.given)
    assert disturbed == calm, game.history
