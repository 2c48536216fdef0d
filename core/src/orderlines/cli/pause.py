"""``orderlines pause RUN``."""

from __future__ import annotations

import click

from orderlines.cli.completing import run_argument
from orderlines.cli.options import json_option, opened_run, queue_option, store_option
from orderlines.cli.output import show_run
from orderlines.cli.ringing import tell_workers


@click.command("pause")
@run_argument
@store_option
@queue_option
@json_option
def command(run: str, url: str, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """Let nothing more begin in RUN until `orderlines resume`.

    Calls that go on come to their end, and what they come to is kept.
    """
    from orderlines.control.wishes import pause  # noqa: PLC0415 -- not needed to show help

    with opened_run(url, run) as (store, row):
        paused = pause(store, row)
        tell_workers(store, row.id, url)
        show_run(store, paused, as_json=as_json)
