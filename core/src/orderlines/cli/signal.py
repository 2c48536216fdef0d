"""``orderlines signal RUN NODE``."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from orderlines.cli.completing import complete_signals, run_argument
from orderlines.cli.options import find_run, json_option, opened_run, queue_option, store_option
from orderlines.cli.output import show_run
from orderlines.cli.ringing import tell_workers
from orderlines.cli.unattended import tell_unless_driven
from orderlines.errors import UsageError


@click.command("signal")
@run_argument
@click.argument("node", shell_complete=complete_signals)
@click.option("--data", metavar="JSON", default="null", show_default=True, help="What the node's result will be.")
@click.option("--key", help="Sends at most one signal: the same key again does nothing.")
@store_option
@queue_option
@json_option
def command(run: str, node: str, data: str, key: str | None, url: str, as_json: bool) -> None:  # noqa: FBT001 -- options of the command line
    """Send a signal to the NODE of RUN that waits for it, or will.

    NODE is the node's id, LINE/NODE where it waits on several lines, or the name of what it waits for.
    """
    from orderlines.control.signals import signal  # noqa: PLC0415 -- not needed to show help
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    value = _value(data)
    with opened_run(url, run) as (store, row):
        if not signal(store, row, node, value, key, registry()):
            print(f"a signal with the key {key!r} was sent before: nothing is sent again", file=sys.stderr)
        tell_workers(store, row.id, url)
        tell_unless_driven(store, row, "the signal is taken")
        show_run(store, find_run(store, row.name), as_json=as_json)


def _value(text: str) -> Any:
    """Return what the signal carries.

    :raises UsageError: the text is not JSON.
    """
    from orderlines.flow.scalars import finite  # noqa: PLC0415 -- not needed to show help

    try:
        return json.loads(text, parse_constant=_refuse, parse_float=finite, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise UsageError(f"--data: this is not JSON: {error}; write a text as '\"text\"'") from error
    except ValueError as error:
        raise UsageError(f"--data: {error}") from error
    except RecursionError as error:
        raise UsageError("--data: it is nested too deep to be kept") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands there twice")
    return mapping


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
