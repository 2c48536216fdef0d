"""What a worker is told when it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderlines_executor_rq.queues import DEFAULT, PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS: Final = 5.0
GRACE: Final = 5.0
TTL: Final = 30.0
MISSED: Final = 3
"""Heartbeats that may be missed before a worker is taken for dead."""
PERIOD: Final = 5.0
OVERSEER: Final = "orderlines_executor_rq.draining:Overseer"


class WorkerOptions(NamedTuple):
    """What to serve, and how; everything can be written as JSON, for it travels to other processes.

    :ivar queue: the URL of the Redis that holds the queues.
    :ivar drain: ``package.module:class`` of a :class:`orderlines_executor_rq.draining.Drain`.
    :ivar overseer: the same of an :class:`orderlines_executor_rq.draining.Overseer`.
    :ivar settings: what both are made from.
    :ivar queues: the queues' names, the most urgent first.
    :ivar burst: whether to end when they are empty.
    :ivar seconds: how long a drain may take more work, before other bells have their turn.
    :ivar grace: seconds that it gets to leave when the worker is told to end.
    :ivar ttl: seconds without a heartbeat after which a worker is taken for dead, and what it had taken is put back.
    :ivar period: seconds without a bell after which the drain looks by itself.
    """

    queue: str
    drain: str
    overseer: str = OVERSEER
    settings: Mapping[str, Any] = {}
    queues: tuple[str, ...] = (DEFAULT,)
    prefix: str = PREFIX
    burst: bool = False
    seconds: float = SECONDS
    grace: float = GRACE
    ttl: float = TTL
    period: float = PERIOD
