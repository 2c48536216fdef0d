"""Connections to Redis whose every patience is our own: redis-py's defaults differ with its version."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from orderlines.errors import StoreUnavailable, UsageError
from orderlines.stores.showing import must_be_escaped

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
_STORE_ONLY: Final = frozenset({"prefix", "expire", "timeout", "connect_timeout"})
_RENAMED: Final = {"ca": "ssl_ca_certs"}
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

    must_be_escaped(url)
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
    if not url.startswith("unix:"):
        settings["socket_keepalive"] = True
        settings["socket_keepalive_options"] = {getattr(socket, name): value for name, value in _KEEPALIVE.items()}
    try:
        pool = BlockingConnectionPool.from_url(_understood(url), **settings)
    except ValueError as error:
        advice = "write one such as redis://127.0.0.1:6379/0"
        raise UsageError(f"{place(url)} is not the URL of a Redis: {advice}") from error
    return Redis.from_pool(pool)


def _understood(url: str) -> str:
    """Return a URL as redis-py reads it: that of a store may have options which say nothing of a queue."""
    parts = urlsplit(url)
    if not parts.query:
        return url
    options = [(_RENAMED.get(name, name), value) for name, value in parse_qsl(parts.query) if name not in _STORE_ONLY]
    return parts._replace(query=urlencode(options)).geturl()


def place(url: str) -> str:
    """Return where a URL leads, without user, password and options."""
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return "what was given"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Turn every error of redis-py into our own.

    :raises StoreUnavailable: something went wrong with Redis.
    """
    from redis.exceptions import RedisError  # noqa: PLC0415 -- as above

    try:
        yield
    except (RedisError, OSError) as error:
        raise StoreUnavailable(f"the queue at {place(url)} cannot be used: {cause(error)}") from error


def cause(error: Exception) -> str:
    """Return what is wrong with Redis, and what to do where its ACL is it."""
    from redis.exceptions import NoPermissionError  # noqa: PLC0415 -- as above

    if isinstance(error, NoPermissionError):
        return f"its ACL does not let the user do that: {ALLOW} ({error})"
    return f"{type(error).__name__}: {error}"
