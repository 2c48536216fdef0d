"""Strict checks: what fits is accepted as it is, what does not is named, and nothing is coerced."""

# ruff: noqa: UP007, UP045, PYI061 -- every spelling of a hint is under test

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Generic, Literal, NewType, NotRequired, Optional, TypedDict, TypeVar, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlines.components.hints import compile_hint, describe


class Order(TypedDict):
    net: float
    lines: list[Order]
    note: NotRequired[str]


Id = NewType("Id", int)
Number = TypeVar("Number", int, float)
Text = TypeVar("Text", bound=str)
Free = TypeVar("Free")


class Box(Generic[Free]): ...


NOW = datetime(2026, 1, 1, tzinfo=UTC)

FITS: list[tuple[Any, Any]] = [
    (int, 1), (int, 2**70), (float, 1.5), (float, 1), (bool, True), (str, ""), (bytes, b""), (None, None),
    (Any, object()), (object, 1), (list, [1, "a"]), (list[int], []), (list[int], [1, 2]), (list[Any], [None]),
    (dict[str, int], {"a": 1}), (Mapping[str, float], {"a": 1}), (Sequence[int], [1]), (Sequence[int], (1,)),
    (tuple[int, str], (1, "a")), (tuple[int, ...], (1, 2, 3)), (tuple[()], ()), (set[int], {1}),
    (Optional[int], None), (int | None, 3), (Union[int, str], "a"), (int | list[str], ["a"]),
    (Literal["a", 1], 1), (Literal["a", None], None),
    (Order, {"net": 1, "lines": []}), (Order, {"net": 1.0, "lines": [{"net": 2, "lines": []}], "note": "x"}),
    (Id, 3), (Number, 3), (Text, "a"), (Free, object()), (Box[int], Box()),
    (datetime, NOW), (date, date(2026, 1, 1)), (Decimal, Decimal(1)),
]  # fmt: skip

FAILS: list[tuple[Any, Any, str]] = [
    (int, True, "expected int, got bool"),
    (int, 1.0, "expected int, got float"),
    (int, "1", "expected int, got str"),
    (int, None, "expected int, got None"),
    (float, False, "expected float, got bool"),
    (float, "1.5", "expected float, got str"),
    (bool, 1, "expected bool, got int"),
    (str, b"a", "expected str, got bytes"),
    (None, 0, "expected None, got int"),
    (list[int], (1,), "expected list, got tuple"),
    (list[int], [1, "a"], "[1]: expected int, got str"),
    (list[list[int]], [[1], [2, True]], "[1][1]: expected int, got bool"),
    (dict[str, int], {"a": "b"}, "['a']: expected int, got str"),
    (dict[str, int], {1: 1}, "a key is wrong: expected str, got int"),
    (dict[str, Any], [], "expected dict, got list"),
    (Sequence[str], "abc", "expected list, got str"),
    (tuple[int, str], (1,), "expected a tuple of 2, got one of 1"),
    (tuple[int, str], (1, 2), "[1]: expected str, got int"),
    (tuple[int, ...], (1, None), "[1]: expected int, got None"),
    (int | None, "a", "expected int | None, got str"),
    (Union[int, list[str]], [1], "[0]: expected str, got int"),
    (Literal["a", 1], True, "expected 'a' or 1, got another bool"),
    (Literal["a"], [], "expected 'a', got another list"),
    (Order, {"net": 1}, "expected Order, but the key 'lines' is missing"),
    (Order, {"net": 1, "lines": [], "x": 1}, "expected Order, which has no key 'x'"),
    (Order, {"net": 1, "lines": [{"net": "a", "lines": []}]}, "['lines'][0]['net']: expected float, got str"),
    (Id, "3", "expected int, got str"),
    (Number, "3", "expected int | float, got str"),
    (Text, 3, "expected str, got int"),
    (Box[int], 3, "expected Box, got int"),
    (datetime, "2026-01-01", "expected datetime, got str"),
    (typing.Never, None, "expected no value at all, got None"),
]


@pytest.mark.parametrize(("hint", "value"), FITS, ids=[str(n) for n in range(len(FITS))])
def test_fits(hint: Any, value: Any) -> None:
    check = compile_hint(hint)
    assert check is None or check(value) is None


@pytest.mark.parametrize(("hint", "value", "reason"), FAILS, ids=str)
def test_does_not_fit(hint: Any, value: Any, reason: str) -> None:
    check = compile_hint(hint)
    assert check is not None
    assert check(value) == reason


@pytest.mark.parametrize("hint", [Any, object, Union[int, Any], Free])
def test_what_accepts_everything_is_not_checked_at_all(hint: Any) -> None:
    assert compile_hint(hint) is None


@pytest.mark.parametrize(
    ("hint", "text"),
    [(int, "int"), (None, "None"), (list[str], "list[str]"), (int | None, "int | None"), (Optional[str], "str | None")],
)
def test_hints_are_written_as_people_do(hint: Any, text: str) -> None:
    assert describe(hint) == text


SCALARS = [int, float, bool, str, bytes, type(None)]
VALUES = st.one_of(st.integers(), st.floats(), st.booleans(), st.text(max_size=3), st.binary(max_size=3), st.none())


def accepts(hint: Any, value: Any) -> bool:
    check = compile_hint(hint)
    return check is None or check(value) is None


@given(st.sampled_from(SCALARS), VALUES)
def test_a_scalar_accepts_its_own_type_and_a_float_also_an_int(hint: Any, value: Any) -> None:
    assert accepts(hint, value) == (type(value) is hint or (hint is float and type(value) is int))


@given(st.lists(st.sampled_from(SCALARS), min_size=1, max_size=3), VALUES)
def test_a_union_accepts_what_one_of_its_members_does(hints: list[Any], value: Any) -> None:
    assert accepts(Union[tuple(hints)], value) == any(accepts(hint, value) for hint in hints)


@given(st.sampled_from(SCALARS), st.lists(VALUES, max_size=4))
def test_a_container_accepts_what_its_item_does(hint: Any, values: list[Any]) -> None:
    expected = all(accepts(hint, value) for value in values)
    assert accepts(list[hint], values) == expected
    assert accepts(tuple[hint, ...], tuple(values)) == expected
    assert accepts(dict[int, hint], dict(enumerate(values))) == expected
