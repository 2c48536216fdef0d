from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlines.flow.duration import parse_duration


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(90, 90), (0.5, 0.5), (2.0, 2), (0, 0), ("500ms", 0.5), ("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86400),
     ("1h30m", 5400), ("1.5s", 1.5), ("1m30s500ms", 90.5)],
)  # fmt: skip
def test_durations(value: object, seconds: float) -> None:
    parsed = parse_duration(value)
    assert parsed == seconds
    assert isinstance(parsed, int) == (seconds == int(seconds))


@pytest.mark.parametrize(
    "value",
    [True, None, [], "", "5", "5x", "-5s", -1, "1h1h", "5 s", "\u0661s", "1e3s", float("nan"), float("inf"),
     "9999999d", "s",
     "1s" * 1000],
)  # fmt: skip
def test_what_is_no_duration(value: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(value)


@given(st.integers(0, 9), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_the_parts_add_up(d: int, h: int, m: int, s: int, ms: int) -> None:
    total = ((d * 24 + h) * 60 + m) * 60 + s + ms / 1000
    assert parse_duration(f"{d}d{h}h{m}m{s}s{ms}ms") == pytest.approx(total)
    assert parse_duration(parse_duration(total)) == parse_duration(total)
