"""The message of a doorbell: made, read, and refused whatever is wrong with it."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlines_executor_rq.entry import ENTRY
from orderlines_executor_rq.jobs import read_job
from orderlines_executor_rq.keys import SigningKey
from orderlines_executor_rq.message import LARGEST, Bell, NotABell, WrongSignature, read, write

KEY = SigningKey("a key of the tests, long enough", "the test")
BELL = Bell(7, 12, 3, 1)
NUMBERS = st.integers(0, LARGEST)


@given(st.builds(Bell, NUMBERS, NUMBERS, NUMBERS, NUMBERS))
def test_it_comes_back_as_it_was_written(bell: Bell) -> None:
    message = write(bell, KEY)
    assert set(message) == {"v", "run", "line", "epoch", "ring", "sig"}
    assert read(json.loads(json.dumps(message)), KEY) == bell


def test_its_signature_is_the_same_everywhere() -> None:
    # Computed by openssl.
    assert write(BELL, KEY)["sig"] == "7b95f1c685d367cfa93949764f1ae05f54413e73ea805795bb46bbbb05e4f317"


@given(st.sampled_from(Bell._fields), NUMBERS)
def test_another_number_does_not_fit_its_signature(field: str, number: int) -> None:
    message = write(BELL, KEY)
    if message[field] != number:
        with pytest.raises(WrongSignature):
            read({**message, field: number}, KEY)


def test_it_does_not_fit_another_key() -> None:
    with pytest.raises(WrongSignature):
        read(write(BELL, KEY), SigningKey("another key of the tests", "the test"))


@pytest.mark.parametrize("value", [True, 7.0, "7", None, -1, LARGEST + 1, [7], 2**70])
@pytest.mark.parametrize("field", ["run", "line", "epoch", "ring"])
def test_what_is_no_number_is_refused(field: str, value: object) -> None:
    with pytest.raises(NotABell, match=f"its {field} is not a whole number"):
        read({**write(BELL, KEY), field: value}, KEY)


@pytest.mark.parametrize("version", [0, 2, True, "1", None, 1.0])
def test_another_version_is_refused(version: object) -> None:
    with pytest.raises(NotABell, match="another version than 1: run the same orderlines everywhere"):
        read({**write(BELL, KEY), "v": version}, KEY)


@pytest.mark.parametrize("signature", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64, None, 5, ["0" * 64], "\u0660" * 64])
def test_what_is_no_signature_is_refused(signature: object) -> None:
    with pytest.raises(NotABell, match="not 64 hexadecimal digits"):
        read({**write(BELL, KEY), "sig": signature}, KEY)


@pytest.mark.parametrize("message", [None, [], "bell", 1, {}, {**write(BELL, KEY), "args": []}])
def test_other_fields_are_refused(message: object) -> None:
    with pytest.raises(NotABell, match="exactly the fields epoch, line, ring, run, sig, v"):
        read(message, KEY)


def job(call: object, **more: bytes) -> dict[bytes, bytes]:
    text = call if isinstance(call, bytes) else json.dumps(call).encode()
    return {b"data": zlib.compress(text), b"origin": b"q", **{name.encode(): value for name, value in more.items()}}


def a_call(function: str = ENTRY, *, named: dict[str, Any] | None = None, count: int = 1) -> list[object]:
    return [function, None, [write(BELL, KEY)] * count, named or {}]


def test_a_job_is_read() -> None:
    fields = job(a_call(), success_callback_name=b"", group_id=b"", status=b"queued", timeout=b"180")
    assert read_job(BELL.id, fields, KEY) == BELL


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "there is no job of this id"),
        ({b"origin": b"q"}, "cut short"),
        ({b"data": b"\x80\x04garbage"}, "not JSON"),
        ({b"data": zlib.compress(b"[]")[:-3]}, "cut short"),
        ({b"data": zlib.compress(b"[]") + b"more"}, "go on after their end"),
        (job(b"[" * 2000), "not JSON"),
        (job(b" " * 100_000_000), "too long"),
        (job(b'{"a": 1, "a": 2}'), "a key twice"),
        (job(b"\xff\xfe"), "not JSON"),
        (job(a_call("os.system")), "calls 'os.system', and only"),
        (job(a_call("subprocess.getoutput\n")), r"calls 'subprocess.getoutput\\n'"),
        (job(a_call("orderlines_executor_rq.entry.ANSWER")), "and only"),
        (job(a_call(count=2)), "one message and nothing else"),
        (job(a_call(count=0)), "one message and nothing else"),
        (job(a_call(named={"x": 1})), "one message and nothing else"),
        (job([ENTRY, "instance", [write(BELL, KEY)], {}]), "one message and nothing else"),
        (job([ENTRY]), "one message and nothing else"),
        (job({"call": ENTRY}), "one message and nothing else"),
        (job(a_call(), success_callback_name=b"os.system"), "'success_callback_name' is not empty"),
        (job(a_call(), failure_callback_name=b"os.system"), "'failure_callback_name' is not empty"),
        (job(a_call(), stopped_callback_name=b"os.system"), "'stopped_callback_name' is not empty"),
        (job(a_call(), dependency_ids=b"[]"), "the field 'dependency_ids'"),
        (job(a_call(), meta=b"{}"), "the field 'meta'"),
        (job(a_call(), webhooks=b"[]"), "the field 'webhooks'"),
        (job(a_call(), retries_left=b"3"), "the field 'retries_left'"),
        (job(a_call(), repeats_left=b"3"), "the field 'repeats_left'"),
        (job(a_call(), result=b"x"), "the field 'result'"),
    ],
)
def test_what_is_no_doorbell_is_refused(fields: dict[bytes, bytes], reason: str) -> None:
    with pytest.raises(NotABell, match=reason):
        read_job(BELL.id, fields, KEY)


def test_a_message_under_another_id_is_refused() -> None:
    with pytest.raises(NotABell, match="its id is not the one"):
        read_job("7-12-3-2", job(a_call()), KEY)


@given(st.dictionaries(st.binary(max_size=20), st.binary(max_size=200), max_size=5), st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_else_happens(fields: dict[bytes, bytes], data: bytes) -> None:
    for text in (data, zlib.compress(data)):
        with pytest.raises(NotABell):
            read_job(BELL.id, {**fields, b"data": text}, KEY)
