"""What is said becomes JSON, an object a line, where that is chosen."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from orderlines import jsonlines
from orderlines.capture import Capture
from orderlines.capture.jsonrecords import JSONHandler
from orderlines.capture.jsonstream import JSONStream
from orderlines.components.context import CallIdentity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONG = """
from threading import Thread
from orderlines.capture import to_descriptor
from orderlines.jsonlines import line, write

def say(how):
    for _ in range(20):
        how(line(0, "INFO", "long", "y" * 200_000))

ways = [Thread(target=say, args=(how,)) for how in (write, lambda text: to_descriptor(2)(text.encode()))]
for way in ways:
    way.start()
for way in ways:
    way.join()
"""

CALL = CallIdentity("run-1", "flow", "", "node", 2, 3, "run-1//node/2", 5.0)
NAMED = {"run": "run-1", "line": "/", "node": "node", "visit": 2, "attempt": 3}


@pytest.fixture(autouse=True)
def chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(jsonlines.INHERITED, "1")


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """Return the objects on standard error since the last time, without their moments."""

    def read() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
        return [{name: value for name, value in line.items() if name != "ts"} for line in found]

    return read


def test_lines_that_are_printed_are_objects(told: Any) -> None:
    stream = JSONStream()
    print("one\ntwo", end="", file=stream)
    assert told() == [{"level": "INFO", "logger": "stderr", "message": "one"}]
    print(" and \u00e9 \ud800 \0", file=stream)
    assert [line["message"] for line in told()] == ["two and \u00e9 \ud800 \0"]


def test_what_is_not_finished_is_written_when_it_is_flushed(told: Any) -> None:
    stream = JSONStream()
    stream.write("wait")
    assert told() == []
    stream.flush()
    stream.flush()
    assert [line["message"] for line in told()] == ["wait"]


def test_bytes_are_taken_by_the_buffer_alone(told: Any) -> None:
    stream = JSONStream()
    stream.buffer.write(b"caf\xc3\xa9 \xff\n")
    assert [line["message"] for line in told()] == ["caf\u00e9 \ufffd"]
    with pytest.raises(TypeError, match="a text is to be written, not bytes"):
        stream.write(b"no")  # type: ignore[arg-type]


def test_a_record_has_its_exception_and_what_it_says_of_itself(told: Any) -> None:
    handler = JSONHandler()
    try:
        raise LookupError("gone")  # noqa: TRY301 -- to have a traceback
    except LookupError:
        record = logging.getLogger("acme").makeRecord(
            "acme", logging.ERROR, "file", 1, "lost %d", (3,), sys.exc_info(), extra={"run": "r1", "other": 1}
        )
    handler.handle(record)
    (line,) = told()
    assert line.pop("exception").endswith("LookupError: gone")
    assert line == {"level": "ERROR", "logger": "acme", "message": "lost 3", "run": "r1"}


@pytest.mark.parametrize("about", [CALL, None])
def test_what_a_call_says_names_the_call(about: CallIdentity | None) -> None:
    kept: list[tuple[str | None, str]] = []
    shown: list[bytes] = []
    capture = Capture(lambda _, level, text: kept.append((level, text)), about)
    capture.write(b"a line\nand\n", shown.append)
    capture.record(1.5, "WARNING", "acme.sub: careful: very", shown.append)
    capture.finish()
    assert kept == [(None, "a line\nand\n"), ("WARNING", "acme.sub: careful: very\n")]
    first, second, third = [json.loads(line) for line in b"".join(shown).splitlines()]
    named = {} if about is None else NAMED
    printed = {"level": "INFO", "logger": "orderlines.output", **named}
    assert {**printed, "message": "a line"}.items() <= first.items()
    assert {**printed, "message": "and"}.items() <= second.items()
    assert third == {
        "ts": "1970-01-01T00:00:01.500+00:00", "level": "WARNING", "logger": "acme.sub", "message": "careful: very",
        **named,
    }  # fmt: skip


def test_a_field_that_is_not_known_is_left_out() -> None:
    assert json.loads(jsonlines.line(0.0, "INFO", "a", "b", run=None)) == {
        "ts": "1970-01-01T00:00:00.000+00:00", "level": "INFO", "logger": "a", "message": "b"
    }  # fmt: skip


def test_long_lines_of_threads_and_processes_are_not_mixed(tmp_path: Path) -> None:
    with (tmp_path / "log").open("ab") as log:
        both = [subprocess.Popen([sys.executable, "-c", LONG], stderr=log) for _ in range(2)]
        assert [each.wait() for each in both] == [0, 0]
    found = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["message"] for line in found] == ["y" * 200_000] * 80
