"""The connection to the Redis of wake-ups."""

from __future__ import annotations

from typing import Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from orderlines.errors import StoreUnavailable, UsageError
from orderlines.redisurl import place, read_queue, trouble

_CONNECT: Final = 1.0
"""Seconds for a connection, and for an answer: slots wait meanwhile."""
_ANSWER: Final = 2.0
_HEALTH: Final = 30
"""Seconds of silence after which a connection is tried before it is used."""


def connected(url: str | None) -> Redis:
    """Return a connection that has been tried. A command that fails is not repeated: the next look does it again.

    :raises UsageError: this is no URL of a Redis.
    :raises StoreUnavailable: it does not answer.
    """
    if url is None:
        raise UsageError("the scheduler rq needs a Redis: --queue redis://HOST:PORT/DATABASE")
    read = read_queue(url)
    kept_alive = {} if read.startswith("unix:") else {"socket_keepalive": True}
    try:
        connection: Redis = Redis.from_url(
            read, retry=Retry(NoBackoff(), 0), socket_connect_timeout=_CONNECT, socket_timeout=_ANSWER,
            health_check_interval=_HEALTH, client_name="orderlines-scheduler", **kept_alive,
        )  # fmt: skip
    except ValueError as error:  # a value of an option
        raise UsageError(f"--queue: {place(url)} cannot be used as the URL of a Redis: {error}") from error
    try:
        connection.ping()
    except (RedisError, OSError) as error:
        told = trouble(url, str(error))
        raise StoreUnavailable(
            f"queue {place(url)} cannot be reached: {told} ({type(error).__name__}: {error})"
        ) from error
    return connection
