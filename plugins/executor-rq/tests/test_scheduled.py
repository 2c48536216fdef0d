"""Runs that schedules start reach workers, whether the flow says so or the scheduler leaves all runs to them."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rq_plant import Plant


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
