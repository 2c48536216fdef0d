"""Wake-ups as jobs of rq-scheduler: JSON, one entry function, in places of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from rq.job import Job
from rq.serializers import JSONSerializer
from rq_scheduler import Scheduler

from orderlines_scheduler_rq.keys import PREFIX, QUEUE

if TYPE_CHECKING:
    from redis import Redis

ENTRY: Final = "orderlines_scheduler_rq.entry.wake"
_TIMEOUT: Final = 10
"""Seconds for the entry function, where somebody runs it."""


class WakeJob(Job):
    """A job whose data are JSON, whoever reads or writes it: nothing is unpickled."""

    def __init__(self, id: str | None = None, connection: Redis | None = None, serializer: Any = None) -> None:  # noqa: A002 -- RQ's name
        super().__init__(id, connection, JSONSerializer)


class Wakes(Scheduler):  # type: ignore[misc]  # it ships no types
    """rq-scheduler with keys of its own: jobs of others, and what is wrong with them, are none of its business.

    Of its parts only two are used: to register a moment, and to move what has come due to the queue. Its lock is not:
    a wake-up that is moved twice changes nothing, but a lock without an owner keeps others waiting when its holder
    dies. Nor are its periodic jobs: it loses one that is killed between two commands.
    """

    redis_scheduler_namespace_prefix = "orderlines:wakes:instance:"
    scheduler_key = "orderlines:wakes"
    scheduler_lock_key = "orderlines:wakes:lock"
    scheduled_jobs_key = "orderlines:wakes:scheduled"

    def __init__(self, connection: Redis) -> None:
        super().__init__(queue_name=QUEUE, connection=connection, job_class=WakeJob)

    def register(self, moment: int) -> None:
        """Register a wake-up at a moment, in seconds since the epoch; the same one again is the same wake-up."""
        when = datetime.fromtimestamp(moment, UTC)
        self.enqueue_at(
            when, ENTRY, job_id=f"{PREFIX}{moment}", timeout=_TIMEOUT, job_result_ttl=0, job_description="orderlines"
        )
