"""``orderlines stop RUN``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from orderlines.cli.completing import run_argument
from orderlines.cli.options import json_option, opened_run, queue_option, store_option
from orderlines.cli.outage import Outage
from orderlines.cli.output import show_run, tell
from orderlines.cli.ringing import tell_workers
from orderlines.cli.unattended import is_held, is_left, living_drivers, tell_unless_driven, tell_where_left
from orderlines.states import FINAL

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

_LOOK: Final = 0.05
"""Seconds between two looks at the run."""
_FIRST: Final = 1.0
"""Seconds for which nobody may hold a line of the run before it is taken for not driven: while its lines wait for
their time, a living driver holds none, and takes them once it has seen the wish."""
_STRANDED: Final = 5.0
"""The same where lines of it are for workers, and a driver lives: workers are waited for, and then it takes them."""
_AGAIN: Final = 5.0
"""The same, once somebody has: a driver's process that was ended is started anew."""
_NOBODY: Final = 0
"""The number of no driver."""


@click.command("stop")
@run_argument
@store_option
@queue_option
@json_option
def command(run: str, url: str, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """Stop RUN, and wait until it is over if somebody drives it."""
    from orderlines.control.wishes import stop  # noqa: PLC0415 -- not needed to show help

    with opened_run(url, run) as (store, row):
        asked = stop(store, row)
        patiently = Outage()
        patiently(lambda: tell_workers(store, row.id, url))
        if asked.status in FINAL:
            tell(f"run {row.name} had ended as {asked.status}: nothing was stopped", run=row.name)
        ended = _final(store, asked, patiently)
        patiently(lambda: tell_unless_driven(store, ended, "the wish to stop is stored; it ends"))
        patiently(lambda: tell_where_left(store, ended, "the wish to stop is stored; it ends"))
        show_run(store, ended, as_json=as_json)


def _final(store: Store, row: RunRow, patiently: Outage) -> RunRow:
    """Return the run once it is final, or as it is when nobody drives it: its driver has died, or lost its lease."""
    from orderlines.leases import Leases  # noqa: PLC0415 -- not needed to show help

    leases = Leases(store)

    def look() -> tuple[RunRow, bool]:
        leases.bury(_NOBODY)
        seen = store.run(row.name) or row
        return seen, seen.status not in FINAL and is_held(store, seen)

    first = _STRANDED if patiently(lambda: is_left(store, row) and living_drivers(store)) else _FIRST
    seen, limit = row, time.monotonic() + first
    while seen.status not in FINAL and (now := time.monotonic()) < limit:
        seen, held = patiently(look)
        asked = time.monotonic() - now
        # While the store does not answer, nobody can be seen to hold a line.
        limit = now + asked + _AGAIN if held else limit + asked
        time.sleep(_LOOK)
    return seen
