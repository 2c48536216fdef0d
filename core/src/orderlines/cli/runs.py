"""``orderlines runs``."""

from __future__ import annotations

import click

from orderlines.cli.options import json_option, open_store, store_option
from orderlines.cli.output import show


@click.command("runs")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="How many runs to list.")
@store_option
@json_option
def command(limit: int, url: str, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """List runs, newest first."""
    from orderlines.views import runs_document, runs_lines  # noqa: PLC0415 -- not needed to show help

    store = open_store(url)
    try:
        show(runs_document(store.runs(limit)), runs_lines, as_json=as_json)
    finally:
        store.close()
