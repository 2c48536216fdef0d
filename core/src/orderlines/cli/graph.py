"""``orderlines graph FILE``."""

from __future__ import annotations

from importlib import import_module

import click

from orderlines.cli.flowfile import load_flow
from orderlines.cli.offering import complete_files
from orderlines.cli.options import import_option
from orderlines.cli.output import only_document

FORMATS = ("text", "mermaid", "dot")
"""Each a module of :mod:`orderlines.drawing`."""


@click.command("graph")
@click.argument("file", shell_complete=complete_files)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to draw it.")
@import_option
def command(file: str, form: str) -> None:
    """Draw the flow in FILE."""
    from orderlines.drawing.picture import picture  # noqa: PLC0415 -- not needed to show help
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    with only_document(as_json=False) as write:
        flow = load_flow(file, None, write, as_json=False).flow
        lines = import_module(f"orderlines.drawing.{form}").draw(picture(flow, registry()))
        write("".join(f"{line}\n" for line in lines))
