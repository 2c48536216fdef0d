"""Moments as text, in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- what is added to it says which time it is


def text_of(moment: int) -> str:
    """Return a moment, in seconds since the epoch, such as ``2027-01-01T00:00:00Z``."""
    return f"{EPOCH + timedelta(seconds=moment):%Y-%m-%dT%H:%M:%SZ}"
