"""``orderlines schedule add FLOW``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from orderlines.cli.flowfile import load_flow
from orderlines.cli.offering import complete_files, vars_option
from orderlines.cli.options import executor_option, is_there, json_option, open_to_look, store_kind, store_option
from orderlines.cli.output import json_text, only_document
from orderlines.cli.variables import must_be_scalars, read_variables

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.flow.model import Flow
    from orderlines.scheduling import Planned, When


class Options(NamedTuple):
    """What was asked for."""

    file: str
    name: str | None
    every: str | None
    at: str | None
    cron: str | None
    zone: str | None
    starts: str | None
    ends: str | None
    misfire: str
    overlap: str
    grace: str
    paused: bool
    replace: bool
    dry_run: bool
    var: tuple[str, ...]
    vars_file: str | None
    executor: str | None
    url: str
    as_json: bool

    def when(self) -> When:
        """Return when runs are wanted."""
        return {
            "every": self.every, "at": self.at, "cron": self.cron, "zone": self.zone, "starts": self.starts,
            "ends": self.ends, "misfire": self.misfire, "overlap": self.overlap, "grace": self.grace,
        }  # fmt: skip


@click.command("add")
@click.argument("file", metavar="FLOW", shell_complete=complete_files)
@click.option("--name", help="What the schedule is called.  [default: the flow's name]")
@click.option("--every", metavar="DURATION", help="Runs it every so often: 10m, 1h30m; an hour is always 60 minutes.")
@click.option("--at", metavar="TIME", help="Runs it once, at a time such as 2027-01-31T08:00+01:00.")
@click.option("--cron", metavar="LINE", help='Runs it at times such as "0 3 * * *".')
@click.option(
    "--zone", metavar="NAME",
    help="The time zone, such as Europe/Berlin, of --cron, and of times without one.  [default: UTC for --cron only]",
)  # fmt: skip
@click.option("--from", "starts", metavar="TIME", help="Runs nothing before.")
@click.option("--until", "ends", metavar="TIME", help="Runs nothing after.")
@click.option(
    "--misfire", type=click.Choice(["skip", "once", "all"]), default="once", show_default=True,
    help="What happens to times at which no scheduler was there.",
)  # fmt: skip
@click.option(
    "--overlap", type=click.Choice(["allow", "skip", "queue", "replace"]), default="allow", show_default=True,
    help="What happens when it is time and an earlier run still goes on.",
)  # fmt: skip
@click.option("--grace", metavar="DURATION", default="1m", show_default=True, help="How late is not a misfire yet.")
@click.option("--paused", is_flag=True, help="Keeps it, but runs nothing before `schedule resume`.")
@click.option("--replace", is_flag=True, help="Takes the place of the schedule with the same name.")
@click.option("--dry-run", is_flag=True, help="Shows the next times and keeps nothing.")
@click.option("--var", multiple=True, metavar="NAME=VALUE", help="Sets a variable of each run; a YAML scalar.")
@vars_option
@executor_option
@store_option
@json_option
def add(**given: Any) -> None:
    """Run the flow in the file FLOW at given times, as it is now; shows the next five.

    It is kept in the store; `orderlines scheduler` starts its runs. The file is not needed any more then.
    """
    options = Options(**given)
    with only_document(as_json=options.as_json) as write:
        _add(options, write)


def _add(options: Options, write: Callable[[str], None]) -> None:
    from orderlines.acceptance import pinned_in  # noqa: PLC0415 -- not needed to show help
    from orderlines.flow.pinning import missing  # noqa: PLC0415 -- as above
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above
    from orderlines.scheduling import keep, plan  # noqa: PLC0415 -- as above

    flow = load_flow(options.file, options.executor, write, as_json=options.as_json).flow
    variables = read_variables(options.vars_file, options.var)
    must_be_scalars(flow, options.var)
    store_kind(options.url)
    name = flow.name if options.name is None else options.name

    def planned_at(now: float, pinned: Flow) -> Planned:
        return plan(now, registry(), pinned, name, variables, options.executor, **options.when())

    if not missing(flow) and not is_there(options.url):  # What is refused, or only shown, makes no store.
        now = time.time()
        planned = planned_at(now, flow)
        if options.dry_run:
            write(_told(planned, now, options))
            return
    store = open_to_look(options.url)
    try:
        now = store.now()
        planned = planned_at(now, pinned_in(store, flow, registry()))
        text = _told(planned, now, options)
        if not options.dry_run:
            keep(store, planned, paused=options.paused, replace=options.replace)
    finally:
        store.close()
    write(text)


def _told(planned: Planned, now: float, options: Options) -> str:
    from orderlines.views.schedules import NEXT, schedule_document, schedule_lines  # noqa: PLC0415 -- as above

    upcoming = planned.timetable.upcoming(int(now), NEXT)
    document = schedule_document(planned.schedule, planned.timetable, upcoming, paused=options.paused)
    return json_text(document) if options.as_json else "".join(f"{line}\n" for line in schedule_lines(document))
