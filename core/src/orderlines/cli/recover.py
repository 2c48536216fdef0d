"""``orderlines recover``."""

from __future__ import annotations

import click

from orderlines.cli.options import find_run, json_option, open_store, store_option
from orderlines.cli.output import json_text, only_document


@click.command("recover")
@store_option
@json_option
def command(url: str, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """Drive the runs that nobody drives to their end."""
    from orderlines.engine import Engine  # noqa: PLC0415 -- not needed to show help
    from orderlines.views import runs_document, runs_lines  # noqa: PLC0415 -- as above

    with only_document(as_json=as_json) as write, Engine(open_store(url)) as engine:
        recovered = engine.recover()
        for run in recovered:
            run.wait()
        document = runs_document(find_run(engine.store, run.name) for run in recovered)
        write(json_text(document) if as_json else "".join(f"{line}\n" for line in runs_lines(document)))
