"""Lines that are for a queue, of whatever run: taken and rung for by who serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orderlines_store_redis.rows import line_of, number, text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from orderlines.stores.records import LineRow


class Wanted(NamedTuple):
    """Who asks for lines, how many at the most, and of which queues: those of the first one first."""

    driver: int
    limit: int
    queues: Sequence[str]


def serve(
    run: Callable[..., list[Any]], wanted: Wanted, runs: Collection[int] | None, without: Collection[int]
) -> list[LineRow]:
    """Take lines of queues.

    :param runs: only lines of these runs; ``None``: of any.
    :param without: no lines of these.
    """
    if wanted.limit < 1:
        return []
    named = without if runs is None else set(runs).difference(without)
    only = "" if runs is None else "1"
    queues = map(text, wanted.queues)
    head = (str(wanted.driver), str(wanted.limit), only, str(len(wanted.queues)))
    return [line_of(row) for row in run("serve", *head, *queues, *map(str, named))]


def ring(run: Callable[..., list[Any]], queues: Collection[str], silence: float, limit: int) -> list[LineRow]:
    """Note rings for lines of queues for which nobody has rung for so many seconds, and return them."""
    return [line_of(row) for row in run("ring", number(silence), str(limit), *map(text, queues))]
