"""Reading text into plain data: strictly, with places, and without being hurt."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlines.errors import UsageError
from orderlines.flow.report import Report
from orderlines.flow.scalars import scalar
from orderlines.flow.source import MAX_BYTES, Source, read_source

if TYPE_CHECKING:
    from pathlib import Path


def read(text: str | bytes, kind: str | None = None, file: str | None = None) -> tuple[Any, Report]:
    report = Report()
    return Source(text, file, kind).read(report), report


def good(text: str | bytes, kind: str | None = None) -> Any:
    data, report = read(text, kind)
    assert report.found == []
    return data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"), ("yes", "yes"), ("2027-01-01", "2027-01-01"), ("1:30", "1:30"), ("1_000", "1_000"),
        ("true", True), ("False", False), ("tRue", "tRue"), ("null", None), ("~", None), ("", None),
        ("0o17", 15), ("0x1F", 31), ("017", 17), ("-3", -3), ("+3", 3), ("0b1", "0b1"),
        ("1e3", 1000.0), (".5", 0.5), ("5.", 5.0), (".", "."), ("-", "-"), ("1.2.3", "1.2.3"), ("=", "="),
        ("NaN", "NaN"), ("<<", "<<"),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_keys_are_always_text() -> None:
    assert good("on: 1\ntrue: 2\n3: 4\nnull: 5\n") == {"on": 1, "true": 2, "3": 4, "null": 5}


def test_small_anchors_and_core_tags_are_welcome() -> None:
    assert good("a: &x [1, !!str 2, !!float 3]\nb: *x\n") == {"a": [1, "2", 3.0], "b": [1, "2", 3.0]}


def test_the_kind_is_told_by_the_name_and_else_by_the_first_character() -> None:
    assert Source("a: 1", "x.YML").kind == "yaml"
    assert Source("{}", "x.json").kind == "json"
    for text, kind in (('  {"a": 1}', "json"), ("[1]", "json"), ("a: 1", "yaml")):
        source = Source(text, "flow")
        source.read(Report())
        assert source.kind == kind


@pytest.mark.parametrize("kind", ["json", "yaml"])
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
                    | st.text(st.characters(categories=["L", "N", "P", "S"])),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc", min_size=1), inner),
                     max_leaves=20))  # fmt: skip
def test_what_json_writes_is_read_again_as_either(kind: str, value: object) -> None:
    assert good(json.dumps({"v": value}, ensure_ascii=False), kind) == {"v": value}


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
TOWER = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 200))
REFUSED = [
    (b"", None, "empty", (1, 1)),
    (b" \n\n", None, "empty", (1, 1)),
    (b"\xef\xbb\xbfa: 1", None, "byte order mark", (1, 1)),
    ("a: 1".encode("utf-16"), None, "UTF-16", (1, 1)),
    (b"a: 1\nb: \xff", None, "UTF-8", (2, 4)),
    (b"a: 1\nb: \0", None, "NUL", (2, 4)),
    (b"x" * (MAX_BYTES + 1), None, "64 MiB", (1, 1)),
    ('{"a":\n "\\u0000"}', "json", "NUL", (2, 2)),
    ('a: "\\0"', "yaml", "NUL", (1, 4)),
    ('{"a": "\\ud800"}', "json", "surrogate", (1, 7)),
    ('{"a": 1,\n "b": {"c": 1, "c": 2}}', "json", "twice", (2, 16)),
    ('{"a": 1, "\\u0061": 2}', "json", "twice", (1, 10)),
    ('{"\\\\": "\\"",\n "\\\\": "\\\\\\""}', "json", "twice", (2, 2)),
    ("a: 1\nb:\n  c: 1\n  c: 2\n", "yaml", "twice", (4, 3)),
    ('{"a": [1,\n NaN]}', "json", "NaN", (2, 2)),
    ('{"a": -Infinity}', "json", "-Infinity", (1, 7)),
    ('{"a": 1e999}', "json", "1e999", (1, 7)),
    ("a: [1, .nan]", "yaml", ".nan", (1, 8)),
    ("a: -.inf", "yaml", "-.inf", (1, 4)),
    ("a: 1e999", "yaml", "1e999", (1, 4)),
    ('{"a": ' + "1" * 5000 + "}", "json", "kept", (1, 7)),
    ("a: " + "1" * 5000, "yaml", "digits", (1, 4)),
    ("a: 0x" + "f" * 5000, "yaml", "digits", (1, 4)),
    ("[" * 101 + "]" * 101, "json", "deeper than 100", (1, 101)),
    ("[" * 10_000 + "]" * 10_000, "json", "deeper than 100", (1, 101)),
    ("[" * 1_000_000, "json", "deeper than 100", (1, 101)),
    ("[" * 10_000, "yaml", "deeper than 100", (1, 101)),
    ("\n".join(" " * n + "a:" for n in range(500)), "yaml", "deeper than 100", (101, 101)),
    (TOWER, "yaml", "deeper than 100", (100, 12)),
    ('{"a": "' + "x" * 1_000_001 + '"}', "json", "too long", (1, 7)),
    ('{"' + "x" * 1_000_001 + '": 1}', "json", "too long", (1, 2)),
    ("a: " + "x" * 1_000_001, "yaml", "too long", (1, 4)),
    (BOMB, "yaml", "alias bomb", None),
    ("a: &a [*a]", "yaml", "in itself", (1, 8)),
    ("a: *b", "yaml", "no anchor", (1, 4)),
    ("a: !!python/object/apply:os.system [x]", "yaml", "!!python/object/apply:os.system", (1, 4)),
    ("a: !env HOME", "yaml", "!env", (1, 4)),
    ("a: !!int x", "yaml", "no int", (1, 4)),
    ("? [a]\n: 1", "yaml", "key", (1, 3)),
    ("a: 1\n---\nb: 2\n", "yaml", "more than one document", (2, 1)),
    ("a:\n\tb: 1", "yaml", "cannot be read", (2, 1)),
    ("a: b: c", "yaml", "cannot be read", (1, 5)),
    ("a: \x07", "yaml", "character", (1, 4)),
    # Python 3.13 names the comma, those before it what stands there instead of another key
    ('{"a": 1,}', "json", "cannot be read", (1, 8 if sys.version_info >= (3, 13) else 9)),
    ('{"a": 1} x', "json", "Extra data", (1, 10)),
    ("{'a': 1}", "json", "cannot be read", (1, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "reason", "place"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_what_is_refused(text: str | bytes, kind: str | None, reason: str, place: tuple[int, int] | None) -> None:
    _, report = read(text, kind)
    (found,) = report.found
    assert report.failed
    assert not found.warning
    assert reason in found.reason
    assert place is None or found.place == place
    assert found.hint


def test_a_hundred_levels_are_allowed() -> None:
    text = "[" * 100 + "]" * 100
    assert good(text, "json") == good(text, "yaml")


def test_all_that_is_wrong_is_found_at_once() -> None:
    _, report = read('{"a": NaN,\n "b": 1, "b": 2,\n "c": "\\u0000"}', "json")
    assert [(found.place, found.path) for found in report.found] == [
        ((1, 7), ("a",)),
        ((2, 10), ("b",)),
        ((3, 7), ("c",)),
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [('{"a": 1,\n "b": [1,\n  {"c": "é", "d": [2]}]}', "json"), ('a: 1\nb: [1,\n  {"c": "é", "d": [2]}]', "yaml")],
)
def test_places(text: str, kind: str) -> None:
    source = Source(text, None, kind)
    assert source.read(Report()) == {"a": 1, "b": [1, {"c": "é", "d": [2]}]}
    wanted = [("b", 1, "d"), ("b", 1, "d", 0), ("b", 1, "nope")]
    places = source.locate(wanted)
    assert set(places) == set(wanted[:2])
    assert places["b", 1, "d"].key == (3, 14)
    assert places["b", 1, "d"].value == (3, 19)
    assert places["b", 1, "d", 0].value == (3, 20)


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nope\.yaml"):
        read_source(tmp_path / "nope.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        read_source(tmp_path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_source("nul\0.yaml")


def test_a_pipe_that_nobody_writes_to_is_empty(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    report = Report()
    assert read_source(tmp_path / "pipe.yaml").read(report) is None
    assert "empty" in report.found[0].reason


def test_a_pipe_is_read_to_its_end() -> None:
    read, write = os.pipe()
    os.write(write, b"a: 1\n")
    os.close(write)
    assert read_source(f"/dev/fd/{read}").read(Report()) == {"a": 1}
    os.close(read)


def test_a_file_without_an_end_is_read_no_further_than_may_be() -> None:
    report = Report()
    read_source("/dev/zero").read(report)
    assert "64 MiB" in report.found[0].reason
