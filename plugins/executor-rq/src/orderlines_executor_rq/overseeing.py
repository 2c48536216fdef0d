"""Keeps the lease of a worker's drain, and ends what does not obey, from the worker's process."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from orderlines.bells import Bells
from orderlines.errors import OrderlinesError, StoreUnavailable
from orderlines.handing import ring_again
from orderlines.leases import Renewal
from orderlines.logger import logger
from orderlines.opening import open_store, where_of
from orderlines.plugins import registry
from orderlines.settings import default_lease
from orderlines.states import RELEASED
from orderlines.supervision.pressing import Pressing
from orderlines.supervision.watching import Watch
from orderlines_executor_rq.draining import Overseer, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.stores.base import Store

LOOK: Final = 0.2
"""Seconds between two looks at the wishes on what is in hand."""
PATIENCE: Final = 3.0
"""Seconds for which the worker waits until a dead driver is struck off, before it begins another one."""


class Keeper(Overseer):
    """Has a thread for each drain that has said its driver's number: a store that hangs holds no worker up."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self._tending: Tending | None = None

    @property
    def driver(self) -> int | None:
        """The drain's number on the books."""
        return None if self._tending is None else self._tending.driver

    def heard(self, words: list[Any]) -> None:
        """Take note of the drain's driver, of whether it has something in hand, what that waits for, and of its end."""
        if words[0] == "driver":
            self._tending = Tending(self.settings, words[1])
        elif self._tending is not None and words[0] == "works":
            self._tending.busy = words[1]
        elif self._tending is not None and words[0] == "spared":
            self._tending.spare(words[1])
        elif self._tending is not None and words[0] == "parted":
            self._tending.end(None)
            self._tending = None

    def look(self, now: float) -> Verdict:
        """Have calls asked to end, and the drain killed where they do not, or where its lease is lost."""
        return Verdict() if self._tending is None else self._tending.verdict(now)

    def ended(self, manner: str, *, ordered: bool) -> str | None:
        """Let go of what the drain had in hand; return what it was ended for: a call that was to end, a lost lease."""
        tending, self._tending = self._tending, None
        if tending is None:
            return None
        tending.end(manner, ordered=ordered)
        if tending.pressed:
            return "a call in it was to end"
        return "it had lost its lease, as it could not be renewed in time" if tending.lapsed else None

    def close(self) -> None:
        """End what is left."""
        self.ended("the worker has ended", ordered=True)


class Tending:
    """One driver's lease, and the wishes on its lines, in a thread.

    :ivar driver: its number.
    :ivar busy: whether it has lines in hand.
    :ivar lapsed: whether the drain was to be killed since its lease was lost.
    """

    def __init__(self, settings: Mapping[str, Any], driver: int) -> None:
        self.driver = driver
        self.busy = self.lapsed = False
        self._settings = settings
        self._pressing = Pressing()
        self._lease = default_lease()
        self._begun = time.monotonic()
        self._renewal: Renewal | None = None
        self._orders: list[list[Any]] = []
        self._lost = self._over = False
        self._ended = threading.Event()
        self._manner: str | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name="orderlines-lease")
        self._thread.start()

    def verdict(self, now: float) -> Verdict:
        """Say what is to be done now."""
        renewal = self._renewal
        safe = now - self._begun < self._lease if renewal is None else renewal.safe(now)
        self.lapsed = self.lapsed or self._lost or not safe
        if self.lapsed or self._over:
            return Verdict(kill=True)
        if not self._orders:
            return Verdict()
        orders, self._orders = self._orders, []
        return Verdict(tuple(orders))

    @property
    def pressed(self) -> bool:
        """Whether a call of the drain's was asked to end: it may take the process with it."""
        return self._over or bool(self._pressing.asked)

    def spare(self, line: int) -> None:
        """Do not have the drain killed for a line that waits for the call of another one."""
        self._pressing.spare(line)

    def end(self, manner: str | None, *, ordered: bool = False) -> None:
        """Strike the driver off, unless it has done that itself.

        :param manner: how its process has ended; ``None`` where it has left the books.
        :param ordered: whether that was wanted.
        """
        if manner is not None:
            self._manner = RELEASED if ordered or self.pressed else manner
        self._ended.set()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        try:
            store = open_store(where_of(self._settings["where"]), registry())
            try:
                self._tend(store)
            finally:
                store.close()
        except Exception:  # noqa: BLE001 -- logged; the lease runs out, and others take what it covers
            logger().exception("the lease of a worker's driver is not kept")

    def _tend(self, store: Store) -> None:
        self._renewal = Renewal(store, self.driver, self._lease)
        watch = Watch(store, registry(), self.driver, self._settings["queues"])
        while not self._ended.is_set():
            with suppress(StoreUnavailable):  # The driver waits for it, and says so.
                self._look(self._renewal, watch)
            self._ended.wait(LOOK)
        if self._manner is not None:
            self._strike_off(store, self._manner)

    def _look(self, renewal: Renewal, watch: Watch) -> None:
        if not renewal.held():
            self._lost = True
        if not self.busy:
            return
        now = time.monotonic()
        lines = self._pressing.press(watch, watch.look(now, None), now)
        self._orders = [*self._orders, *(["ask", line] for line in lines)]
        self._over = self._over or self._pressing.over(now)

    def _strike_off(self, store: Store, manner: str) -> None:
        try:
            owned = store.owned(self.driver)
            store.release(self.driver, owned, manner)
            store.dismiss([self.driver])
        except StoreUnavailable:
            return  # Its process is gone, or its lease runs out: others strike it off.
        if owned:
            bells = Bells(registry(), self._settings["queue"])
            with suppress(OrderlinesError):
                ring_again(store, self._settings["queues"], bells)
            bells.close()
