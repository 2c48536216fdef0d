"""``orderlines completion SHELL``."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script by which SHELL completes commands, options and the names of runs.

    For bash: `orderlines completion bash > ~/.local/share/bash-completion/completions/orderlines`.
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415 -- not needed to show help

    from orderlines.cli.output import write_text  # noqa: PLC0415 -- as above

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click knows no completion for {shell}")
    write_text(kind(context.find_root().command, {}, "orderlines", "_ORDERLINES_COMPLETE").source() + "\n")
