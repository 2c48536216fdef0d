from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orderlines.processes.frames import Decoder, Frame, pack

HEADS = st.lists(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")), max_size=4
)


@given(st.lists(st.tuples(HEADS, st.binary(max_size=60)), max_size=6), st.data())
def test_frames_come_back_however_their_bytes_are_cut(
    messages: list[tuple[list[object], bytes]], data: st.DataObject
) -> None:
    stream = b"".join(pack(head, body) for head, body in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    decoder = Decoder()
    frames: list[Frame] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        frames.extend(decoder.feed(stream[start:end]))
    assert frames == [Frame(head, body) for head, body in messages]


def test_a_frame_is_given_out_when_its_last_byte_is_there() -> None:
    whole = pack(["kind", 1], b"body")
    decoder = Decoder()
    assert decoder.feed(whole[:-1]) == []
    assert decoder.feed(whole[-1:] + whole[:5]) == [Frame(["kind", 1], b"body")]
