"""Each workload of the benchmarks runs, tiny, and comes to a figure for each side."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

WORKLOADS = {
    "W1": ["W1", "W1-full", "W1-command"],
    "W2": ["W2", "W2-command"],
    "W3": ["W3"],
    "W4": ["W4"],
    "W5": ["W5"],
    "W6": ["W6", "W6-version", "W6-help"],
    "W7": ["W7-growth", "W7-memory"],
    "W10": ["W10"],
    "W11": ["W11"],
}


def benchmarks(root: Path, *arguments: str, module: str = "benchmarks") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=120)


def measured(root: Path, name: str) -> list[dict[str, Any]]:
    done = benchmarks(root, name, "--scale", "0.005", "--repeat", "2", "--json")
    assert done.returncode == 0, done.stderr
    workloads: list[dict[str, Any]] = json.loads(done.stdout)["workloads"]
    return workloads


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_has_figures(name: str, root: Path) -> None:
    shown = measured(root, name)
    assert [workload["workload"] for workload in shown] == WORKLOADS[name]
    for workload in shown:
        sides = {side["side"]: side["values"] for side in workload["sides"]}
        # the difference of two processes drowns in noise where it is of five nodes
        sure = [
            values for side, values in sides.items() if not (side == "orderlines" and "command" in workload["workload"])
        ]
        assert len(sides) == (3 if name == "W4" else 2)
        assert {len(values) for values in sides.values()} == {2}
        assert min(map(min, sure)) > 0


def test_the_table_names_what_is_kept(root: Path) -> None:
    done = benchmarks(root, "W1", "--scale", "0.005", "--repeat", "1")
    assert done.returncode == 0, done.stderr
    assert "synchronous=NORMAL" in done.stdout
    assert "synchronous=FULL" in done.stdout
    assert done.stdout.count("\n  orderlines ") == 3


def test_an_unknown_workload_is_refused(root: Path) -> None:
    done = benchmarks(root, "W99")
    assert done.returncode == 2
    assert "W99" in done.stderr


def test_a_step_is_shown_part_by_part(root: Path) -> None:
    done = benchmarks(root, "--nodes", "5", "--repeat", "1", module="benchmarks.parts")
    assert done.returncode == 0, done.stderr
    names = [line.split(" us  ")[1] for line in done.stdout.splitlines()]
    assert len(names) == 12
    assert names[-1] == "a step, without them"
