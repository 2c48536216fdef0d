"""The command line: one group whose commands are imported when they are asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from orderlines.errors import OrderlinesError, StoreUnavailable

if TYPE_CHECKING:
    from typing import Any

COMMANDS = {
    "run": "Run a flow to its end.",
    "validate": "Check a flow without running it.",
    "status": "Show a run with its tasks.",
    "runs": "List runs, newest first.",
    "stop": "Stop a run.",
    "recover": "Drive runs that nobody drives to their end.",
    "plugins": "List the installed plugins and what is wrong with them.",
    "components": "Show components and their arguments.",
}
"""The commands of core, each a module of this package, with its line of help."""

USAGE = 2
UNAVAILABLE = 4


class Commands(click.Group):
    """The commands of core and those of plugins; listing them imports none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *_added()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            found: click.Command = import_module(f"orderlines.cli.{cmd_name}").command
            return found
        if cmd_name in _added():
            from orderlines.plugins import registry  # noqa: PLC0415 -- only for commands of plugins

            added: click.Command = registry().command(cmd_name)
            return added
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items(), *_added().items()])


def _added() -> dict[str, str]:
    """Return the commands that plugins add, with their lines of help."""
    from orderlines.plugins import registry  # noqa: PLC0415 -- not needed for a command of core

    return {command.name: command.help for command in registry().commands() if command.name not in COMMANDS}


def _show_version(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        from orderlines.cli.version import version  # noqa: PLC0415 -- only here

        click.echo(f"orderlines {version()}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
def cli() -> None:
    """Run flows, look at their runs, stop and recover them."""


def main() -> None:
    """Run the command line; what is the user's to mend is one message on standard error and an exit code."""
    try:
        cli(prog_name="orderlines")
    except StoreUnavailable as error:
        _leave(error, UNAVAILABLE)
    except OrderlinesError as error:
        _leave(error, USAGE)


def _leave(error: OrderlinesError, code: int) -> None:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
