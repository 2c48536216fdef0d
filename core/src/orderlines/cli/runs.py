"""``orderlines runs``."""

from __future__ import annotations

import time

import click

from orderlines.cli.completing import complete_flows
from orderlines.cli.options import is_there, json_option, nothing_at, open_to_look, store_option
from orderlines.cli.output import show, tell
from orderlines.states import FINAL, RunStatus

STATUSES = sorted({RunStatus.PENDING, RunStatus.RUNNING, RunStatus.PAUSED, *FINAL})

MOST = 2**63 - 1
"""The greatest number that stores can count to."""


@click.command("runs")
@click.option("--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="How many runs to list.")
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(STATUSES, case_sensitive=False), help="Only such runs."
)
@click.option("--flow", metavar="NAME", shell_complete=complete_flows, help="Only runs of this flow.")
@click.option("--since", metavar="DURATION|DATE", help="Only runs accepted since then: 2h, 2027-01-31.")
@store_option
@json_option
def command(
    limit: int,
    statuses: tuple[str, ...],
    flow: str | None,
    since: str | None,
    url: str,
    as_json: bool,  # noqa: FBT001 -- a flag of the command line
) -> None:
    """List runs, newest first."""
    from orderlines.cli.since import moment  # noqa: PLC0415 -- not needed to show help
    from orderlines.stores.records import RunFilter  # noqa: PLC0415 -- as above
    from orderlines.views import runs_document, runs_lines  # noqa: PLC0415 -- as above

    if not is_there(url):
        if since is not None:
            moment(since, time.time())  # what says nothing is refused, whatever there is
        tell(nothing_at(url))
        show(runs_document(()), runs_lines, as_json=as_json)
        return
    store = open_to_look(url)
    try:
        wanted = RunFilter(statuses, flow, None if since is None else moment(since, store.now()))
        show(runs_document(store.runs(limit, wanted=wanted)), runs_lines, as_json=as_json)
    finally:
        store.close()
