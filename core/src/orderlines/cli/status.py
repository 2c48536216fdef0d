"""``orderlines status RUN``."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from orderlines.cli.completing import run_argument
from orderlines.cli.options import json_option, opened_run, store_option
from orderlines.cli.output import read_run, show
from orderlines.cli.unattended import tell_unless_driven
from orderlines.states import RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow


@click.command("status")
@run_argument
@click.option("--watch", "watching", is_flag=True, help="Show what changes until the run has ended.")
@store_option
@json_option
def command(run: str, watching: bool, url: str, as_json: bool) -> None:  # noqa: FBT001 -- flags of the command line
    """Show RUN with its tasks."""
    with opened_run(url, run) as (store, row):
        if not watching:
            _show(store, row, url, as_json=as_json)
            if row.status != RunStatus.PAUSED:
                tell_unless_driven(store, row, "it goes on")
            return
        from orderlines.cli.watching import watch  # noqa: PLC0415 -- only to watch

        tell_unless_driven(store, row, "it goes on")
        watch(store, row.name, url, as_json=as_json)


def _show(store: Store, row: RunRow, url: str, *, as_json: bool) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415 -- not needed to show help

    from orderlines.cli.advice import Advice  # noqa: PLC0415 -- as above
    from orderlines.views import run_lines  # noqa: PLC0415 -- as above

    advice = Advice(store, url)

    def lines(document: Mapping[str, Any]) -> Iterator[str]:
        return chain(run_lines(document, now=datetime.now(UTC)), advice.lines(document))

    show(read_run(store, row, whole=as_json), lines, as_json=as_json)
