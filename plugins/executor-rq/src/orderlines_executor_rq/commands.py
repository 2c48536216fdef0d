"""What people send to one worker through RQ: stop a job, kill the horse, shut down."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from redis.exceptions import RedisError

if TYPE_CHECKING:
    from redis import Redis

_AGAIN: Final = 5.0
"""Seconds between two tries to listen, once the connection is lost. What is said in between is not heard."""


class Command(NamedTuple):
    """A command; ``job`` is the id of the job that it is about, where it is about one."""

    word: str
    job: str = ""


class Commands:
    """Listens on a worker's channel without a thread: a command is obeyed between two steps, and never in one.

    :param worker: the worker's name.
    """

    def __init__(self, connection: Redis, worker: str) -> None:
        self._connection: Any = connection
        self._channel = f"rq:pubsub:{worker}"
        self._pubsub: Any = None
        self._next = 0.0

    def poll(self) -> Command | None:
        """Return the next command that has come, without waiting for one."""
        try:
            if self._pubsub is None and not self._listen():
                return None
            return self._read(self._pubsub.get_message(ignore_subscribe_messages=True, timeout=0.0))
        except (RedisError, OSError):
            self.close()
            self._next = time.monotonic() + _AGAIN
            return None

    def close(self) -> None:
        """Stop listening."""
        if self._pubsub is not None:
            self._pubsub.close()
            self._pubsub = None

    def _listen(self) -> bool:
        if time.monotonic() < self._next:
            return False
        self._pubsub = self._connection.pubsub()
        self._pubsub.subscribe(self._channel)
        return True

    @staticmethod
    def _read(message: Any) -> Command | None:
        """Return what a message says; what is no command is none, whoever sent it."""
        try:
            said = json.loads(message["data"])
            return Command(str(said["command"]), str(said.get("job_id", "")))
        except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
            return None
