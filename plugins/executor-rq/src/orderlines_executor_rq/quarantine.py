"""What came and was no doorbell: what is written down of it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderlines.logger import logger
from orderlines.views.wording import printable

if TYPE_CHECKING:
    from redis import Redis

    from orderlines_executor_rq.queues import Names

KEPT: Final = 1_000
"""Entries; the oldest go."""
DAY: Final = 86_400
"""Seconds for which the job itself is left where it is, for somebody to look at."""
_EXCERPT: Final = 1_024


class Quarantined(NamedTuple):
    """A job that was set aside.

    :ivar at: when, in seconds since the epoch, by the worker's clock.
    :ivar job: its id, escaped where it is no text.
    :ivar data: the first 1,024 bytes of its data, as base64: it may hold code, so nothing should unpickle it.
    """

    at: float
    queue: str
    worker: str
    job: str
    reason: str
    data: str


def entry_of(at: float, queue: str, worker: str, job: bytes, reason: str, data: bytes) -> str:
    """Return the entry of a job, as it is kept."""
    shown = job.decode("utf-8", "backslashreplace")
    excerpt = base64.b64encode(data[:_EXCERPT]).decode("ascii")
    return json.dumps(Quarantined(at, queue, worker, shown, reason, excerpt)._asdict())


def told(job: bytes, queue: str, reason: str) -> None:
    """Log that a job was set aside."""
    shown = ascii(job[:80].decode("utf-8", "backslashreplace"))
    logger().warning("%s on the queue %s is no doorbell, and was set aside: %s", shown, queue, reason)


def quarantined(connection: Redis, names: Names) -> list[Quarantined]:
    """Return what was set aside, newest first."""
    found: Any = connection.lrange(names.quarantine, 0, -1)
    return [Quarantined(**json.loads(text)) for text in found]


def set_aside(connection: Redis, names: Names) -> tuple[int | None, Quarantined | None]:
    """Return how many entries are kept, and the newest if it can be read: others may have written anything there.

    The number is ``None`` where something else than a list stands in their place.
    """
    from redis.exceptions import ResponseError  # noqa: PLC0415 -- slow, and not for help

    try:
        count: Any = connection.llen(names.quarantine)
        newest: Any = connection.lrange(names.quarantine, 0, 0)
    except ResponseError:
        return None, None
    return count, next(map(_read, newest), None)


def _read(text: bytes) -> Quarantined | None:
    try:
        entry = Quarantined(**json.loads(text))
        datetime.fromtimestamp(entry.at, UTC)
    except (TypeError, ValueError, OverflowError, OSError, RecursionError):
        return None
    return entry if all(isinstance(each, str) for each in entry[1:]) else None


def told_of(count: int | None, newest: Quarantined | None) -> str:
    """Return in words what :func:`set_aside` has found, for people."""
    if count is None:
        return "what Redis has in place of the quarantine is none, so messages that are no doorbells are only logged"
    last = ""
    if newest is not None:
        at = datetime.fromtimestamp(newest.at, UTC).isoformat(timespec="seconds")
        last = f", the last at {at} on {newest.queue}: {newest.reason}"
    what = "message that is no doorbell" if count == 1 else "messages that are no doorbells"
    return printable(f"{count} {what} set aside{last}")
