"""Which drivers are dead: their process is gone, or their lease has stood still for too long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orderlines.processes.identity import alive

if TYPE_CHECKING:
    from orderlines.stores.base import Store

LEASE = 15.0
"""Seconds without a renewal, on the observer's monotonic clock, after which a driver is taken for dead."""
RENEWAL = 3.0


class Leases:
    """Watches the leases of a store's drivers and strikes the dead ones off."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[int, tuple[int, float]] = {}

    def bury(self, own: int) -> None:
        """Dismiss every dead driver but ``own``, which frees its lines."""
        now = time.monotonic()
        dead = []
        for driver in self._store.drivers():
            beats, since = self._seen.get(driver.id, (-1, now))
            if beats != driver.beats:
                since = now
                self._seen[driver.id] = (driver.beats, since)
            if driver.id != own and (not alive(driver.identity) or now - since > LEASE):
                dead.append(driver.id)
        if dead:
            self._store.dismiss(dead)
