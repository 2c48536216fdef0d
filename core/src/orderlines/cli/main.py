"""The command line: one group whose commands are imported when they are asked for."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

import click

from orderlines.cli.streams import open_streams
from orderlines.commands import ASKED, COMMANDS
from orderlines.errors import Interrupted, OrderlinesError, OutputLost, StoreUnavailable
from orderlines.jsonlines import JSON, VARIABLE, as_json

if TYPE_CHECKING:
    from typing import Any

USAGE = 2
UNAVAILABLE = 4
INTERRUPTED = 130
"""What a shell says of a command that SIGINT has ended."""
UNWRITABLE = 74
"""EX_IOERR of sysexits.h."""
_SHOWING = frozenset({"--help", "-h", "--version"})
"""What has click itself write on standard output, and do nothing else."""
NO_READER = 141
"""What a shell says of a command that SIGPIPE has ended."""


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was asked for.

        :raises click.UsageError: there is none of that name; says what brings it, or what may have been meant.
        """
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            from orderlines.plugins import registry  # noqa: PLC0415 -- only on the way to an error

            ctx.fail(registry().no_command(name))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; Ctrl-C is an error like others, and not click's own, which is told as a failure.

        :raises Interrupted: Ctrl-C came, and the command has no use for it.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Interrupted from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items(), *_added().items()])


def _added() -> dict[str, str]:
    """Return the commands that plugins add, with their lines of help."""
    from orderlines.plugins import registry  # noqa: PLC0415 -- not needed for a command of core

    return {command.name: command.help for command in registry().commands()}


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
    """Run flows, look at their runs, and control them."""


def main() -> None:
    """Run the command line; what is the user's to mend is one message on standard error and an exit code.

    With ``--json`` it is the one document on standard output as well.
    """
    open_streams()
    if os.environ.get(ASKED, "").endswith("_complete"):
        from orderlines.cli.completion import answer  # noqa: PLC0415 -- only while a line is completed

        answer(cli)
    _begin_logs(sys.argv)
    document = "--json" in sys.argv
    try:
        sys.exit(cli.main(prog_name="orderlines", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        if document:
            _answer("UsageError", error.format_message())
        sys.exit(error.exit_code)
    except OutputLost as error:
        _leave_unread(error)
    except OrderlinesError as error:
        if document and not error.answered:
            _answer(type(error).__name__, str(error))
        _leave(error, _code(error))
    except OSError as error:
        if not _SHOWING.intersection(sys.argv[1:]):
            raise
        lost = OutputLost(f"standard output cannot be written: {error.strerror}")
        lost.__cause__ = error
        _leave_unread(lost)
    except (click.Abort, KeyboardInterrupt):  # Before any command was asked for, or while its error was told.
        sys.exit(INTERRUPTED)


def _code(error: OrderlinesError) -> int:
    """Return the exit code of a command that an error has ended."""
    if isinstance(error, Interrupted):
        return INTERRUPTED
    return UNAVAILABLE if isinstance(error, StoreUnavailable) else USAGE


def _begin_logs(arguments: list[str]) -> None:
    """Have everything that is said be JSON where that is asked for, also what is wrong with the arguments."""
    asked = os.environ.get(VARIABLE)
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--log-format":
            asked = value if equals else "".join(arguments[place + 1 : place + 2])
    if asked == JSON or as_json():
        from orderlines.capture.structured import choose  # noqa: PLC0415 -- only where it is asked for

        choose(json=asked == JSON)


def _answer(kind: str, message: str) -> None:
    from orderlines.cli.output import error_text, write_text  # noqa: PLC0415 -- not on the start-up path

    with suppress(OutputLost):  # The error that is told counts.
        write_text(error_text(kind, message))


def _leave(error: OrderlinesError, code: int) -> None:
    from orderlines.cli.output import tell  # noqa: PLC0415 -- not on the start-up path

    if code == INTERRUPTED:
        tell(error)
    else:
        tell(f"error: {error}", "ERROR")
    sys.exit(code)


def _leave_unread(error: OutputLost) -> None:
    """Leave without a word where a reader has gone, as `head` does: it has what it wanted."""
    if isinstance(error.__cause__, BrokenPipeError):
        sys.exit(NO_READER)
    _leave(error, UNWRITABLE)


if __name__ == "__main__":
    main()
