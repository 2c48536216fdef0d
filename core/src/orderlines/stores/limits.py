"""From what size on a value is kept outside its row, and from what size on it is refused."""

from __future__ import annotations

from typing import Final, NamedTuple

from orderlines.values.format import MAX_SIZE

INLINE: Final = 64 * 1024


class Limits(NamedTuple):
    """Bytes of a value's text in UTF-8.

    :ivar inline: what is larger is kept in a result store, and the row holds a reference.
    :ivar largest: what is larger is refused. Values that executors carry are never larger than
        :data:`orderlines.values.MAX_SIZE`.
    """

    inline: int = INLINE
    largest: int = MAX_SIZE


def exceeds(text: str, limit: int) -> bool:
    """Return whether a text has more bytes than that; cheap for those that are far from it."""
    size = len(text)
    if size > limit:
        return True
    return size * 4 > limit and not text.isascii() and len(text.encode()) > limit
