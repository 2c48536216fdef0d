"""The types that JSON does not have: how each is written under its tag, and read back.

Reading builds the types named here from checked content and nothing else: a text can never name a class or a function.
"""

from __future__ import annotations

import sys
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from orderlines.values.format import INT_MAX, INT_MIN, TAG, Unstorable, to_text

if TYPE_CHECKING:
    from datetime import date, datetime, time, timedelta, tzinfo
    from decimal import Decimal
    from uuid import UUID


class Walk(Protocol):
    """What writes the values inside a value, and counts what they come to; :class:`orderlines.values.encoding.Walk`."""

    def items(self, values: list[Any], depth: int, /) -> list[Any]:
        """Write the items of a container."""

    def text(self, value: str, depth: int, /) -> str:
        """Write a text."""

    def spend(self, size: int, /) -> None:
        """Count bytes of text before anything of that size is built."""


Writer = Callable[[Walk, Any, int], dict[str, Any]]
Reader = Callable[[Mapping[str, Any]], Any]


def _write_tuple(walk: Walk, value: tuple[Any, ...], depth: int) -> dict[str, Any]:
    return {TAG: "tuple", "v": walk.items(list(value), depth)}


def _write_set(walk: Walk, value: set[Any] | frozenset[Any], depth: int) -> dict[str, Any]:
    """Sort the items by their texts, so that equal sets have equal texts."""
    return {TAG: type(value).__name__, "v": sorted(walk.items(list(value), depth), key=to_text)}


