"""The steps by which the layout of the keys came to be what it is.

A step may be begun again from its beginning, and be done by several at once: what it changes, it changes by scripts
that may be run twice, and that do nothing once the step has ended.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines_store_redis.connection import Connections

PAGE: Final = 1_000


class Step(NamedTuple):
    """A step to the next layout: that to which it leads, and what does it."""

    version: int
    act: Callable[[Connections], None]


def names(connections: Connections, head: str) -> Iterator[str]:
    """Yield what follows in the names of all keys that begin with a text; some may come twice."""
    prefix = connections.key(head)
    pattern = re.sub(rb"([\\*?\[\]])", rb"\\\1", prefix) + b"*"
    cursor: Any = b"0"
    while True:
        ((cursor, page),) = connections.ask((b"SCAN", cursor, b"MATCH", pattern, b"COUNT", str(PAGE)))
        for key in page:
            yield key.removeprefix(prefix).decode()
        if cursor == b"0":
            return


def _note_queues(connections: Connections) -> None:
    for shelf in ("bell:", "due:="):
        for name in names(connections, shelf):
            connections.run("upgrade_2", "2", "=" + name if shelf == "due:=" else name)


STEPS: Final = (Step(2, _note_queues),)
