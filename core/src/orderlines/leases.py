"""Which drivers are dead: their process is gone, or their lease has stood still for too long.

How long that is, on the observer's monotonic clock, each driver says of itself when it enrolls: so those of one store
may differ.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orderlines.errors import StoreUnavailable
from orderlines.processes.identity import alive

if TYPE_CHECKING:
    from orderlines.stores.base import Store

RENEWALS = 5
"""How often a lease is renewed in the time after which it would be over."""
WATCH = 1.0
"""Seconds between two looks at whether other drivers have died, which nobody writes."""


class Leases:
    """Watches the leases of a store's drivers and strikes the dead ones off."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: dict[int, tuple[int, float]] = {}
        self._next = 0.0

    def watch(self, own: int) -> bool:
        """Do the same as :meth:`bury` where that has not been done for a while."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + WATCH
        return self.bury(own)

    def bury(self, own: int) -> bool:
        """Dismiss every dead driver but ``own``, which frees its lines; return whether there was one."""
        now = time.monotonic()
        dead = []
        drivers = self._store.drivers()
        known = {driver.id for driver in drivers}
        self._seen = {number: seen for number, seen in self._seen.items() if number in known}
        for driver in drivers:
            beats, since = self._seen.get(driver.id, (-1, now))
            if beats != driver.beats:
                since = now
                self._seen[driver.id] = (driver.beats, since)
            if driver.id != own and (not alive(driver.identity) or now - since > driver.lease):
                dead.append(driver.id)
        if dead:
            self._store.dismiss(dead)
        return bool(dead)


class Renewal:
    """Renews one driver's lease.

    :param lease: its length, in seconds.
    :ivar every: seconds from one renewal to the next.
    :ivar renewed: when that was done last, by the monotonic clock.
    """

    def __init__(self, store: Store, driver: int, lease: float) -> None:
        self.every = lease / RENEWALS
        self._safe = lease - self.every
        self._store = store
        self._driver = driver
        self.renewed = self._next = time.monotonic()

    def held(self) -> bool:
        """Renew the lease when that is due; return ``False`` once it is lost, or so old that it may be taken for dead.

        The driver then has to end its calls: another one may begin them again.
        """
        now = time.monotonic()
        if now < self._next:
            return True
        self._next = now + self.every
        try:
            if not self._store.renew(self._driver):
                return False
        except StoreUnavailable:
            return self.safe(now)
        self.renewed = now
        return True

    def safe(self, now: float) -> bool:
        """Return whether nobody can take the driver for dead yet, even if its next renewal comes late."""
        return now - self.renewed < self._safe
