"""``orderlines skip RUN NODE``."""

from __future__ import annotations

import sys

import click

from orderlines.cli.completing import complete_nodes, run_argument
from orderlines.cli.options import json_option, opened_run, queue_option, shown_where, store_option
from orderlines.cli.output import show_run
from orderlines.cli.ringing import tell_workers
from orderlines.cli.unattended import tell_unless_driven
from orderlines.states import FINAL


@click.command("skip")
@run_argument
@click.argument("node", shell_complete=complete_nodes)
@store_option
@queue_option
@json_option
def command(run: str, node: str, url: str, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """Let RUN leave out the NODE at which it stands: it ends as SKIP, and the run goes on.

    NODE is the node's id, or LINE/NODE where several lines stand at it. In a run that has failed, or was stopped, the
    node is left out once the run is retried.
    """
    from orderlines.control.skipping import skip  # noqa: PLC0415 -- not needed to show help
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    with opened_run(url, run) as (store, row):
        asked = skip(store, row, node, registry())
        tell_workers(store, row.id, url)
        if asked.status in FINAL:
            again = f"`orderlines retry {row.name} {shown_where(store.url)}`"
            print(f"run {row.name} has ended as {asked.status}: {again} goes on after {node!r}", file=sys.stderr)
        tell_unless_driven(store, asked, f"{node!r} is skipped")
        show_run(store, asked, as_json=as_json)
