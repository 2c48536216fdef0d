from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stdout
from logging import getLogger
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlines.capture import HEAD, INTERVAL, LIMIT, Capture, begin, end, live_to, to_descriptor


class Said:
    """A capture, and what it passes on."""

    def __init__(self, interval: float = INTERVAL) -> None:
        self.rows: list[tuple[float, str | None, str]] = []
        self.capture = Capture(lambda *row: self.rows.append(row), interval=interval)

    @property
    def text(self) -> str:
        return "".join(text for _, _, text in self.rows)


@pytest.fixture
def said() -> Said:
    return Said()


def test_lines_are_passed_on_whole_and_at_once(said: Said) -> None:
    for piece in (b"one", b" line\nand", b" another\nno end"):
        said.capture.write(piece, None)
    assert [text for _, _, text in said.rows] == ["one line\n", "and another\n"]
    said.capture.finish()
    assert said.text == "one line\nand another\nno end"


def test_nothing_is_passed_on_after_the_end(said: Said) -> None:
    said.capture.finish()
    said.capture.write(b"late\n", None)
    said.capture.record(1.0, "INFO", "late", None)
    said.capture.finish()
    assert said.rows == []


@given(
    st.lists(st.text(st.characters(exclude_characters="\r"), min_size=1, max_size=40), max_size=30), st.integers(1, 7)
)
def test_what_is_below_the_limit_is_kept_as_it_is(texts: list[str], size: int) -> None:
    said = Said()
    data = "\n".join(texts).encode("utf-8", "backslashreplace")
    for start in range(0, len(data), size):
        said.capture.write(data[start : start + size], None)
    said.capture.finish()
    assert said.text.encode() == data


