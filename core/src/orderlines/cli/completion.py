"""``orderlines completion SHELL``, and the answers to its script."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stderr, suppress
from typing import NoReturn

import click

from orderlines.commands import ASKED

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
    write_text(kind(context.find_root().command, {}, "orderlines", ASKED).source() + "\n")


def answer(group: click.Group) -> NoReturn:
    """Say what a shell may offer; where something is wrong, nothing: whoever writes a command has not asked yet."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stderr(nowhere), suppress(Exception):  # noqa: PTH123 -- pathlib takes 6 ms to import
        group.main(prog_name="orderlines")
    sys.exit(0)
