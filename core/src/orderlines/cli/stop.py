"""``orderlines stop RUN``."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

import click

from orderlines.cli.options import find_run, json_option, open_store, store_option
from orderlines.cli.output import read_run, show
from orderlines.states import FINAL

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

_LOOK: Final = 0.05
"""Seconds between two looks at the run."""


@click.command("stop")
@click.argument("run")
@store_option
@json_option
def command(run: str, url: str, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """Stop RUN, and wait until it is over if somebody drives it."""
    from orderlines.views import run_lines  # noqa: PLC0415 -- not needed to show help

    store = open_store(url)
    try:
        row = store.wish(find_run(store, run).id, "stop")
        row = _final(store, row)
        if row.status not in FINAL:
            advice = f"`orderlines recover --store {store.url}` ends it"
            print(f"nobody drives run {row.name}: the wish to stop is stored; {advice}", file=sys.stderr)
        show(read_run(store, row), run_lines, as_json=as_json)
    finally:
        store.close()


def _final(store: Store, row: RunRow) -> RunRow:
    """Return the run once it is final, or as it is when nobody drives it."""
    while row.status not in FINAL and _driven(store, row):
        time.sleep(_LOOK)
        row = store.run(row.name) or row
    return store.run(row.name) or row


def _driven(store: Store, row: RunRow) -> bool:
    """Return whether a living driver holds a line of the run."""
    from orderlines.processes.identity import alive  # noqa: PLC0415 -- not needed to show help

    living = {driver.id for driver in store.drivers() if alive(driver.identity)}
    return any(line.owner in living for line in store.lines(row.id))
