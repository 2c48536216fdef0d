"""Moments as people write them."""

from __future__ import annotations

from datetime import UTC, datetime

from orderlines.schedulers.instants import EPOCH


def moment_of(text: str, zone: str | None = None) -> int:
    """Return a moment in whole seconds since the epoch; what is behind the second is cut off.

    :param text: in ISO 8601.
    :param zone: the zone that counts where the text has none. A time that the clock leaves out there is the first
        moment after the gap; of one that comes twice it is the first.
    :raises ValueError: it is none, has no zone, or the zone is unknown.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"it is no time: write one such as 2027-01-31T08:00+01:00 ({error})") from error
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError("it has no time zone: write one behind it, as in 2027-01-01T08:00+01:00, or name one")
        from orderlines.schedulers.zones import local_moment, zone_of  # noqa: PLC0415 -- only where one is named

        return local_moment(moment.replace(microsecond=0), zone_of(zone))
    return int((moment.astimezone(UTC).replace(tzinfo=None, microsecond=0) - EPOCH).total_seconds())
