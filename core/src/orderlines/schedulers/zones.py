"""Time zones: from wall clocks to moments and back."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from orderlines.schedulers.instants import EPOCH

if TYPE_CHECKING:
    from datetime import datetime

_DAY = 86_400


def zone_of(name: str) -> ZoneInfo:
    """Return a zone of the IANA database by its name, such as ``Europe/Berlin``.

    :raises ValueError: there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}; {_advice(name)}") from error


def _advice(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 -- only on the way to an error

    known = available_timezones()
    if not known:
        return "this machine has no time zones at all: `pip install tzdata` brings them"
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else "write one such as Europe/Berlin"


def offset_at(moment: int, zone: ZoneInfo) -> int:
    """Return by how many seconds the wall clock of a zone is ahead of UTC."""
    offset = (EPOCH + timedelta(seconds=moment)).replace(tzinfo=UTC).astimezone(zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def local_moment(local: datetime, zone: ZoneInfo) -> int:
    """Return the moment at which the wall clock of a zone shows a time.

    Where it never does, this is the first moment after the gap; where it does so twice, the first of them.
    """
    moment = _seconds(local) - _offset_of(local, zone)
    shown = moment + offset_at(moment, zone)
    if shown == _seconds(local):
        return moment
    # In a gap, the offset before it leads to a moment behind it.
    change = next_change(moment - _DAY, moment, zone)
    return moment if change is None else change


def next_change(after: int, until: int, zone: ZoneInfo) -> int | None:
    """Return the first moment, after one and not after another, at which the wall clock has been put on or back."""
    low = after
    while low < until:
        high = min(low + _DAY, until)
        if offset_at(high, zone) != offset_at(low, zone):
            return _bisected(low, high, zone)
        low = high
    return None


def _bisected(low: int, high: int, zone: ZoneInfo) -> int:
    before = offset_at(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high


def _seconds(local: datetime) -> int:
    return round((local - EPOCH).total_seconds())


def _offset_of(local: datetime, zone: ZoneInfo) -> int:
    offset = local.replace(tzinfo=zone, fold=0).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())
