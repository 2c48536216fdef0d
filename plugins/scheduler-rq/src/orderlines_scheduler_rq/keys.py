"""Where in Redis wake-ups are."""

from __future__ import annotations

from typing import Final

QUEUE: Final = "orderlines-wakes"
"""The queue that rq-scheduler puts wake-ups into; whoever serves schedules takes them out of it."""
BELL: Final = "orderlines:wakes:bell"
"""The list that :func:`orderlines_scheduler_rq.entry.wake` writes to, where an RQ worker serves the queue as well."""
PREFIX: Final = "orderlines-wake-"
"""What the ids of wake-ups begin with; the moment follows, so that the same one is registered once."""
