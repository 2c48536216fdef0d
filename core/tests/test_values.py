from __future__ import annotations

import json
import math
import os
from collections import OrderedDict
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderlines.errors import OrderlinesError, ValueNotStorable
from orderlines.paths import json_path
from orderlines.values import MAX_DEPTH, MAX_SIZE, copy, decode, encode, roundtrip, same

EXAMPLES = 500 if os.environ.get("ORDERLINES_CHAOS") else 150
TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["$t", "", "\0", "\u2028", "😀", '"$t"'])
ZONES = st.none() | st.just(UTC) | st.sampled_from([
    timezone(timedelta(hours=5, minutes=45)),
    timezone(timedelta(microseconds=-1)),
    timezone(timedelta(hours=1), "CET"),
    ZoneInfo("Europe/Berlin"),
])  # fmt: skip
HASHABLE = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**300), max_value=2**300)
    | st.floats()
    | TEXT
    | st.binary()
    | st.datetimes(timezones=ZONES)
    | st.dates()
    | st.times(timezones=ZONES.filter(lambda zone: not isinstance(zone, ZoneInfo)))
    | st.timedeltas()
    | st.decimals(allow_nan=False)
    | st.uuids()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(TEXT, inner)
        | st.sets(HASHABLE | st.tuples(HASHABLE))
        | st.frozensets(HASHABLE)
    ),
    max_leaves=20,
)


class Colour(IntEnum):
    RED = 1


class Word(StrEnum):
    RED = "red"


class Point(NamedTuple):
    x: int


class OwnZone(tzinfo):
    def utcoffset(self, moment: datetime | None) -> timedelta:
        return timedelta(hours=1)

    dst = utcoffset

    def tzname(self, moment: datetime | None) -> str:
        return "own"


class Impostor:
    """Looks like a decimal to anybody who only reads names."""


Impostor.__module__, Impostor.__qualname__ = "decimal", "Decimal"


