"""Durations as flows write them: ``90``, ``0.5``, ``500ms``, ``1h30m``."""

from __future__ import annotations

import math
import re
from typing import Final

_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_WHOLE = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+")
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST: Final = 10 * 366 * 86400
"""Ten years: what is longer is a slip, and would be no date any more."""
HINT: Final = "a number of seconds, or 500ms, 30s, 5m, 2h, 1d, joined as 1h30m"
SPELT: Final = "a number with its unit, such as 500ms, 30s, 5m, 2h, 1d, joined as 1h30m"
"""The same where only texts are taken."""


def parse_duration(value: object) -> float | int:
    """Return a duration in seconds, as an integer where it is whole.

    :raises ValueError: it is none, is negative, or is longer than ten years.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("this is no duration")  # noqa: TRY004 -- one kind of error for the caller
    seconds = _spelt(value) if isinstance(value, str) else value
    if isinstance(seconds, float) and math.isnan(seconds):
        raise ValueError("this is no duration")
    if seconds < 0:
        raise ValueError("a duration cannot be negative")
    if seconds > _LONGEST:
        raise ValueError("a duration of more than ten years is too long")
    return int(seconds) if seconds == int(seconds) else seconds


def _spelt(text: str) -> float | int:
    text = text.strip()
    if not text.isascii() or len(text) > 60 or not _WHOLE.fullmatch(text):  # noqa: PLR2004
        if text.startswith("-") and _WHOLE.fullmatch(text[1:60]):
            raise ValueError("a duration cannot be negative")
        raise ValueError(f"{text[:60]!r} is no duration")
    parts = _PART.findall(text)
    if len({unit for _, unit in parts}) != len(parts):
        raise ValueError(f"{text!r} is no duration: a unit stands in it twice")
    # Milliseconds are whole numbers, so that 1.5s and 1500ms are the same.
    return round(sum(float(number) * _UNITS[unit] for number, unit in parts), 6)
