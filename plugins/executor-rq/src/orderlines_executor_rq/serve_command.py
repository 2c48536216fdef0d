"""``orderlines worker``."""

from __future__ import annotations

import click

from orderlines.cli.options import (
    import_option,
    log_format_option,
    queue_of,
    queue_option,
    store_kind,
    store_option,
    where,
)
from orderlines.errors import UsageError
from orderlines.settings import EXAMPLE_QUEUE, default_lease, default_reconcile
from orderlines.stores.showing import shown
from orderlines_executor_rq.queues import DEFAULT, read_names

MOST = 1_000


@click.command("worker")
@store_option
@queue_option
@import_option
@click.option("--queues", metavar="NAMES", default=DEFAULT, show_default=True, help="The most urgent queue first.")
@click.option("--count", type=click.IntRange(1, MOST), default=1, show_default=True, help="How many workers to start.")
@click.option(
    "--burst", is_flag=True, help="Ends when nothing can be done at once; what waits for a time or a signal is left."
)
@log_format_option
def command(url: str, queues: str, count: int, burst: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """Serve lines of the runs in a store that are for some queues.

    It serves until SIGTERM or Ctrl-C: calls get their grace then, and what still goes on is left to other workers.
    """
    from orderlines_executor_rq.options import WorkerOptions  # noqa: PLC0415 -- not needed to show help
    from orderlines_executor_rq.pool import serve_many  # noqa: PLC0415 -- as above

    store_kind(url)
    queue = queue_of(url)
    if queue is None:
        raise no_queue(url)
    names = read_names(queues)
    kept = where(url)
    default_lease()  # what is wrong there is told before anything is begun
    silence = default_reconcile()
    settings = {
        "where": [kept.url, kept.results, [*kept.limits]], "queue": queue, "queues": [*names], "silence": silence,
    }  # fmt: skip
    options = WorkerOptions(
        queue, "orderlines_executor_rq.work:Work", "orderlines_executor_rq.overseeing:Keeper", settings, names,
        burst=burst, period=silence,
    )  # fmt: skip
    serve_many(options, count)


def no_queue(url: str) -> UsageError:
    """Return what is wrong where no queue is known.

    :param url: the store's.
    """
    return UsageError(
        f"--queue: {shown(url)} is no Redis, so say in which one workers are told of work: --queue {EXAMPLE_QUEUE}"
    )
