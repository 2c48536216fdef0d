"""One worker, from its start to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.capture.structured import begin
from orderlines.errors import UsageError
from orderlines.redisurl import place
from orderlines_executor_rq.connection import connect, reaching
from orderlines_executor_rq.keys import VARIABLE, signing_key
from orderlines_executor_rq.queues import Names

if TYPE_CHECKING:
    from redis import Redis

    from orderlines_executor_rq.keys import SigningKey
    from orderlines_executor_rq.options import WorkerOptions

OLDEST: Final = (6, 2)
"""The first Redis that can move between lists, which nothing is lost in."""


def serve(options: WorkerOptions) -> None:
    """Answer bells until SIGTERM, SIGINT or a shutdown command; in a burst, until the queues are empty.

    Belongs to the main thread of its process.

    :raises StoreUnavailable: the queue or the store cannot be reached when the worker starts.
    :raises UsageError: it rings with another key here, the Redis is too old, or the drain says so.
    """
    from orderlines_executor_rq.commands import Commands  # noqa: PLC0415 -- slow, and not for help
    from orderlines_executor_rq.loop import Loop, Parts  # noqa: PLC0415 -- as above
    from orderlines_executor_rq.patience import Patience  # noqa: PLC0415 -- as above
    from orderlines_executor_rq.readiness import Readiness  # noqa: PLC0415 -- as above
    from orderlines_executor_rq.stopping import Stopping  # noqa: PLC0415 -- as above
    from orderlines_executor_rq.taking import Hands  # noqa: PLC0415 -- as above
    from orderlines_executor_rq.warm import WarmChild  # noqa: PLC0415 -- as above
    from orderlines_executor_rq.worker import BellWorker  # noqa: PLC0415 -- as above

    key, names = signing_key(), Names(options.prefix)
    connection = connect(options.queue)
    check(options, key, connection)
    queues = names.queues(options.queues)
    with reaching(options.queue):
        worker = BellWorker(queues, connection, options.ttl)
    begin(worker=worker.name)
    patience, stopping = Patience(options.queue), Stopping()
    commands = Commands(connection, worker.name)
    with stopping.caught():
        warm = WarmChild(options._replace(settings={**options.settings, "worker": worker.name}))
        child = Readiness(warm, patience)
        parts = Parts(worker, Hands(connection, names, queues, worker.name, key), child, commands, patience, stopping)
        loop = Loop(options, parts, lambda: advice(connection, names, key))
        try:
            loop.run()
        finally:
            loop.part()
            warm.close(lambda: stopping.hard)
            commands.close()
            connection.close()


def check(options: WorkerOptions, key: SigningKey, connection: Redis) -> None:
    """Find out whether a worker can serve here.

    :raises StoreUnavailable: the queue cannot be reached.
    :raises UsageError: the Redis is too old, or was rung on with another key.
    """
    with reaching(options.queue):
        info: Any = connection.info("server")
        rung = _key_id(connection, Names(options.prefix))
    version = tuple(int(part) for part in str(info["redis_version"]).split(".")[:2])
    if version < OLDEST:
        raise UsageError(f"{place(options.queue)} is Redis {info['redis_version']}; workers need 6.2 or newer")
    if rung is not None and rung != key.id:
        raise UsageError(_differs(rung, key))


def advice(connection: Redis, names: Names, key: SigningKey) -> str:
    """Return what to do about a signature that does not fit."""
    rung = _key_id(connection, names)
    return "somebody else has written it" if rung is None or rung == key.id else _differs(rung, key)


def _differs(rung: str, key: SigningKey) -> str:
    return (
        f"bells are rung with the key {rung} here, and this worker has the key {key.id} of {key.source}: set the same "
        f"{VARIABLE} for all; if {key.id} is a new key, start what rings with it first"
    )


def _key_id(connection: Redis, names: Names) -> str | None:
    found: Any = connection.get(names.key_id)
    return None if found is None else found[:16].decode("ascii", "replace")
