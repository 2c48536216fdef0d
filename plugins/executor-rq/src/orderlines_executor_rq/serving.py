"""One worker, from its start to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.capture.structured import begin
from orderlines_executor_rq.connection import connect, reaching
from orderlines_executor_rq.fitting import advice, check
from orderlines_executor_rq.keys import signing_key
from orderlines_executor_rq.queues import Names

if TYPE_CHECKING:
    from orderlines_executor_rq.options import WorkerOptions


def serve(options: WorkerOptions, *, fits: bool = False) -> None:
    """Answer bells until SIGTERM, SIGINT or a shutdown command; in a burst, until the queues are empty.

    Belongs to the main thread of its process.

    :param fits: whether it is known that a worker can serve here, and need not be found out.
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
    if not fits:
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
