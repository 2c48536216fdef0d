"""Handing runs over to workers, and reminding them of what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.bells import Bell, Bells
    from orderlines.stores.base import Store
    from orderlines.stores.records import NewRun, RunRow

SILENCE: Final = 5.0
"""Seconds after which a bell is taken for lost, and its line is rung for again."""
BATCH: Final = 1_000
"""Lines that are rung for at once, at most."""
_NOBODY: Final = 0
"""The number of no driver."""


def hand_over(store: Store, run: NewRun, bell: Bell) -> RunRow:
    """Accept a run whose first line is for workers, and tell them.

    :raises Refused: the key stands for another run.
    """
    row, line = store.accept_for(_NOBODY, run)
    if line is not None:
        bell.ring([line])
    elif run.queue is not None:
        ring_again(store, [run.queue], bell)
    return row


def announce(store: Store, run: RunRow, bells: Bells) -> None:
    """Tell workers of a run that was accepted for them just now: the store has noted that its bell is being rung."""
    if bells.queue is not None:
        bells.ring([line for line in store.lines(run.id)[:1] if line.queue is not None])


def home_of(store: Store, run: RunRow) -> str | None:
    """Return the queue of a run's first line; ``None`` where an engine drives it."""
    lines = store.lines(run.id)
    return lines[0].queue if lines else None


def remind(store: Store, run: int, bells: Bells) -> None:
    """Tell workers of those lines of a run that can go on now: a wish stands on them, or they are open again."""
    if bells.queue is not None:
        ring_again(store, {line.queue for line in store.lines(run) if line.queue is not None}, bells)


def ring_again(store: Store, queues: Sequence[str] | set[str], bell: Bell, silence: float = SILENCE) -> None:
    """Ring for the lines of some queues for which nobody has rung for so many seconds."""
    if queues:
        lines = store.ring(queues, silence, BATCH)
        if lines:
            bell.ring(lines)
