"""The connection to the Redis of wake-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from orderlines.errors import StoreUnavailable, UsageError
from orderlines.stores.showing import must_be_escaped

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_SCHEMES: Final = ("redis", "rediss", "unix")
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
    must_be_escaped(url)
    name = _shown(url)
    try:
        connection: Redis = Redis.from_url(
            url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=_CONNECT, socket_timeout=_ANSWER,
            socket_keepalive=True, health_check_interval=_HEALTH, client_name="orderlines-scheduler",
        )  # fmt: skip
    except ValueError as error:
        raise UsageError(f"--queue {name}: this is no URL of a Redis; write redis://HOST:PORT/DATABASE") from error
    try:
        connection.ping()
    except (RedisError, OSError) as error:
        raise StoreUnavailable(
            f"queue {name} cannot be reached: {type(error).__name__}; see that Redis runs"
        ) from error
    return connection


def _shown(url: str) -> str:
    """Return a URL without its password."""
    from urllib.parse import urlsplit  # noqa: PLC0415 -- only on the way to an error

    try:
        parts: SplitResult = urlsplit(url)
    except ValueError:
        return "(unreadable)"
    if parts.scheme not in _SCHEMES:
        return "(another kind of URL)"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
