"""What was measured, as a table or as one JSON document."""

from __future__ import annotations

import os
import platform
import sqlite3
from math import floor, log10
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.measure import Figures
    from benchmarks.workload import Workload

DIGITS = 3


def machine() -> dict[str, Any]:
    """Return what figures depend on."""
    return {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }


def document(workload: Workload, figures: Sequence[Figures]) -> dict[str, Any]:
    """Return a workload's figures in its unit; ``ratio`` is to the first side, the floor."""
    factor = workload.unit.factor
    return {
        "workload": workload.name,
        "title": workload.title,
        "unit": workload.unit.name,
        "persisted": workload.persisted,
        "floor": workload.floor,
        "sides": [
            {
                "side": side.side,
                "median": side.median * factor,
                "minimum": min(side.values) * factor,
                "maximum": max(side.values) * factor,
                "ratio": side.median / figures[0].median,
                "values": [value * factor for value in side.values],
            }
            for side in figures
        ],
    }


def lines(shown: dict[str, Any]) -> Iterator[str]:
    """Yield a document as lines of a table."""
    yield f"{shown['workload']}: {shown['title']}"
    yield f"  persisted: {shown['persisted']}; floor: {shown['floor']}"
    yield f"  {'':<14} {'median':>10} {'minimum':>10} {'maximum':>10}      ratio"
    for side in shown["sides"]:
        numbers = " ".join(f"{_rounded(side[name]):>10}" for name in ("median", "minimum", "maximum"))
        yield f"  {side['side']:<14} {numbers} {shown['unit']:<3} {side['ratio']:>6.2f}"


def _rounded(number: float) -> str:
    """Write a number with three significant digits and no exponent."""
    size = 0 if number == 0 else floor(log10(abs(number)))
    return f"{number:,.{max(0, DIGITS - 1 - size)}f}"
