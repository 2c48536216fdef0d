"""What a shell completes without a store: files, and the names of executors and components."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout, suppress
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

    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    return [CompletionItem(each.name) for each in registry().executors() if each.name.startswith(incomplete)]


def complete_components(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the libraries whose names begin so, and the components of the one library that is meant.

    No other library is imported.
    """
    from click.shell_completion import CompletionItem  # noqa: PLC0415 -- as above

    from orderlines.errors import PluginError  # noqa: PLC0415 -- as above
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    libraries = registry().libraries()
    found = [name for name in libraries if name.startswith(incomplete)]
    meant = found if len(found) == 1 else [name for name in libraries if incomplete.startswith(f"{name}.")]
    # The shell takes what a library prints while it is imported for an answer.
    with suppress(PluginError), redirect_stdout(sys.stderr):
        names = [f"{each.library}.{each.name}" for library in meant for each in registry().components(library)]
        found += [name for name in names if name.startswith(incomplete)]
    return [CompletionItem(name) for name in found]


vars_option = click.option(
    "--vars", "vars_file", metavar="FILE", shell_complete=complete_files,
    help="Sets the variables of a YAML or JSON mapping.",
)  # fmt: skip
