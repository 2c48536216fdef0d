"""Random small flows, played by two drivers that die, leave and are refused slots, come to what the flow says."""

from __future__ import annotations

import json
import os
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderlines.acceptance import new_run
from orderlines.flow.load import load_data
from orderlines.plan import compile_plan

from .flows import Reference, flows
from .playing import Clocked, Game

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.plugins import Registry
    from orderlines.stores.sqlite import SQLiteStore

random_play = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=1_000 if os.environ.get("ORDERLINES_CHAOS") else 100,
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Clocked:
    return Clocked(f"sqlite:///{tmp_path_factory.mktemp('store')}/runs.db")


@pytest.fixture(scope="module", autouse=True)
def _snapshots() -> Iterator[None]:
    """Let snapshots of variables be as frequent as small flows need."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orderlines.line.walk.SNAPSHOT_EVERY", 3)
        yield


def _game(store: Clocked, steps: Registry, data: dict[str, Any], seed: int) -> Game:
    flow = load_data(data, steps).flow
    run = store.accept(new_run(flow, {}, None, None))
    return Game(store, run, compile_plan(flow, steps, None), Random(seed))  # noqa: S311 (it plays, and guards nothing)


@random_play
@given(data=flows(), seed=st.integers(0, 2**32))
def test_a_run_comes_to_what_walking_it_node_by_node_gives(
    store: Clocked, steps: Registry, data: dict[str, Any], seed: int
) -> None:
    game = _game(store, steps, data, seed)
    row = game.play(stop_after=None)
    expected = Reference(data)
    assert row.status == expected.status, row.error
    if row.status == "SUCCESS":
        assert json.loads(row.variables or "") == expected.variables
        done = {(kept.line, kept.task.node, kept.task.visit) for kept in _succeeded(store, row.id)}
        assert done >= _outside_failures(expected, done)


@random_play
@given(data=flows(), seed=st.integers(0, 2**32), moment=st.integers(0, 40))
def test_a_stopped_run_begins_nothing_more_and_ends_once(
    store: Clocked, steps: Registry, data: dict[str, Any], seed: int, moment: int
) -> None:
    game = _game(store, steps, data, seed)
    row = game.play(stop_after=moment)
    if row.wish == "stop":
        # A run that has failed already, and is only telling so, stays failed.
        assert row.status == "STOP" or (row.status == "FAILURE" and "on_failure" in data)
    for player in game.players:
        player.act()
    assert store.run(row.id) == row
    assert all(line.status in {"SUCCESS", "FAILURE", "STOP"} for line in store.lines(row.id))


def _succeeded(store: SQLiteStore, run: int) -> list[Any]:
    return [kept for kept in store.tasks(run) if kept.task.status == "SUCCESS"]


def _outside_failures(expected: Reference, done: set[tuple[str, str, int]]) -> set[tuple[str, str, int]]:
    """Return the tasks that must have succeeded: those of lines whose joins have, since others may be stopped early."""
    joins = {f"{line}/{node}#{visit}" for line, node, visit in done}
    return {task for task in expected.tasks if all(part in joins for part in _joins_of(task[0]))}


def _joins_of(path: str) -> list[str]:
    parts = path.split("/")[1:]
    return ["/" + "/".join(parts[: place + 1]) for place in range(0, len(parts), 2)]
