"""Connections to Redis whose every patience is our own: redis-py's defaults differ with its version."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import StoreUnavailable, UsageError
from orderlines.redisurl import place, read_queue, trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

CONNECT: Final = 3.0
"""Seconds that making a connection may take."""
ANSWER: Final = 3.0
"""Seconds in which an answer must begin. A worker looks after its child in between, so this is well below a lease."""
HEALTH: Final = 15
"""Seconds after which a connection that was not used is tried before it is."""
POOL: Final = 8
"""Connections of one process at most: it uses two, and a few when threads share it."""
ALLOW: Final = "allow it ~rq:* ~orderlines:* &rq:* +@all -@dangerous +info"
"""What to do for a user that Redis denies a command, a key or a channel."""
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}


def connect(url: str) -> Redis:
    """Return a client for a Redis, which connects when it is first used.

    It sends no command twice by itself: who uses it knows what is done twice then, and what else is to be done before
    the next try.

    :raises UsageError: the URL cannot be one of Redis.
    """
    from redis import Redis  # noqa: PLC0415 -- slow, and not for help
    from redis.backoff import NoBackoff  # noqa: PLC0415 -- as above
    from redis.connection import BlockingConnectionPool  # noqa: PLC0415 -- as above
    from redis.retry import Retry  # noqa: PLC0415 -- as above

    read = read_queue(url)
    settings: dict[str, Any] = {
        "protocol": 2,
        "decode_responses": False,
        "socket_connect_timeout": CONNECT,
        "socket_timeout": ANSWER,
        "health_check_interval": HEALTH,
        "retry": Retry(NoBackoff(), 0),
        "max_connections": POOL,
        "timeout": CONNECT,
    }
    if not read.startswith("unix:"):
        settings["socket_keepalive"] = True
        settings["socket_keepalive_options"] = {getattr(socket, name): value for name, value in _KEEPALIVE.items()}
    try:
        pool = BlockingConnectionPool.from_url(read, **settings)
    except ValueError as error:  # a value of an option
        raise UsageError(f"{place(url)} cannot be used as the URL of a Redis: {error}") from error
    return Redis.from_pool(pool)


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Turn every error of redis-py into our own.

    :raises StoreUnavailable: something went wrong with Redis.
    """
    from redis.exceptions import RedisError  # noqa: PLC0415 -- as above

    try:
        yield
    except (RedisError, OSError) as error:
        raise StoreUnavailable(f"the queue at {place(url)} cannot be used: {cause(error, url)}") from error


def cause(error: Exception, url: str) -> str:
    """Return what is wrong with the Redis of a URL, and what to do where that is known."""
    from redis.exceptions import ConnectionError, NoPermissionError, TimeoutError  # noqa: A004, PLC0415 -- as above

    if isinstance(error, NoPermissionError):
        return f"its ACL does not let the user do that: {ALLOW} ({error})"
    if isinstance(error, (ConnectionError, TimeoutError, OSError)):
        return f"{trouble(url, str(error))} ({type(error).__name__}: {error})"
    return f"{type(error).__name__}: {error}"
