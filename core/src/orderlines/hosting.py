"""A driver in a program of somebody else's: in a thread of it."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from itertools import chain
from typing import TYPE_CHECKING

from orderlines.driver import Driver
from orderlines.driving.cautions import Cautions
from orderlines.driving.patience import PAUSE
from orderlines.errors import OrderlinesError, StoreUnavailable
from orderlines.leases import Renewal
from orderlines.processes.forks import Home
from orderlines.states import FINAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.bells import Bells
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import NewRun, RunRow


class Hosting:
    """A driver in a thread, and the thread that renews its lease; a driver that loses it is replaced."""

    def __init__(self, store: Store, registry: Registry, bells: Bells) -> None:
        self._store = store
        self._registry = registry
        self._bells = bells
        self._runs: set[int] = set()
        self._home = Home("this engine")
        self._closing = threading.Event()
        self._ended = threading.Event()
        self._replacing = threading.Lock()
        self._changed = threading.Condition()
        self.ended = 0
        self._cautions = Cautions()
        self._listeners: dict[int, list[Callable[[], None]]] = {}
        self._begin()
        self._tending = threading.Thread(target=self._tend, daemon=True, name="orderlines-lease")
        self._tending.start()

    def _begin(self) -> None:
        self.driver = Driver(self._store, self._registry, self._note, self._bells, begun=self._cautions.tell)
        self._thread = threading.Thread(target=self._drive, args=(self.driver,), daemon=True, name="orderlines-driver")
        self._thread.start()

    def _drive(self, driver: Driver) -> None:
        driver.drive()
        self._note(0)

    def _note(self, run: int) -> None:
        """Wake those who wait: a run has ended, or cannot be driven on."""
        self._runs.discard(run)
        with self._changed:
            self.ended += 1
            self._changed.notify_all()
            called = list(self._listeners.get(run, ())) if run else list(chain(*self._listeners.values()))
        for listener in called:
            listener()

    def wait(self, ended: int, seconds: float) -> None:
        """Wait until more than ``ended`` runs have ended here, or for so long."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended > ended, seconds)

    def wait_for(self, run: int, seconds: float) -> None:
        """Wait until a run is not driven here any more, or for so long."""
        with self._changed:
            self._changed.wait_for(lambda: run not in self._runs, seconds)

    @contextmanager
    def listening(self, run: int, listener: Callable[[], None]) -> Iterator[bool]:
        """Have ``listener`` called, in whatever thread, when a run has ended or is not driven on here."""
        with self._changed:
            self._listeners.setdefault(run, []).append(listener)
        try:
            yield True
        finally:
            with self._changed:
                self._listeners[run].remove(listener)
                if not self._listeners[run]:
                    del self._listeners[run]

    @property
    def closed(self) -> bool:
        """Whether it tells of no more ends."""
        return self._closing.is_set()

    def add(self, run: int) -> None:
        """Drive a run."""
        self._home.check()
        self._runs.add(run)
        self.driver.add(run)

    def join(self, run: int) -> None:
        """Drive a run that another driver may have begun, and may drive as well."""
        self._home.check()
        self._runs.add(run)
        self.driver.join(run)

    def accept(self, run: NewRun) -> RunRow:
        """Accept a run and drive it, unless it was there and has ended."""
        self._home.check()
        driver = self.driver
        try:
            row, line = self._store.accept_for(driver.id, run)
        except StoreUnavailable:
            driver.doubt()  # It may have been accepted all the same, and its first line be the driver's.
            raise
        if row.status not in FINAL:
            self._runs.add(row.id)
            # Another driver that has taken this one's place meanwhile finds the line once that one is off the books.
            if driver is self.driver:
                driver.add_accepted(row, line)
            else:
                self.driver.add(row.id)
        return row

    def failure(self, run: int) -> BaseException | None:
        """Return why a run is not driven on, if it is not.

        :raises Forked: this is a fork of the process that drives it.
        """
        self._home.check()
        if self._closing.is_set() and not self._thread.is_alive():
            return OrderlinesError("its engine has been closed")
        return self.driver.failures.get(run) or self.driver.failure

    def close(self) -> None:
        """Let the driver end, and wait until it has."""
        if self._home.left():
            return  # The threads are the other process's.
        self._closing.set()
        with self._replacing:
            self.driver.close()
        self._thread.join()
        self._ended.set()
        self._tending.join()

    def _tend(self) -> None:
        """Keep the lease until the driver has ended: what it still runs while it is being closed is under it."""
        renewal = self._renewal()
        while not self._ended.wait(renewal.every):
            if renewal.held():
                continue
            self.driver.abandon()
            self._thread.join()
            if self._replace():
                renewal = self._renewal()

    def _renewal(self) -> Renewal:
        return Renewal(self._store, self.driver.id, self.driver.lease)

    def _replace(self) -> bool:
        """Put another driver in the place of one that has lost its lease, as soon as the store can be reached."""
        failures = self.driver.failures
        while True:
            with self._replacing:
                if self._closing.is_set():
                    return False
                with suppress(StoreUnavailable):
                    self._begin()
                    break
            self._closing.wait(PAUSE)
        self.driver.failures.update(failures)
        for run in list(self._runs):
            self.driver.add(run)
        return True
