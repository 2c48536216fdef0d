from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlines.capture import Capture
from orderlines.capture.inband import PipedRecords, Unpiped

if TYPE_CHECKING:
    from collections.abc import Sequence


def shown(data: bytes) -> None:
    """Show nothing."""


def taken(pieces: Sequence[bytes]) -> list[tuple[str | None, str]]:
    """Return the level and the text of what comes out of a pipe, read in such pieces."""
    rows: list[tuple[str | None, str]] = []
    capture = Capture(lambda _, level, text: rows.append((level, text)))
    unpiped = Unpiped(shown)
    for piece in pieces:
        unpiped.feed(piece, capture)
    unpiped.finish(capture)
    capture.finish()
    return rows


@pytest.fixture(scope="module")
def stream() -> bytes:
    """What a pipe holds after a print, two records and another print."""
    reading, writing = os.pipe()
    records = PipedRecords(writing)
    records.write(b"before\n", None)
    records.record(1.0, "INFO", "one\ntwo \u8282", None)
    records.record(1.0, "WARNING", "", None)
    records.write(b"after\n", None)
    data = os.read(reading, 65_536)
    os.close(reading)
    os.close(writing)
    return data


@given(size=st.integers(1, 200))
def test_records_keep_their_place_however_the_pipe_is_read(stream: bytes, size: int) -> None:
    rows = taken([stream[start : start + size] for start in range(0, len(stream), size)])
    assert rows == [(None, "before\n"), ("INFO", "one\ntwo \u8282\n"), ("WARNING", "\n"), (None, "after\n")]


@given(st.lists(st.binary(max_size=30).map(lambda piece: piece.replace(b"\r", b"")), max_size=10))
def test_whatever_is_printed_is_passed_on(pieces: list[bytes]) -> None:
    text = "".join(text for _, text in taken(pieces))
    assert text.encode() == b"".join(pieces).decode("utf-8", "replace").encode()


def test_a_record_that_never_ends_is_passed_on_as_text(stream: bytes) -> None:
    cut = stream[: stream.index(b"two")]
    assert "".join(text for _, text in taken([cut])).endswith("one\\n")
