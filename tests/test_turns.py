"""A run comes to the same whether one driver makes it or several take turns, which come and go and forget."""

from __future__ import annotations

import json
import os
import time
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from tests.random_flows import SUB, RandomFlow

import orderlines
from orderlines.acceptance import new_run
from orderlines.draining import Drainer
from orderlines.plugins import registry
from orderlines.stores.sqlite import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("kit")

SEEDS = range(400) if os.environ.get("ORDERLINES_CHAOS") else (2, 4)


class Played:
    """One run of a flow in a store of its own, for workers.

    :param folder: a new folder.
    """

    def __init__(self, document: dict[str, Any], folder: Path) -> None:
        folder.mkdir()
        (folder / "sub.json").write_text(json.dumps(SUB), encoding="utf-8")
        (folder / "flow.json").write_text(json.dumps(document), encoding="utf-8")
        self._url = f"sqlite:///{folder}/runs.db"
        self._store = SQLiteStore(self._url)
        flow = orderlines.load(folder / "flow.json")
        given = {**document["vars"], "folder": str(folder)}
        self._run = self._store.accept(new_run(flow, given, None, None)._replace(queue="default"))

    def over(self) -> bool:
        row = self._store.run(self._run.id)
        return row is not None and row.finished is not None

    def worker(self) -> Drainer:
        return Drainer(SQLiteStore(self._url), registry(), ["default"])

    def came_to(self) -> tuple[str, dict[str, Any], list[str]]:
        """Return the status, the variables, and what every task came to, in any order."""
        row = self._store.run(self._run.id)
        assert row is not None
        tasks = [
            json.dumps([kept.line, task.node, task.visit, task.status, task.attempt, task.result, task.assigned])
            for kept in self._store.tasks(self._run.id)
            for task in [kept.task]
        ]
        variables = json.loads(row.variables or "{}")
        variables.pop("folder", None)
        self._store.close()
        return row.status, variables, sorted(tasks)


def leave(worker: Drainer) -> None:
    worker.close()
    worker.part()
    worker.store.close()


def alone(played: Played) -> None:
    worker = played.worker()
    while not played.over():
        worker.drain(time.monotonic() + 1)
    leave(worker)


def in_turns(played: Played, chance: Random) -> None:
    """Have three workers go on with it for moments, one after the other; now and then one leaves for a new one."""
    workers = [played.worker() for _ in range(3)]
    while not played.over():
        place = chance.randrange(len(workers))
        if chance.random() < 0.1:
            leave(workers[place])
            workers[place] = played.worker()
        workers[place].drain(time.monotonic() + chance.choice([0.0005, 0.002, 0.01]))
    for worker in workers:
        leave(worker)


def forgetful(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("orderlines.driving.serving.MAX_JOINS", 1)


@pytest.mark.parametrize("remembers", [id, forgetful], ids=["remembering", "forgetful"])
@pytest.mark.parametrize("seed", SEEDS)
def test_who_drives_it_makes_no_difference(
    seed: int, remembers: Callable[[pytest.MonkeyPatch], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = RandomFlow(seed).document
    by_one, by_many = Played(document, tmp_path / "one"), Played(document, tmp_path / "many")
    alone(by_one)
    remembers(monkeypatch)
    in_turns(by_many, Random(seed))  # noqa: S311 -- repeatable on purpose
    expected = by_one.came_to()
    assert by_many.came_to() == expected
    assert expected[0] == "SUCCESS", (expected[0], document)
