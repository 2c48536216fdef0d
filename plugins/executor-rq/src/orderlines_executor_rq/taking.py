"""A worker's hold on its queues: it takes one bell at a time, and a death of its own at any moment loses none."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderlines_executor_rq import scripts
from orderlines_executor_rq.jobs import LARGEST, read_job
from orderlines_executor_rq.message import NotABell
from orderlines_executor_rq.quarantine import DAY, KEPT, entry_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis

    from orderlines_executor_rq.keys import SigningKey
    from orderlines_executor_rq.message import Bell
    from orderlines_executor_rq.queues import Names

RESULT_TTL: Final = 60
"""Seconds for which a job that is done can be looked at, and its id is not taken again."""
_JOB: Final = "rq:job:"
_QUEUE: Final = "rq:queue:"
_SUSPENDED: Final = "rq:suspended"


class Taken(NamedTuple):
    """A bell that a worker has taken off a queue (by RQ's name) and has to let go of."""

    bell: Bell
    queue: str


class Foreign(NamedTuple):
    """What was taken and is no bell: it is to be set aside, with the reason."""

    job: bytes
    queue: str
    problem: NotABell
    fields: dict[bytes, bytes]


class Suspended(NamedTuple):
    """All workers are to wait: somebody has said ``rq suspend``."""


class Damaged(NamedTuple):
    """What stands in a queue's place is no queue."""

    queue: str
    told: str


class Hands:
    """Takes from some queues for one worker.

    :param queues: RQ's names of the queues, the most urgent first.
    :param worker: the worker's name; no other living one may have it.
    """

    def __init__(self, connection: Redis, names: Names, queues: Sequence[str], worker: str, key: SigningKey) -> None:
        self._connection = connection
        self._names = names
        self._queues = list(queues)
        self._worker = worker
        self._key = key
        self._lists = [names.taken(queue, worker) for queue in queues]
        pairs = zip(self._queues, self._lists, strict=True)
        self._keys = [_SUSPENDED, *(key for queue, taken in pairs for key in (_QUEUE + queue, taken))]
        self._take = connection.register_script(scripts.TAKE)
        self._start = connection.register_script(scripts.START)
        self._finish = connection.register_script(scripts.FINISH)
        self._set_aside = connection.register_script(scripts.SET_ASIDE)
        self._give_back = connection.register_script(scripts.GIVE_BACK)

    def take(self) -> Taken | Foreign | Suspended | Damaged | None:
        """Return the next bell, or what else is next; ``None`` when the queues are empty."""
        answer: list[Any] = self._take(self._keys, [_JOB, LARGEST])
        word = answer[0]
        if word == b"nothing":
            return None
        if word == b"suspended":
            return Suspended()
        queue = self._queues[answer[1] // 2 - 1]
        if word == b"wrong":
            return Damaged(queue, answer[2].decode("utf-8", "replace"))
        job: bytes = answer[2]
        if word == b"odd":
            return Foreign(job, queue, NotABell(answer[3].decode()), {})
        flat = answer[3]
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        try:
            return Taken(read_job(job.decode("utf-8", "replace"), fields, self._key), queue)
        except NotABell as problem:
            return Foreign(job, queue, problem, fields)

    def wait(self, seconds: float) -> None:
        """Return when something may have come: a bell on the most urgent queue is there for :meth:`take` by then."""
        client: Any = self._connection
        client.execute_command("BLMOVE", _QUEUE + self._queues[0], self._lists[0], "LEFT", "RIGHT", round(seconds, 3))

    def start(self, taken: Taken) -> None:
        """Write down, for people to see, that a bell is being answered."""
        name = taken.bell.id
        self._start([_JOB + name, self._worker_key(self._worker)], [name, _moment(), self._worker])

    def finish(self, taken: Taken, status: str, state: str = "idle", *, again: bool = False) -> bool:
        """Let go of a bell; return whether it was still the worker's.

        :param status: of its job, for people to see: ``finished``, ``failed`` or ``stopped``.
        :param state: what the worker is from now on, for people to see.
        :param again: whether it is to be rung again, after those that wait.
        """
        name = taken.bell.id
        keys = [self._list(taken.queue), _JOB + name, self._worker_key(self._worker), _QUEUE + taken.queue]
        return bool(self._finish(keys, [name, status, _moment(), RESULT_TTL, "again" if again else "", state]))

    def set_aside(self, foreign: Foreign, reason: str) -> bool:
        """Move what is no bell to the quarantine; return ``False`` where it is gone, as that is no list."""
        now = time.time()
        entry = entry_of(now, foreign.queue, self._worker, foreign.job, reason, foreign.fields.get(b"data", b""))
        keys: list[str | bytes] = [self._list(foreign.queue), self._names.quarantine]
        if foreign.fields.get(b"origin") == foreign.queue.encode():
            keys.append(_JOB.encode() + foreign.job)
        done: Any = self._set_aside(keys, [foreign.job, entry, KEPT, DAY])
        return bool(done != -1)

    def give_back(self) -> None:
        """Put back what was taken and is not done, in front of what waits."""
        for queue, taken in zip(self._queues, self._lists, strict=True):
            self._give_back([taken, _QUEUE + queue])

    def rescue(self) -> int:
        """Put back what dead workers of the same queues had taken; return how many bells that were."""
        count = 0
        for queue in self._queues:
            group = f"rq:workers:{queue}"
            found: Any = self._connection.smembers(group)
            for key in found:
                name = key.decode("utf-8", "replace").removeprefix("rq:worker:")
                count += self._give_back([self._names.taken(queue, name), _QUEUE + queue, key, group])
        return count

    def _list(self, queue: str) -> str:
        return self._lists[self._queues.index(queue)]

    @staticmethod
    def _worker_key(name: str) -> str:
        return f"rq:worker:{name}"


def _moment() -> str:
    """Return now, as RQ writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
