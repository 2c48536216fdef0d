"""``orderlines validate FLOW``."""

from __future__ import annotations

import click

from orderlines.cli.flowfile import load_flow, problems_document
from orderlines.cli.offering import complete_files
from orderlines.cli.options import executor_option, import_option, json_option
from orderlines.cli.output import json_text, only_document


@click.command("validate")
@click.argument("flow", shell_complete=complete_files)
@executor_option
@import_option
@json_option
def command(flow: str, executor: str | None, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """Check the flow in the file FLOW; nothing is run or stored."""
    from orderlines.flow.pinning import named  # noqa: PLC0415 -- not needed to show help

    with only_document(as_json=as_json) as write:
        loaded = load_flow(flow, executor, write, as_json=as_json)
        document = problems_document(loaded.warnings)
        names = ", ".join(map(repr, named(loaded.flow)))
        where = f", where the store of the run has a flow {names}" if names else ""
        write(json_text(document) if as_json else f"{flow}: flow {loaded.flow.name!r} is valid{where}\n")
