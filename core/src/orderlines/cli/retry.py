"""``orderlines retry RUN``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from orderlines.cli.completing import complete_first_line, run_argument
from orderlines.cli.offering import vars_option
from orderlines.cli.options import (
    find_run,
    import_option,
    json_option,
    log_format_option,
    opened_run,
    queue_of,
    queue_option,
    store_option,
    where,
)
from orderlines.cli.output import only_document
from orderlines.cli.ringing import tell_workers
from orderlines.cli.unattended import must_have_ended
from orderlines.cli.variables import read_variables

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.supervision.supervisor import Supervisor


class Options(NamedTuple):
    """What was asked for."""

    run: str
    from_: str | None
    var: tuple[str, ...]
    vars_file: str | None
    url: str
    as_json: bool


@click.command("retry")
@run_argument
@click.option(
    "--from", "from_", metavar="NODE", shell_complete=complete_first_line,
    help="Goes back to a node of the first line; what came later is void.",
)  # fmt: skip
@click.option("--var", multiple=True, metavar="NAME=VALUE", help="Sets a variable; the value is a YAML scalar.")
@vars_option
@store_option
@queue_option
@log_format_option
@import_option
@json_option
def command(**given: Any) -> None:
    """Begin a new round of RUN, which has failed or was stopped, and drive it to its end.

    What has succeeded is kept. Exit codes are those of `orderlines run`.
    """
    options = Options(**given)
    with only_document(as_json=options.as_json) as write:
        sys.exit(_retry(options, write))


def _retry(options: Options, write: Callable[[str], None]) -> int:
    from orderlines.cli.driving import driving  # noqa: PLC0415 -- not needed to show help
    from orderlines.control.retrying import retry  # noqa: PLC0415 -- as above
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    def begin(supervisor: Supervisor) -> str:
        variables = read_variables(options.vars_file, options.var)
        with opened_run(options.url, options.run) as (store, row):
            must_have_ended(store, row)  # Before the supervisor's driver is one that lives.
        store = supervisor.open(where(options.url), queue_of(options.url))
        row = retry(store, find_run(store, options.run), options.from_, variables, registry())
        tell_workers(store, row.id, options.url)
        return row.name

    return driving(begin, options.url, write, as_json=options.as_json)
