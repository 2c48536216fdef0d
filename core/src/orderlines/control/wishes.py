"""Pausing, resuming and stopping: the answer says whether the run could still be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.errors import Refused
from orderlines.states import FINAL

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

PAUSE = "pause"
STOP = "stop"


def pause(store: Store, run: RunRow) -> RunRow:
    """Let nothing more begin in a run until it is resumed; what goes on is recorded.

    :raises Refused: it has ended, or is to stop.
    """
    row = store.wish(run.id, PAUSE)
    check_going(row, "paused")
    if row.wish != PAUSE:
        raise Refused(f"run {row.name} is to stop and cannot be paused")
    return row


def resume(store: Store, run: RunRow) -> RunRow:
    """Let a paused run go on; one that is not paused stays as it is.

    :raises Refused: it has ended, or is to stop.
    """
    row = store.resume(run.id)
    check_going(row, "resumed")
    if row.wish is not None:
        raise Refused(f"run {row.name} is to stop and cannot be resumed")
    return row


def stop(store: Store, run: RunRow) -> RunRow:
    """Wish a run to stop; one that has ended stays as it is."""
    return store.wish(run.id, STOP)


def check_going(row: RunRow, done: str) -> None:
    """See to it that a run goes on.

    :param done: what cannot be done to it otherwise.
    :raises Refused: it has ended.
    """
    if row.status in FINAL:
        raise Refused(f"run {row.name} has ended as {row.status} and cannot be {done}")
