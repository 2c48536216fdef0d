"""The worker as RQ sees it: registered, with a heartbeat and a state, and refusing to run any job in RQ's way."""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker
from rq.worker_registration import register, unregister

from orderlines.processes.identity import ProcessIdentity
from orderlines_executor_rq.entry import ENTRY
from orderlines_executor_rq.options import MISSED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis


class Inert(Job):
    """A job that cannot be run or read: should any path of RQ make one, nothing is imported or unpickled for it."""

    def perform(self) -> NoReturn:
        """Refuse.

        :raises RuntimeError: always.
        """
        raise RuntimeError(f"an orderlines worker runs no job: it answers doorbells that name {ENTRY}")

    def _deserialize_data(self) -> NoReturn:
        self.perform()


class BellWorker(BaseWorker):
    """What ``rq info`` shows of a worker. The loop that answers bells is :class:`orderlines_executor_rq.loop.Loop`.

    :param queues: RQ's names of the queues, the most urgent first.
    :param ttl: seconds without a heartbeat after which the worker is taken for dead.
    """

    job_class = Inert

    def __init__(self, queues: Sequence[str], connection: Redis, ttl: float) -> None:
        name = f"{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}"
        super().__init__(list(queues), name=name, connection=connection, serializer=JSONSerializer)
        self._ttl = ttl
        self._next = 0.0
        self._driver: int | None = None
        self._process = json.dumps(ProcessIdentity.current())
        self.birth_date = self.last_heartbeat = datetime.now(UTC)

    @property
    def connection_timeout(self) -> int:
        """Return 0: the connection's own time-outs stay."""
        return 0

    def show(self, state: str) -> None:
        """Let people see a state, and this be a heartbeat."""
        self._state = state
        self.beat()

    def becomes(self, state: str) -> None:
        """Let the heartbeats to come say a state, which is written down in another way until then."""
        self._state = state

    def drives(self, driver: int | None) -> None:
        """Let people see which driver on the store's books this is, from the next heartbeat on, which is due then."""
        if driver != self._driver:
            self._driver = driver
            self._next = 0.0

    def due(self) -> bool:
        """Return whether a heartbeat is due."""
        return time.monotonic() >= self._next

    def beat(self) -> None:
        """Say that the worker lives, and what it is: Redis may have lost it."""
        self._next = time.monotonic() + self._ttl / MISSED
        self.last_heartbeat = datetime.now(UTC)
        with self.connection.pipeline() as pipeline:
            driver = "" if self._driver is None else str(self._driver)
            shown: dict[Any, Any] = {"state": self._state, "process": self._process, "driver": driver}
            pipeline.hset(self.key, mapping={**self.serialize(), **shown})
            pipeline.expire(self.key, max(1, round(self._ttl)))
            register(self, pipeline)
            pipeline.execute()

    def leave(self) -> None:
        """Strike the worker off."""
        with self.connection.pipeline() as pipeline:
            unregister(self, pipeline)
            pipeline.delete(self.key)
            pipeline.execute()

    def work(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse RQ's own loop, which runs whatever it finds.

        :raises RuntimeError: always.
        """
        raise RuntimeError("an orderlines worker does not run RQ's loop: start it by orderlines_executor_rq.serving")

    def execute_job(self, job: Job, queue: object) -> NoReturn:
        """Refuse, as :meth:`work` does."""
        self.work()