def _write_bytes(walk: Walk, value: bytes, _depth: int) -> dict[str, Any]:
    walk.spend(len(value) * 4 // 3)
    return {TAG: "bytes", "v": b2a_base64(value, newline=False).decode("ascii")}


def _write_datetime(walk: Walk, value: datetime, _depth: int) -> dict[str, Any]:
    return {TAG: "dt", "v": value.replace(tzinfo=None).isoformat(), **_write_zone(walk, value)}


def _write_time(walk: Walk, value: time, _depth: int) -> dict[str, Any]:
    return {TAG: "time", "v": value.replace(tzinfo=None).isoformat(), **_write_zone(walk, value)}


def _write_date(_walk: Walk, value: date, _depth: int) -> dict[str, Any]:
    return {TAG: "date", "v": value.isoformat()}


def _write_timedelta(_walk: Walk, value: timedelta, _depth: int) -> dict[str, Any]:
    return {TAG: "td", "v": [value.days, value.seconds, value.microseconds]}


def _write_decimal(walk: Walk, value: Decimal, _depth: int) -> dict[str, Any]:
    text = str(value)
    walk.spend(len(text))
    return {TAG: "decimal", "v": text}


def _write_uuid(_walk: Walk, value: UUID, _depth: int) -> dict[str, Any]:
    return {TAG: "uuid", "v": str(value)}


def _write_zone(walk: Walk, value: datetime | time) -> dict[str, Any]:
    """Write the fold and the zone: microseconds from UTC, those and a name, or the name of a ``ZoneInfo``."""
    fold: dict[str, Any] = {"fold": 1} if value.fold else {}
    return fold if value.tzinfo is None else {**fold, "zone": _zone(walk, value.tzinfo)}


def _zone(walk: Walk, zone: tzinfo) -> Any:
    from datetime import timedelta, timezone  # noqa: PLC0415

    if type(zone) is timezone:
        offset = zone.utcoffset(None)
        micros, name = offset // timedelta(microseconds=1), zone.tzname(None)
        return micros if name == timezone(offset).tzname(None) else [micros, walk.text(name, 0)]
    if type(zone) is getattr(sys.modules.get("zoneinfo"), "ZoneInfo", None):
        key: str | None = getattr(zone, "key", None)
        if key is not None:
            return walk.text(key, 0)
    kind = type(zone)
    what = f"the time zone {kind.__module__}.{kind.__qualname__} cannot be stored"
    raise Unstorable(f"{what}; use datetime.timezone or zoneinfo.ZoneInfo")


_WRITERS: Final[Mapping[str, Writer]] = {
    "builtins.tuple": _write_tuple,
    "builtins.set": _write_set,
    "builtins.frozenset": _write_set,
    "builtins.bytes": _write_bytes,
    "datetime.datetime": _write_datetime,
    "datetime.date": _write_date,
    "datetime.time": _write_time,
    "datetime.timedelta": _write_timedelta,
    "decimal.Decimal": _write_decimal,
    "uuid.UUID": _write_uuid,
}


def writer(kind: type) -> Writer | None:
    """Return what writes this type, ``None`` where it cannot be stored.

    A value of a type exists only where its module was imported, so no module is imported to find out.
    """
    module, name = kind.__module__, kind.__qualname__
    write = _WRITERS.get(f"{module}.{name}")
    return write if write is not None and getattr(sys.modules.get(module), name, None) is kind else None


def _read_int(tagged: Mapping[str, Any]) -> int:
    value = int(_text(tagged), 16)
    if INT_MIN <= value <= INT_MAX:
        raise ValueError("a small integer under a tag")
    return value


def _read_float(tagged: Mapping[str, Any]) -> float:
    return {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}[_text(tagged)]


def _read_bytes(tagged: Mapping[str, Any]) -> bytes:
    return a2b_base64(_text(tagged), strict_mode=True)


def _read_datetime(tagged: Mapping[str, Any]) -> datetime:
    from datetime import datetime  # noqa: PLC0415

    return datetime.fromisoformat(_text(tagged)).replace(tzinfo=_read_zone(tagged), fold=tagged.get("fold", 0))


def _read_time(tagged: Mapping[str, Any]) -> time:
    from datetime import time  # noqa: PLC0415

    return time.fromisoformat(_text(tagged)).replace(tzinfo=_read_zone(tagged), fold=tagged.get("fold", 0))


def _read_date(tagged: Mapping[str, Any]) -> date:
    from datetime import date  # noqa: PLC0415

    return date.fromisoformat(_text(tagged))


def _read_timedelta(tagged: Mapping[str, Any]) -> timedelta:
    from datetime import timedelta  # noqa: PLC0415

    days, seconds, microseconds = tagged["v"]
    return timedelta(days, seconds, microseconds)


def _read_decimal(tagged: Mapping[str, Any]) -> Decimal:
    from decimal import Decimal  # noqa: PLC0415

    return Decimal(_text(tagged))


def _read_uuid(tagged: Mapping[str, Any]) -> UUID:
    from uuid import UUID  # noqa: PLC0415

    return UUID(_text(tagged))


def _read_zone(tagged: Mapping[str, Any]) -> tzinfo | None:
    from datetime import timedelta, timezone  # noqa: PLC0415

    match tagged.get("zone"):
        case None:
            return None
        case int(micros):
            return timezone(timedelta(microseconds=micros))
        case [int(micros), str(name)]:
            return timezone(timedelta(microseconds=micros), name)
        case str(key):
            from zoneinfo import ZoneInfo  # noqa: PLC0415

            return ZoneInfo(key)
    raise ValueError("a zone that is none")


def _text(tagged: Mapping[str, Any]) -> str:
    value = tagged["v"]
    if type(value) is not str:
        raise TypeError("the content of the tag is no text")
    return value


READERS: Final[Mapping[str, Reader]] = {
    "int": _read_int,
    "float": _read_float,
    "bytes": _read_bytes,
    "dt": _read_datetime,
    "date": _read_date,
    "time": _read_time,
    "td": _read_timedelta,
    "decimal": _read_decimal,
    "uuid": _read_uuid,
}
"""Tag to what reads it, for the tags without values inside them. Any exception means that the content is not sound."""

CONTAINERS: Final[Mapping[str, Callable[[list[Any]], Any]]] = {"tuple": tuple, "set": set, "frozenset": frozenset}
"""Tag to what is made of the list of values under it."""
