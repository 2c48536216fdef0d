"""What waits for the driver's thread is held back while others may take lines away."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from orderlines.driving.halting import Halting


def test_a_line_that_is_given_back_from_another_thread_meanwhile_harms_nobody() -> None:
    """A worker's lines are, while it holds back those that wait."""
    known: dict[int, Any] = {1: "one", 2: "two"}
    undone: list[Any] = []

    def recall(line: Any) -> bool:
        known.clear()
        return bool(line == "one")

    calls: Any = SimpleNamespace(recall=recall)
    lines: Any = SimpleNamespace(known=known)
    Halting(lines, calls, lambda held, waits: undone.append((list(held), waits))).hold_back([1, 2, 3], waits=True)
    assert undone == [(["one"], True)]
