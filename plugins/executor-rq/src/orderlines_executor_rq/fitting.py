"""Whether a worker fits a Redis, and whoever rings there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import UsageError
from orderlines.redisurl import place
from orderlines_executor_rq.connection import reaching
from orderlines_executor_rq.keys import VARIABLE
from orderlines_executor_rq.queues import Names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis import Redis

    from orderlines_executor_rq.keys import SigningKey
    from orderlines_executor_rq.options import WorkerOptions

OLDEST: Final = (6, 2)
"""The first Redis that can move between lists, which nothing is lost in."""


def check(options: WorkerOptions, key: SigningKey, connection: Redis) -> None:
    """Find out whether a worker can serve here.

    :raises StoreUnavailable: the queue cannot be reached.
    :raises UsageError: the Redis is too old, or was rung on with another key.
    """
    with reaching(options.queue):
        info: Any = connection.info("server")
        rung = key_id(connection, Names(options.prefix))
    if is_too_old(info):
        raise UsageError(f"{place(options.queue)} is Redis {info['redis_version']}; workers need 6.2 or newer")
    if rung is not None and rung != key.id:
        raise UsageError(differs(rung, key))


def is_too_old(info: Mapping[str, Any]) -> bool:
    """Return whether a Redis lacks what workers need, by what it tells of itself."""
    return tuple(int(part) for part in str(info["redis_version"]).split(".")[:2]) < OLDEST


def advice(connection: Redis, names: Names, key: SigningKey) -> str:
    """Return what to do about a signature that does not fit."""
    rung = key_id(connection, names)
    return "somebody else has written it" if rung is None or rung == key.id else differs(rung, key)


def differs(rung: str, key: SigningKey) -> str:
    """Say that others ring with another key, and what to do."""
    return (
        f"bells are rung with the key {rung} here, and this worker has the key {key.id} of {key.source}: set the same "
        f"{VARIABLE} for all; if {key.id} is a new key, start what rings with it first"
    )


def key_id(connection: Redis, names: Names) -> str | None:
    """Return the fingerprint of the key that was rung with last.

    ``None`` where that is long ago, or others have put something else in its place: the next ring mends that.
    """
    from redis.exceptions import ResponseError  # noqa: PLC0415 -- slow, and not for help

    try:
        found: Any = connection.get(names.key_id)
    except ResponseError as error:
        if not f"{error}".startswith("WRONGTYPE"):
            raise
        return None
    return None if found is None else ascii(found[:16].decode("ascii", "replace"))[1:-1]
