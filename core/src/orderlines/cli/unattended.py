"""Whether anybody drives a run, and what to say where nobody does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from orderlines.cli.options import named_queue, shown_where
from orderlines.cli.output import tell
from orderlines.errors import Refused
from orderlines.states import FINAL, GOES_ON, LineStatus, RunStatus
from orderlines.stores.showing import shown_option, shown_worker

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

_COMES: Final = 2.0
"""Seconds within which who has begun a round of a run, as another `retry` does, has its driver claim it."""
_LOOK: Final = 0.05


def living_drivers(store: Store) -> set[int]:
    """Return the drivers whose process lives, as far as can be seen from here."""
    from orderlines.processes.identity import alive  # noqa: PLC0415 -- not needed to show help

    return {driver.id for driver in store.drivers() if alive(driver.identity)}


def is_held(store: Store, row: RunRow) -> bool:
    """Return whether a living driver holds a line of the run: where all of its lines wait, none does."""
    living = living_drivers(store)
    return any(line.owner in living for line in store.lines(row.id))


def tell_unless_driven(store: Store, row: RunRow, then: str) -> None:
    """Say on standard error, where no driver has the run, that what was asked for is kept until one does.

    Where all lines of a run wait, nothing says whose it is: any driver that lives is taken for its.

    :param then: what happens then.
    """
    if row.status in FINAL:
        return
    living = living_drivers(store)
    if living and not _is_orphaned(store, row, living):
        return
    now = store.run(row.id)  # It may have come to its end meanwhile, and its driver with it.
    if now is not None and now.status not in FINAL:
        tell(f"nobody drives run {row.name}: {then} with {_drivers_for(store, row)}", run=row.name)


def _is_orphaned(store: Store, row: RunRow, living: set[int]) -> bool:
    """Return whether a driver has died with a line of the run in hand, which no other one takes by itself.

    The next driver that looks strikes it off: a call in flight is then nobody's. What is for workers, each of them
    takes.
    """
    lines = [line for line in store.lines(row.id) if line.queue is None and line.status in GOES_ON]
    return any(
        line.status in {LineStatus.CALL, LineStatus.HANDLER} if line.owner is None else line.owner not in living
        for line in lines
    )


def is_left(store: Store, row: RunRow) -> bool:
    """Return whether lines of a run are left to workers."""
    return any(line.queue is not None for line in store.lines(row.id) if line.status not in FINAL)


def tell_where_left(store: Store, row: RunRow, then: str) -> None:
    """Say on standard error, where a driver lives but none has come for what is left to workers, what goes on then."""
    if row.status not in FINAL and living_drivers(store) and is_left(store, row) and not is_held(store, row):
        tell(f"no worker has come for run {row.name}: {then} with {_drivers_for(store, row)}", run=row.name)


def must_have_ended(store: Store, row: RunRow) -> None:
    """Refuse to retry a run that goes on, with what can be done about it instead.

    :raises Refused: it does.
    """
    if row.status in FINAL:
        return
    stop = f"stop it first with `orderlines stop {row.name} {shown_option(store.url)}`"
    if row.status == RunStatus.PAUSED:
        advice = f"let it go on with `orderlines resume {row.name} {shown_option(store.url)}`, or {stop}"
    elif _is_soon_driven(store, row):
        advice = f"wait for its end, or {stop}"
    else:
        advice = f"nobody drives it: go on with {_drivers_for(store, row)}"
    raise Refused(
        f"run {row.name} is {row.status}, and only one that has failed or was stopped can be retried; {advice}"
    )


def _is_soon_driven(store: Store, row: RunRow) -> bool:
    """Return whether somebody drives a run, or comes for it in a moment: who has just begun a round of it does."""
    from orderlines.doctor.keeping import is_driven  # noqa: PLC0415 -- only on the way to an error

    limit = time.monotonic() + _COMES
    while not is_driven(store, row, living_drivers(store)):
        if time.monotonic() >= limit:
            return False
        time.sleep(_LOOK)
        now = store.run(row.id)
        if now is None or now.status in FINAL:  # Somebody drove it to its end meanwhile.
            return True
    return True


def _drivers_for(store: Store, row: RunRow) -> str:
    """Return the commands that drive a run on: any driver stops it, but what is for workers goes on only with them."""
    recover = f"`orderlines recover {shown_where(store.url)}`"
    left = {line.queue for line in store.lines(row.id) if line.status not in FINAL}
    queues = left - {None}
    if not queues or row.wish == "stop":
        return recover
    worker = f"`{shown_worker(store.url, queues, named_queue())}`"
    return f"{recover} and {worker}" if None in left else worker