@pytest.mark.parametrize("piece", ["x" * 999 + "\n", "\u8282\u70b9" * 50, "\U0001f600", "y\n"])
def test_of_too_much_the_head_and_the_tail_are_kept(said: Said, piece: str) -> None:
    whole = piece * (3 * LIMIT // len(piece.encode()))
    data = whole.encode()
    for start in range(0, len(data), 10_007):
        said.capture.write(data[start : start + 10_007], None)
    said.capture.finish()
    head, rest = said.text.split("[... ")
    count, tail = rest.split(" bytes left out ...]\n")
    kept = len(head.encode()) + len(tail.encode())
    assert kept + int(count.replace(",", "")) == len(data)
    assert LIMIT - 8 <= kept <= LIMIT + 8
    assert HEAD - 8 <= len(head.encode()) <= HEAD
    assert whole.startswith(head)
    assert whole.endswith(tail)


@given(before=st.integers(HEAD - 40_000, HEAD + 1000), length=st.integers(1, 60_000), size=st.integers(5_000, 20_000))
def test_a_line_is_passed_on_in_one_piece_wherever_the_head_ends(before: int, length: int, size: int) -> None:
    said = Said()
    said.capture.write(b"a" * before + b"\n", None)
    data = b"b" * length + b"\n" + b"c\n"
    for start in range(0, len(data), size):
        said.capture.write(data[start : start + size], None)
    said.capture.finish()
    lines = [line for _, _, text in said.rows for line in text.splitlines(keepends=True)]
    assert lines == ["a" * before + "\n", "b" * length + "\n", "c\n"]


def test_a_line_of_which_some_is_left_out_ends_with_the_mark(said: Said) -> None:
    said.capture.write(b"before\n", None)
    for _ in range(3 * LIMIT // 1024):
        said.capture.write(b"x" * 1024, None)
    said.capture.write(b"\nafter\n", None)
    said.capture.finish()
    before, first, last = [text for _, _, text in said.rows]
    assert before == "before\n"
    assert first.startswith("x" * 700_000)
    assert first.endswith("x[... 2,097,166 bytes left out ...]\n")
    assert last.startswith("x" * 200_000)
    assert last.endswith("x\nafter\n")


BARS = [
    (b"\r  0%|    |\r 50%|##  |\r100%|####|\nafter\n", "100%|####|\nafter\n"),
    (b"one\r\ntwo\r\r\n\r\nthree\r", "one\r\ntwo\r\r\n\r\nthree\r"),
    (b"\rbar\r    \rhello\n", "hello\n"),
    (b"no end\rof it", "of it"),
    (b"\r\r\n", "\r\r\n"),
]


@pytest.mark.parametrize(("printed", "kept"), BARS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_of_a_line_that_is_printed_over_what_stands_last_is_kept(printed: bytes, kept: str, size: int) -> None:
    said = Said()
    for start in range(0, len(printed), size):
        said.capture.write(printed[start : start + size], None)
    said.capture.finish()
    assert said.text == kept


def test_a_progress_bar_leaves_room_for_what_else_is_said(said: Said) -> None:
    for number in range(3):
        for step in range(20_000):
            said.capture.write(b"\r%5d of 20000 [%s]" % (step + 1, b"#" * (step // 500)), None)
        said.capture.write(b"\nround %d is over\n" % number, None)
    said.capture.finish()
    lines = said.text.splitlines()
    assert [line for line in lines if "round" in line] == [f"round {number} is over" for number in range(3)]
    assert lines.count(f"20000 of 20000 [{'#' * 39}]") == 3


def test_a_state_of_a_progress_bar_is_passed_on_now_and_then() -> None:
    said = Said(interval=0)
    for piece in (b"\r 1/3", b"\r 2/3", b"\r    \r", b"\r 3/3"):
        said.capture.write(piece, None)
    assert said.text == " 1/3\n 2/3\n"
    said.capture.write(b"\n", None)
    assert said.text == " 1/3\n 2/3\n 3/3\n"


def test_what_is_not_utf_8_is_passed_on_with_marks(said: Said) -> None:
    said.capture.write(b"\xff\xfe bad\n", None)
    assert said.text == "\ufffd\ufffd bad\n"


def test_what_is_passed_on_is_shown(said: Said) -> None:
    shown: list[bytes] = []
    said.capture.write(b"a\nb", shown.append)
    said.capture.record(1.0, "INFO", "logged", shown.append)
    said.capture.finish()
    assert shown == [b"a\n", b"INFO logged\n", b"b\n"]


def test_showing_never_waits_for_long_and_never_fails() -> None:
    reading, writing = os.pipe()
    show = to_descriptor(writing)
    show(b"x" * 1_000_000)
    taken = len(os.read(reading, 1_000_000))
    assert 0 < taken <= 65_536
    show(b"again")
    assert os.read(reading, 100) == b"again"
    os.close(reading)
    show(b"nobody reads")
    os.close(writing)
    show(b"nothing is there")


def test_a_stream_that_is_the_program_s_own_is_written_through() -> None:
    stream = io.StringIO()
    live_to(stream)("\u00e9\n".encode())
    assert stream.getvalue() == "\u00e9\n"
    stream.close()
    live_to(stream)(b"it is closed\n")
    live_to(None)(b"there is none\n")


def test_only_the_call_s_own_thread_is_captured(said: Said, capsys: pytest.CaptureFixture[str]) -> None:
    token = begin(said.capture)
    thread = Thread(target=print, args=["another's"])
    thread.start()
    thread.join()
    sys.stdout.write("its own\n")
    end(said.capture, token)
    sys.stdout.write("afterwards\n")
    assert said.text == "its own\n"
    assert capsys.readouterr().out == "another's\nits own\nafterwards\n"


def test_a_call_may_redirect_its_output_while_another_begins(said: Said) -> None:
    before = sys.stdout
    other, buffer = Said(), io.StringIO()
    token = begin(said.capture)
    with redirect_stdout(buffer):
        inner = begin(other.capture)
        sys.stdout.write("redirected\n")
        end(other.capture, inner)
    sys.stdout.write("captured\n")
    end(said.capture, token)
    assert (buffer.getvalue(), said.text, other.text) == ("redirected\n", "captured\n", "")
    assert sys.stdout is before


def test_what_a_call_leaves_in_the_place_of_a_stream_stays_there(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    own = io.StringIO()
    token = begin(said.capture)
    sys.stdout = own
    end(said.capture, token)
    assert sys.stdout is own


def test_what_is_logged_outside_of_calls_goes_where_it_went(said: Said, capsys: pytest.CaptureFixture[str]) -> None:
    root = getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        token = begin(said.capture)
        thread = Thread(target=getLogger("a.library").warning, args=["another's"])
        thread.start()
        thread.join()
        getLogger("a.library").info("not asked for")
        end(said.capture, token)
        assert root.handlers == []
    finally:
        root.handlers = handlers
    assert said.text == ""
    assert capsys.readouterr().err == "another's\n"


def test_an_exception_is_logged_with_its_traceback(said: Said) -> None:
    token = begin(said.capture)
    try:
        int("on purpose")
    except ValueError:
        getLogger("a.library").exception("it failed")
    end(said.capture, token)
    ((_, level, text),) = said.rows
    assert level == "ERROR"
    assert text.startswith("a.library: it failed\nTraceback")
    assert text.endswith("'on purpose'\n")
