"""Ringing: telling workers that there is work, a thousand lines in one go."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import StoreUnavailable
from orderlines.logger import logger
from orderlines_executor_rq.connection import connect, reaching
from orderlines_executor_rq.entry import ENTRY
from orderlines_executor_rq.fitting import key_id
from orderlines_executor_rq.keys import VARIABLE
from orderlines_executor_rq.message import write
from orderlines_executor_rq.queues import Names, check_name
from orderlines_executor_rq.taking import RESULT_TTL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from redis.client import Pipeline
    from rq import Queue

    from orderlines_executor_rq.keys import SigningKey
    from orderlines_executor_rq.message import Bell

TRIES: Final = 3
BATCH: Final = 1_000
"""Bells that are sent in one go."""
KEY_ID_TTL: Final = 86_400
"""Seconds for which it is remembered which key was rung with last."""
FAILURE_TTL: Final = 60
GLANCE: Final = 60.0
"""Seconds between two looks at the key that was rung with last."""


class Ringer:
    """Rings for lines. Usable from several threads.

    :param url: of the Redis that holds the queues.
    """

    def __init__(self, url: str, key: SigningKey, names: Names | None = None) -> None:
        self._url = url
        self._key = key
        self._names = Names() if names is None else names
        # What is sent twice is rung twice: it is looked first whether the bells are there.
        self._connection = connect(url)
        self._next_glance = 0.0
        self._told: str | None = None

    def ring_many(self, bells: Mapping[str, Iterable[Bell]]) -> int:
        """Ring on queues, given by their names; return how many bells there were.

        A bell that was rung before, with the same number of ring, is not rung again while its job is kept. Where others
        ring with another key, that is in the log.

        :raises StoreUnavailable: the queue cannot be reached, or takes nothing; some of the bells may have been rung.
        :raises UsageError: what is given cannot be the name of a queue.
        """
        every = [(self._names.queue(check_name(name)), bell) for name, some in bells.items() for bell in some]
        for start in range(0, len(every), BATCH):
            self._ring(every[start : start + BATCH])
        return len(every)

    def waiting(self, name: str) -> int:
        """Return how many bells wait on a queue.

        :raises StoreUnavailable: the queue cannot be reached.
        """
        with reaching(self._url):
            count: Any = self._connection.llen(f"rq:queue:{self._names.queue(name)}")
        return int(count)

    def close(self) -> None:
        """Let go of the connections."""
        self._connection.close()

    def _ring(self, batch: Sequence[tuple[str, Bell]]) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                with reaching(self._url):
                    self._send(batch if attempt == 1 else self._missing(batch))
            except StoreUnavailable:
                if attempt == TRIES:
                    raise
                time.sleep(random.uniform(0.05, 0.1) * 2**attempt)  # noqa: S311 -- jitter
            else:
                return

    def _missing(self, batch: Sequence[tuple[str, Bell]]) -> Sequence[tuple[str, Bell]]:
        """Return those bells of which Redis knows no job: an earlier try may have come through."""
        with self._connection.pipeline(transaction=False) as pipeline:
            for _, bell in batch:
                pipeline.exists(f"rq:job:{bell.id}")
            there = pipeline.execute()
        return [each for each, known in zip(batch, there, strict=True) if not known]

    def _glance(self) -> None:
        """Warn where others ring with another key: one that nobody else has may have been made here by mistake."""
        now = time.monotonic()
        if now < self._next_glance:
            return
        self._next_glance = now + GLANCE
        other = key_id(self._connection, self._names)
        if other not in {None, self._key.id, self._told}:
            self._told = other
            logger().warning(
                "bells were rung with the key %s here, and now with the key %s of %s: workers set aside what another "
                "key than theirs has signed, and look for lines themselves; set the same %s wherever orderlines runs",
                other, self._key.id, self._key.source, VARIABLE,
            )  # fmt: skip

    def _send(self, batch: Sequence[tuple[str, Bell]]) -> None:
        self._glance()
        queues: dict[str, list[Bell]] = {}
        for queue, bell in batch:
            queues.setdefault(queue, []).append(bell)
        with self._connection.pipeline() as pipeline:
            pipeline.set(self._names.key_id, self._key.id, ex=KEY_ID_TTL)
            for queue, bells in queues.items():
                self._enqueue(queue, bells, pipeline)
            pipeline.execute()

    def _enqueue(self, name: str, bells: Sequence[Bell], pipeline: Pipeline) -> None:
        queue = self._queue(name)
        # RQ refuses one id twice in one call, and would ring twice for it in two.
        unique = {bell.id: bell for bell in bells}
        data = [
            queue.prepare_data(
                ENTRY, args=(write(bell, self._key),), result_ttl=RESULT_TTL, failure_ttl=FAILURE_TTL,
                description=f"run {bell.run}, line {bell.line}", job_id=name,
            )
            for name, bell in unique.items()
        ]  # fmt: skip
        queue.enqueue_many(data, pipeline=pipeline)

    def _queue(self, name: str) -> Queue:
        from rq import Queue  # noqa: PLC0415 -- slow, and not for help
        from rq.serializers import JSONSerializer  # noqa: PLC0415 -- as above

        return Queue(name, connection=self._connection, serializer=JSONSerializer)
