"""Taking away what nobody needs any more: runs that ended long ago, their flows, large values that no row names."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from orderlines.stores.base import Store
    from orderlines.stores.records import EndedRun

PAGE: Final = 100
"""Runs that are looked up at once."""
REST: Final = 0.002
"""Seconds between two batches, in which others get their turn."""
UNNAMED: Final = 86_400.0
"""Seconds after which a large value that no row names is nobody's: its commit is long written, or never will be."""


class Pruned(NamedTuple):
    """How much was taken away: runs, flows, and large values that no row named."""

    runs: int
    flows: int
    values: int


def count_prunable(store: Store, before: float, statuses: Collection[str] = ()) -> int:
    """Return how many runs :func:`prune` would take away."""
    return sum(len(page) for page in _pages(store, before, statuses))


def prune(store: Store, before: float, statuses: Collection[str] = ()) -> Pruned:
    """Take away the runs that ended before a moment of the store's clock, in batches; others go on meanwhile.

    :param statuses: those that they may have; all that are final where there are none.
    """
    runs = 0
    for page in _pages(store, before, statuses):
        runs += len(store.prune([run.id for run in page], before))
        time.sleep(REST)
    return Pruned(runs, store.prune_flows(), store.sweep(UNNAMED))


def _pages(store: Store, before: float, statuses: Collection[str]) -> Iterator[list[EndedRun]]:
    after = 0
    while page := store.prunable(before, statuses, PAGE, after):
        yield page
        after = page[-1].id
