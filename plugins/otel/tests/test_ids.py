"""Ids are what every process works out alike."""

from __future__ import annotations

from hashlib import sha256

import pytest

from orderlines_otel.ids import attempt_span, line_span, opener, opener_span, run_span, trace_id


def test_an_id_is_a_hash_of_what_it_is_of() -> None:
    assert trace_id("r1") == int.from_bytes(sha256(b"trace\0r1").digest()[:16])
    assert attempt_span("r1", 2, "/p#1/a", "n", 3, 4) == int.from_bytes(
        sha256(b"attempt\0r1\x002\0/p#1/a\0n\x003\x004").digest()[:8]
    )


def test_the_root_line_is_the_run() -> None:
    assert line_span("r1", 1, "") == run_span("r1", 1)
    assert line_span("r1", 1, "/p#1/a") != run_span("r1", 1)
    assert run_span("r1", 2) != run_span("r1", 1)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/both#1/a", ("", "both", 1, 1)),
        ("/each#2/17/inner#3.4/b", ("/each#2/17", "inner", 3, 4)),
        ("/sub#12/flow:other", ("", "sub", 12, 1)),
    ],
)
def test_a_line_s_path_names_the_attempt_that_opened_it(line: str, expected: tuple[str, str, int, int]) -> None:
    assert opener(line) == expected
    assert opener_span("r1", 1, line) == attempt_span("r1", 1, *expected)
