"""``orderlines scheduler``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orderlines.cli.options import (
    import_option,
    log_format_option,
    open_store,
    queue_of,
    queue_option,
    store_kind,
    store_option,
    where,
)
from orderlines.cli.output import tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.bells import Bells
    from orderlines.cli.driving import Signals
    from orderlines.schedulers.base import Scheduler
    from orderlines.schedulers.loop import Tended
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow
    from orderlines.stores.schedule_records import Schedule


@click.command("scheduler")
@store_option
@import_option
@click.option("--with", "scheduler", metavar="NAME", default="embedded", show_default=True, help="What wakes it.")
@queue_option
@click.option(
    "--drive/--no-drive", default=None, help="Drives the runs as well, or leaves them to workers.  [default: on SQLite]"
)
@log_format_option
def command(url: str, scheduler: str, drive: bool | None) -> None:  # noqa: FBT001 -- a flag
    """Start what `orderlines schedule` has kept when it is time, until SIGTERM or Ctrl-C.

    Any number of them may serve one store; each time starts one run. One that is killed loses nothing: the next one
    goes on. With --drive the runs are driven in a process of its own; at the end their calls get their grace, and what
    has not ended then is kept for the next one.
    """
    from orderlines.bells import Bells  # noqa: PLC0415 -- not needed to show help
    from orderlines.cli.driving import Signals  # noqa: PLC0415 -- as above
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    store_kind(url)
    kind = registry().scheduler(scheduler)
    drives = url.startswith("sqlite:") if drive is None else drive
    signals = Signals()
    queue = queue_of(url)
    bells = Bells(registry(), queue)
    with signals.caught():
        if drives:
            _drive(url, kind(queue), bells, signals)
        else:
            _leave(url, kind(queue), bells, signals)


def _drive(url: str, scheduler: Scheduler, bells: Bells, signals: Signals) -> None:
    from orderlines.cli.scheduled_runs import ScheduledRuns  # noqa: PLC0415 -- as above
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above
    from orderlines.supervision.supervisor import Supervisor  # noqa: PLC0415 -- as above

    with scheduler, Supervisor(registry()) as supervisor:
        store = supervisor.open(where(url), bells.queue)
        runs = ScheduledRuns(supervisor)
        _serve(store, scheduler, runs, bells, signals)
        supervisor.release()
        runs.part()


def _leave(url: str, scheduler: Scheduler, bells: Bells, signals: Signals) -> None:
    from orderlines.cli.scheduled_runs import Others  # noqa: PLC0415 -- as above
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above
    from orderlines.scheduling import Entrances  # noqa: PLC0415 -- as above

    with scheduler:
        store = open_store(url)
        try:
            _serve(store, scheduler, Others(), bells, signals, Entrances(registry()).of)
        finally:
            store.close()


def _serve(
    store: Store, scheduler: Scheduler, runs: Tended, bells: Bells, signals: Signals,
    entrance: Callable[[Schedule, str], str] | None = None,
) -> None:  # fmt: skip
    from orderlines.handing import announce, remind  # noqa: PLC0415 -- as above
    from orderlines.schedulers.dispatch import Dispatcher  # noqa: PLC0415 -- as above
    from orderlines.schedulers.loop import Loop  # noqa: PLC0415 -- as above

    def started(run: RunRow) -> None:
        tell(f"{run.key}: run {run.name} of {run.flow}", run=run.name)
        announce(store, run, bells)
        runs.begun(run)

    def stopping(run: int) -> None:
        remind(store, run, bells)

    loop = Loop(Dispatcher(store, started, entrance, stopping), scheduler, runs)
    tell(f"serving the schedules of {store.shown}")
    try:
        loop.serve(lambda: signals.terminated or signals.interrupts > 0)
    finally:
        bells.close()
