"""What a shell completes without a store: files, and the names of executors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def complete_files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave it to the shell, which completes files as it always does."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 -- only while a line is completed

    return [CompletionItem(incomplete, type="file")]


def complete_executors(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the executors that plugins offer whose names begin so."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 -- as above

    from orderlines.errors import OrderlinesError  # noqa: PLC0415 -- as above
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    try:
        offered = registry().executors()
    except OrderlinesError:
        return []
    return [CompletionItem(each.name) for each in offered if each.name.startswith(incomplete)]


vars_option = click.option(
    "--vars", "vars_file", metavar="FILE", shell_complete=complete_files,
    help="Sets the variables of a YAML or JSON mapping.",
)  # fmt: skip
