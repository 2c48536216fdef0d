"""Runs that schedules start reach workers, whether the flow says so or the scheduler leaves all runs to them."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from rq_posts import wait_for

from orderlines.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rq_plant import Plant

NEVER = "1h"
"""The time after which workers look by themselves, where only bells are to count."""


@contextmanager
def served(plant: Plant, *arguments: str) -> Iterator[None]:
    """Let a scheduler serve meanwhile."""
    scheduler = plant.begin("scheduler", *arguments)
    try:
        yield
    finally:
        scheduler.send_signal(signal.SIGTERM)
        out, err = scheduler.communicate(timeout=30)
    assert scheduler.returncode == 0, (out, err)


def queues(plant: Plant) -> list[dict[str, Any]]:
    done = plant.call("workers", "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["queues"]
    return found


@pytest.mark.parametrize(
    ("fields", "added", "served"),
    [({"executor": "rq"}, (), ("--drive",)), ({}, ("--executor", "rq"), ("--drive",)), ({}, (), ("--no-drive",))],
    ids=["the flow", "the schedule", "the scheduler"],
)
def test_the_runs_of_a_schedule_reach_workers(
    fields: dict[str, str], added: tuple[str, ...], served: tuple[str, ...], plant: Plant
) -> None:
    flow = plant.file(plant.node("a"), **fields)
    kept = plant.call("schedule", "add", flow, "--name", "often", "--every", "1s", *added)
    assert kept.returncode == 0, kept.stderr
    worker = plant.worker()
    scheduler = plant.begin("scheduler", *served)
    try:
        plant.wait_said("end", "a", 2)
    finally:
        scheduler.send_signal(signal.SIGTERM)
        out, err = scheduler.communicate(timeout=30)
    assert scheduler.returncode == 0, (out, err)
    assert worker.process.poll() is None
    first = plant.engine.find(err.split(": run ")[1].split(" of ")[0])
    assert first.wait(30) == "SUCCESS", plant.told()


@pytest.mark.parametrize(("executor", "how"), [("rq", "--drive"), (None, "--no-drive")])
def test_the_bell_of_a_run_is_rung_when_it_is_started(executor: str | None, how: str, plant: Plant) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=2)
    engine = Engine(plant.url, executor=executor, queue=plant.queue)
    engine.schedule(plant.flow(plant.node("a")), at=soon.isoformat(timespec="seconds"))
    engine.close()
    with served(plant, how):
        wait_for(lambda: plant.store.runs(9), "the run is started")
        wait_for(lambda: [(each["bells"], each["unrung"]) for each in queues(plant)] == [(1, 0)], "its bell is rung")


def test_workers_are_told_that_a_run_gives_way_to_the_next_one(plant: Plant) -> None:
    flow = plant.file({"id": "s", "signal": "never"}, executor="rq")
    kept = plant.call("schedule", "add", flow, "--every", "1s", "--overlap", "replace")
    assert kept.returncode == 0, kept.stderr
    plant.worker(ORDERLINES_RECONCILE=NEVER)
    with served(plant):
        wait_for(lambda: {row.status for row in plant.store.runs(9)} >= {"STOP"}, f"one has ended: {plant.told()}")
