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
WHOLE = bool(os.environ.get("ORDERLINES_CHAOS"))
EVERY = 1 if WHOLE else 3
"""One point in so many is tried: the first, fourth ... before the write, the third, sixth ... after it."""
SPARSE = 1 if WHOLE else 16
"""The same on a server, where each takes a second."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_kill_at_a_write_loses_or_repeats_recorded_work(shape: str, when: str, tmp_path: Path) -> None:
    """Engine killed between "run accepted" and the first step, after a step's commit, after the side effect and before
    the completion's commit: it goes on after recovery; what was recorded is not repeated.
    """
    number = EVERY if when == "after" else 1
    killed = True
    while killed:
        folder = tmp_path / str(number)
        folder.mkdir()
        killed = crash(f"sqlite:///{folder}/runs.db", folder, shape, number, when)
        number += EVERY
    assert number > LEAST + EVERY


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("shape", SHAPES if WHOLE else list(SHAPES)[::2])
def test_no_kill_at_a_write_on_a_server_does(
    shape: str, when: str, tmp_path: Path, databases: Callable[[], str]
) -> None:
    # Each shape begins with another point, so that together they try early ones and late ones.
    number = 1 + list(SHAPES).index(shape) % min(SPARSE, LEAST)
    first, killed = number, True
    while killed:
        folder = tmp_path / str(number)
        folder.mkdir()
        killed = crash(databases(), folder, shape, number, when)
        number += SPARSE
    assert number > first + SPARSE
