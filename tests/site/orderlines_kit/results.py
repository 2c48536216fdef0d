"""Results that are hard to keep, or cannot be kept."""

from __future__ import annotations

import math
import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

KEPT: dict[str, Any] = {
    "50 MB": "x" * 50_000_000,
    "NaN": math.nan,
    "infinity": [-math.inf],
    "2**70": 2**70,
    "-0.0": -0.0,
    "emoji and NUL": {"é\0😀": "\0"},
    "the tag's own key": {"$t": "int", "v": "0x1"},
    "tuple": (1, (2,)),
    "bytes": b"\0\xff",
    "datetime": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    "decimal": Decimal("1.10"),
    "depth 100": None,
}
nested: Any = 0
for _ in range(100):
    nested = [nested]
KEPT["depth 100"] = nested


def keep(what: str) -> Any:
    """Return a value that is kept exactly as it is."""
    return KEPT[what]


def cycle() -> Any:
    """Return a dict that holds itself."""
    value: dict[str, Any] = {}
    value["self"] = value
    return value


def deep() -> Any:
    """Return 10,000 lists inside one another."""
    value: list[Any] = []
    for _ in range(10_000):
        value = [value]
    return value


def surrogate() -> Any:
    """Return half of a character."""
    return {"a": ["\ud800"]}


def int_keys() -> Any:
    """Return a dict whose keys are no text."""
    return {"a": {1: "one"}}


def too_large() -> Any:
    """Return more than is kept: 70 MB."""
    return ["x" * 70_000_000]


def unknown_type() -> Any:
    """Return an object of no type that is kept."""
    return {"a": [0, object()]}


def fill(size: int, text: str = "x") -> str:
    """Return a text of many equal characters."""
    return text * size


def chance(size: int) -> str:
    """Return a text that is another one each time."""
    return os.urandom(size // 2).hex()


def measure(value: Any) -> int:
    """Return how long a value is."""
    return len(value)
