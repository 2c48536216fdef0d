"""Moments as people write them: so long ago, or a date."""

from __future__ import annotations

from datetime import datetime

from orderlines.errors import UsageError


def moment(text: str, now: float) -> float:
    """Return a moment in seconds since the epoch: ``2h`` before now, or a date, of the local time unless it says more.

    :raises UsageError: it is neither.
    """
    from orderlines.flow.duration import SPELT, parse_duration  # noqa: PLC0415 -- only where one is given

    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(
            f"--since {text!r}: write how long ago ({SPELT}), or a date such as 2027-01-31 or 2027-01-31T08:00"
        ) from error
