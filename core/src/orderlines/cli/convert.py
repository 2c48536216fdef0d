"""``orderlines convert FILE``."""

from __future__ import annotations

import click

from orderlines.cli.flowfile import load_flow
from orderlines.cli.offering import complete_files
from orderlines.cli.options import import_option, json_option
from orderlines.cli.output import json_text, only_document


@click.command("convert")
@click.argument("file", shell_complete=complete_files)
@import_option
@json_option
def command(file: str, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """Print the flow in FILE, of either notation, in the native notation."""
    from orderlines.flow.converting import native_document, to_yaml  # noqa: PLC0415 -- not needed to show help

    with only_document(as_json=as_json) as write:
        flow = load_flow(file, None, write, as_json=as_json).flow
        write(json_text(native_document(flow)) if as_json else to_yaml(flow))
