"""Whether a worker that Redis still lists lives: its process, where that can be seen, and its driver's lease."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from orderlines.processes.identity import ProcessIdentity, alive
from orderlines_executor_rq.options import MISSED, TTL

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

HEARTBEAT: Final = TTL / MISSED
"""Seconds from one heartbeat to the next."""
HELD: Final = "held"
OVER: Final = "over"
ENDED: Final = "ended"


def lease_of(said: Mapping[str, str], drivers: Collection[int]) -> str | None:
    """Return how it stands with what a worker had in hand.

    ``held``: nobody else may go on with it. ``over``: the driver is off the store's books, since its lease has stood
    still for too long. ``ended``: the process is gone, which only the same machine can see; others go on at once.

    :param said: what the worker has said of itself.
    :param drivers: who is on the books.
    :returns: ``None`` where the worker has no driver that is known.
    """
    if _has_ended(said.get("process", "")):
        return ENDED
    driver = said.get("driver", "")
    if not driver.isdecimal():
        return None
    if driver in map(str, drivers):  # as text: it may have too many digits for a number
        return HELD
    # One whose child has just died has another number in a moment: only of who is silent too is that told.
    silent = seconds_since(said.get("last_heartbeat"))
    return OVER if silent is None or silent > HEARTBEAT else None


def seconds_since(moment: str | None) -> float | None:
    """Return for how many seconds something has been; ``None`` where the moment is not as workers write it."""
    try:
        return (datetime.now(UTC) - datetime.fromisoformat(moment or "")).total_seconds()
    except (TypeError, ValueError):
        return None


def _has_ended(text: str) -> bool:
    """Return whether a process is known to have ended; whoever can write to Redis may have put anything there."""
    try:
        host, boot, namespace, pid, start = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return False
    if not all(isinstance(number, int) for number in (namespace, pid, start)):
        return False
    return not alive(ProcessIdentity(host, boot, namespace, pid, start))