def exactly(a: Any, b: Any) -> bool:
    """Compare by types and ``repr``, independently of the code under test; sets by their sorted items."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(exactly(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(exactly, a, b))
    if isinstance(a, (set, frozenset)):
        return sorted(map(repr, a)) == sorted(map(repr, b))
    return repr(a) == repr(b)


@given(VALUES)
@settings(max_examples=EXAMPLES, deadline=None)
def test_whatever_is_stored_comes_back_the_same_type_for_type(value: Any) -> None:
    text, back = roundtrip(value)
    assert text == encode(value)
    assert exactly(back, value)
    assert exactly(decode(text), value)
    assert same(back, value)
    assert encode(back) == text
    json.loads(text)


@given(JSON)
@settings(max_examples=200, deadline=None)
def test_plain_json_is_stored_as_plain_json_and_the_copy_shares_nothing(value: Any) -> None:
    text, back = roundtrip(value)
    if '"$t"' not in text:
        assert exactly(json.loads(text), value)
    assert shared_containers(value, back) == 0
    assert shared_containers(value, copy(value)) == 0
    assert exactly(copy(value), value)


def shared_containers(a: Any, b: Any) -> int:
    def containers(value: Any) -> set[int]:
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return set() if inside is None else {id(value)}.union(*map(containers, inside))

    return len(containers(a) & containers(b))


BAD = [
    ({1: 2}, "the key 1 is of type int"),
    ({None: 2}, "the key None is of type NoneType"),
    ({True: 2}, "the key True is of type bool"),
    ({(1,): 2}, "the key here is of type tuple"),
    ({Word.RED: 2}, "Word"),
    (Colour.RED, "Colour"),
    (Word.RED, "Word"),
    (Point(1), "Point"),
    (OrderedDict(), "collections.OrderedDict"),
    ("\ud800", "lone surrogate (U+D800)"),
    ("x" * 70_000 + "\udfff", "lone surrogate (U+DFFF)"),
    (object(), "object"),
    (Impostor(), "decimal.Decimal"),
    (1j, "complex"),
    (bytearray(), "bytearray"),
    (len, "builtin_function_or_method"),
    (datetime(2024, 1, 1, tzinfo=OwnZone()), "OwnZone"),
    (time(1, tzinfo=OwnZone()), "OwnZone"),
]


@pytest.mark.parametrize(("value", "named"), BAD, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("wrap", [[], ["a"], ["a b", 2], [0, "x", 1]], ids=str)
def test_what_cannot_be_kept_exactly_is_refused_at_its_place(value: Any, named: str, wrap: list[str | int]) -> None:
    for step in reversed(wrap):
        value = {"before": 1, step: value} if isinstance(step, str) else [*([None] * step), value]
    for store in (encode, roundtrip):
        with pytest.raises(ValueNotStorable) as caught:
            store(value)
        assert caught.value.path == json_path(tuple(wrap))
        assert named in caught.value.reason


def test_a_key_that_is_no_text_of_unicode_is_named_escaped() -> None:
    with pytest.raises(ValueNotStorable) as caught:
        encode({"\ud800": 1})
    assert str(caught.value).encode()


def test_depth() -> None:
    def nested(depth: int, make: Any) -> Any:
        value: Any = make([])
        for _ in range(depth - 1):
            value = make([value])
        return value

    for make in (list, tuple, lambda items: {"$t": items[0] if items else 1}):
        fits = nested(MAX_DEPTH, make)
        assert same(decode(encode(fits)), fits)
        with pytest.raises(ValueNotStorable, match="nested deeper than 100"):
            encode(nested(MAX_DEPTH + 1, make))
    with pytest.raises(ValueNotStorable, match="nested deeper"):
        encode(nested(10_000, list))


def test_cycles_end() -> None:
    ring: list[Any] = []
    ring.append({"again": (ring,)})
    with pytest.raises(ValueNotStorable, match="holds itself"):
        encode(ring)


def test_shared_parts_cannot_grow_without_bound() -> None:
    doubled: Any = ["x" * 100]
    for _ in range(90):
        doubled = [doubled, doubled]
    with pytest.raises(ValueNotStorable, match="larger than 64 MiB"):
        encode(doubled)
    with pytest.raises(ValueNotStorable, match="larger than 64 MiB"):
        encode(["x" * 1_000_000] * 100_000)


@pytest.mark.parametrize(
    "value",
    ["x" * (MAX_SIZE - 1), "ä" * (MAX_SIZE // 2), "\0" * (MAX_SIZE // 6 + 1)],
    ids=["ascii", "two bytes", "escaped"],
)
def test_the_size_is_counted_in_bytes_of_the_text(value: str) -> None:
    with pytest.raises(ValueNotStorable, match="larger than 64 MiB"):
        encode(value)
    assert decode(encode(value[: len(value) // 2])) == value[: len(value) // 2]


@pytest.mark.parametrize("value", [2**70, -(2**63) - 1, 2**64, -(10**5000), 3**20_000], ids=int.bit_length)
def test_integers_that_other_readers_would_damage_are_tagged(value: int) -> None:
    assert json.loads(encode(value))["$t"] == "int"
    assert decode(encode(value)) == value


@pytest.mark.parametrize("value", [-(2**63), 2**64 - 1, 0, -0.0, 5e-324, 1e308, "$t", True, None])
def test_what_every_reader_keeps_is_plain(value: Any) -> None:
    assert exactly(json.loads(encode(value)), value)


def test_fold_and_zone_survive() -> None:
    second = datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
    back = decode(encode(second))
    assert (back.fold, back.tzinfo.key, back.utcoffset()) == (1, "Europe/Berlin", timedelta(hours=1))
    assert not same(back, second.replace(fold=0))
    assert not same(second, second.astimezone(UTC))


def test_a_signalling_nan_of_decimal_survives() -> None:
    assert exactly(decode(encode(Decimal("sNaN123"))), Decimal("sNaN123"))


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "{", "nul", "NaN", "-Infinity", "[1]x", "[1] ", "9" * 5000, "[" * 100_000, "[" * 101 + "]" * 101,
        '{"a":' * 101 + "1" + "}" * 101, '"\\ud800"', '{"\\ud800":1}', '"\ud800"', '["ä","\ud800"]',
        '{"$t":"os","v":1}', '{"$t":"dt","v":1}', '{"$t":"dt"}', '{"$t":"dt","v":"2024-01-01","fold":7}',
        '{"$t":"dt","v":"2024-01-01","zone":"../../etc/passwd"}', '{"$t":"dt","v":"2024-01-01","zone":"/etc/passwd"}',
        '{"$t":"dt","v":"2024-01-01","zone":{}}', '{"$t":"int","v":"5"}', '{"\\u0024t":"int","v":"5"}',
        '{"$t":"float","v":"1.5"}', '{"$t":"bytes","v":"@"}', '{"$t":"set","v":[[1]]}', '{"$t":"set","v":5}',
        '{"$t":"dict","v":[[1,2]]}', '{"$t":"dict","v":[1]}', '{"$t":["a"],"v":1}', '{"$t":null}',
        '{"$t":"td","v":[1]}',
        '{"$t":"td","v":[1e300,0,0]}', '{"$t":"uuid","v":"x"}', '{"$t":"decimal","v":"x"}', '{"$t":"date","v":"x"}',
        '{"$t":"time","v":"25:00"}', '{"$t":"tuple","v":' * 101 + "[]" + "}" * 101,
        '{"$t":"tuple","v":' + '[{"$t":"tuple","v":' * 100 + "[]" + "}]" * 100 + "}", '{"$t":"dict","v":{"ab":1}}',
    ],
    ids=lambda text: text[:40].encode("ascii", "backslashreplace").decode(),
)  # fmt: skip
def test_text_that_is_none_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueNotStorable):
        decode(text)


def test_what_is_wrong_in_a_stored_text_is_found_at_its_place() -> None:
    with pytest.raises(ValueNotStorable) as caught:
        decode('{"a":[1,{"$t":"tuple","v":[{"$t":"x"}]}]}')
    assert caught.value.path == "$.a[1][0]"


@given(st.text() | st.text(alphabet='[]{}",:$tv\\u0123456789einf.-dict'))
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value = decode(text)
    except OrderlinesError:
        return
    assert same(decode(encode(value)), value)


DIFFERENT: list[Any] = [
    0, 0.0, -0.0, False, None, "", "0", b"", [], (), {}, set(), frozenset(), math.nan, math.inf, 2**70, Decimal(0),
    Decimal("0.0"), Decimal("NaN"), date(2024, 1, 1), datetime.fromisoformat("2024-01-01"),
    datetime(2024, 1, 1, tzinfo=UTC), time(),
    timedelta(), UUID(int=0), [0], [0.0], [False], {"a": 1}, {"a": True}, {"b": 1}, (0,), {0}, {0.0},
]  # fmt: skip


@pytest.mark.parametrize("a", DIFFERENT, ids=repr)
def test_same_tells_values_apart_that_python_calls_equal(a: Any) -> None:
    assert [index for index, b in enumerate(DIFFERENT) if same(a, b)] == [position(a)]
    assert same(a, decode(encode(a)))


def position(value: Any) -> int:
    return next(index for index, other in enumerate(DIFFERENT) if other is value)


def test_same_ignores_the_order_of_keys() -> None:
    assert same({"a": 1, "b": [2]}, {"b": [2], "a": 1})
    assert not same({"a": None}, {"b": None})


def test_what_cannot_be_stored_is_the_same_as_itself_only() -> None:
    one = object()
    assert same(one, one)
    assert not same(one, object())


def test_copies_are_new_all_the_way_down() -> None:
    value = {"a": [{"b": [1]}], "t": ([1],), "s": {1}}
    other = copy(value)
    other["a"][0]["b"].append(2)
    other["t"][0].append(2)
    other["s"].add(2)
    assert value == {"a": [{"b": [1]}], "t": ([1],), "s": {1}}
