"""The entry point: offers the scheduler ``rq``."""

from __future__ import annotations

from orderlines.plugins import SchedulerPlugin, hookimpl

ORDERLINES_API = 1


@hookimpl
def orderlines_schedulers() -> list[SchedulerPlugin]:
    """Return the scheduler that rq-scheduler wakes."""
    return [SchedulerPlugin("rq", "orderlines_scheduler_rq.scheduler:RQScheduler")]
