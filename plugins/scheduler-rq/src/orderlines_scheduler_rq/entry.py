"""The one function that wake-ups name. Nobody has to run it."""

from __future__ import annotations

from typing import Final

from rq import get_current_job

from orderlines_scheduler_rq.keys import BELL

_KEPT: Final = 60
"""Seconds for which a bell is worth hearing."""


def wake() -> None:
    """Pass the wake-up on, where an RQ worker has taken it out of the queue: it takes no argument and does no more."""
    job = get_current_job()
    if job is not None:
        job.connection.rpush(BELL, job.id)
        job.connection.expire(BELL, _KEPT)
