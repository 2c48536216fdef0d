"""``orderlines resume RUN``."""

from __future__ import annotations

import click

from orderlines.cli.completing import run_argument
from orderlines.cli.options import json_option, opened_run, queue_option, store_option
from orderlines.cli.output import show_run
from orderlines.cli.ringing import tell_workers
from orderlines.cli.unattended import tell_unless_driven


@click.command("resume")
@run_argument
@store_option
@queue_option
@json_option
def command(run: str, url: str, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """Let RUN go on after `orderlines pause`."""
    from orderlines.control.wishes import resume  # noqa: PLC0415 -- not needed to show help

    with opened_run(url, run) as (store, row):
        resumed = resume(store, row)
        tell_workers(store, row.id, url)
        tell_unless_driven(store, resumed, "it goes on")
        show_run(store, resumed, as_json=as_json)
