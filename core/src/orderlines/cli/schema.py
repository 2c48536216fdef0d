"""``orderlines schema``."""

from __future__ import annotations

import click

from orderlines.cli.options import import_option
from orderlines.cli.output import json_text, only_document, tell


@click.command("schema")
@import_option
def command() -> None:
    """Print the JSON Schema of the native notation, with the arguments of the installed components, for editors."""
    from orderlines.flow.schema import native_schema  # noqa: PLC0415 -- not needed to show help
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    with only_document(as_json=True) as write:
        schema, problems = native_schema(registry())
        for problem in problems:
            tell(f"warning: {problem}", "WARNING")
        write(json_text(schema))
