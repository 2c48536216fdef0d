"""``orderlines status RUN``."""

from __future__ import annotations

import click

from orderlines.cli.options import find_run, json_option, open_store, store_option
from orderlines.cli.output import read_run, show


@click.command("status")
@click.argument("run")
@store_option
@json_option
def command(run: str, url: str, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """Show RUN with its tasks."""
    from orderlines.views import run_lines  # noqa: PLC0415 -- not needed to show help

    store = open_store(url)
    try:
        show(read_run(store, find_run(store, run)), run_lines, as_json=as_json)
    finally:
        store.close()
