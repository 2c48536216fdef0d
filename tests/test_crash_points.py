"""Every crash point: an engine is killed before and after each of its writes, and another one goes on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from orderlines.testing.crashes import SHAPES, crash

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LEAST = 3
"""Writes that every flow takes, however many steps are kept in one: accepting, beginning, ending. So many kills hit."""
pytestmark = pytest.mark.usefixtures("kit")
SPARSE = 16
"""On a server, one point in so many is tried, unless all are asked for: each takes a second."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_kill_at_a_write_loses_or_repeats_recorded_work(shape: str, when: str, tmp_path: Path) -> None:
    """Engine killed between "run accepted" and the first step, after a step's commit, after the side effect and before
    the completion's commit: it goes on after recovery; what was recorded is not repeated.
    """
    number = 0
    killed = True
    while killed:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        killed = crash(f"sqlite:///{folder}/runs.db", folder, shape, number, when)
    assert number > LEAST


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("shape", SHAPES if os.environ.get("ORDERLINES_CHAOS") else list(SHAPES)[::2])
def test_no_kill_at_a_write_on_a_server_does(
    shape: str, when: str, tmp_path: Path, databases: Callable[[], str]
) -> None:
    apart = 1 if os.environ.get("ORDERLINES_CHAOS") else SPARSE
    # Each shape begins with another point, so that together they try early ones and late ones.
    number = 1 + list(SHAPES).index(shape) % min(apart, LEAST)
    first, killed = number, True
    while killed:
        folder = tmp_path / str(number)
        folder.mkdir()
        killed = crash(databases(), folder, shape, number, when)
        number += apart
    assert number > first + apart
