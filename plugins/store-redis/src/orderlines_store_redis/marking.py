"""Finding the texts of a run that begin with a mark: references to large values, wherever they stand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orderlines_store_redis.reading import numbers_of_lines, pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orderlines_store_redis.connection import Connections


def marked(connections: Connections, run: int, mark: str) -> Iterator[str]:
    """Yield the texts in the rows of a run that begin with a mark."""
    seen, data = connections.ask(
        (b"HMGET", connections.key(f"run:{run}"), b"vars", b"variables", b"round", b"pruned"),
        (b"HVALS", connections.key(f"data:{run}")),
    )
    given, variables, last, pruned = seen
    if given is None or pruned:
        return
    over = connections.ask(
        *((b"HGET", connections.key(f"round:{run}:{each}"), b"vars") for each in range(1, int(last)))
    )  # fmt: skip
    yield from _beginning([given, *data, *map(_own, (variables, *over))], mark)
    for page in pages(numbers_of_lines(connections, run)):
        yield from _beginning(_of_lines(connections, page), mark)


def _beginning(texts: Iterable[bytes | str | None], mark: str) -> Iterator[str]:
    for text in texts:
        if text is not None:
            told = text.decode() if isinstance(text, bytes) else text
            if told.startswith(mark):
                yield told


def _own(text: bytes | None) -> bytes | None:
    """Return a text that was kept with a sign before it, or nothing."""
    return text[1:] if text else None


def _of_lines(connections: Connections, lines: Sequence[int]) -> Iterator[bytes | str | None]:
    key = connections.key
    for line in lines:
        hashes, tasks, attempts, joins = connections.ask(
            (b"HMGET", key(f"line:{line}"), b"vars", b"state"),
            (b"LRANGE", key(f"tasks:{line}"), b"0", b"-1"),
            (b"HVALS", key(f"attempts:{line}")),
            (b"HVALS", key(f"joins:{line}")),
        )  # fmt: skip
        yield from map(_own, hashes)
        for result, assigned in (_read(row, 7, 9) for row in tasks):
            yield from (result, assigned)
        yield from (_read(row, 2)[0] for row in attempts)
        for join in joins:
            (given,), ended = connections.ask(
                (b"HMGET", key("join:") + join, b"vars"), (b"HVALS", key("ended:") + join)
            )  # fmt: skip
            yield _own(given)
            for row in ended:
                yield from _read(row, 2, 3)


def _read(row: bytes, *places: int) -> list[Any]:
    values = json.loads(row)
    return [values[place] for place in places]
