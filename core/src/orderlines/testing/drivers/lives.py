"""Lives of real drivers, one after the other in this thread: each ends when nothing is left to do, or is killed."""

from __future__ import annotations

from functools import wraps
from itertools import count
from typing import TYPE_CHECKING, Any

from orderlines.driver import Driver
from orderlines.testing.fate import Killed

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.plugins import Registry
    from orderlines.processes.identity import ProcessIdentity
    from orderlines.stores.base import Store
    from orderlines.testing.fate import Fate

IDLE = 4
"""Looks in a row that found nothing to do, after which a driver has nothing to do."""
TICK = 1e-5
"""Seconds that pass whenever somebody looks at the clock, so that no two moments are the same."""


class Clock:
    """A clock that moves only when somebody looks at it, or moves it."""

    def __init__(self, begin: float) -> None:
        self._base = begin
        self._ticks = count(1)

    def __call__(self) -> float:
        """Return seconds since the epoch."""
        return self._base + next(self._ticks) * TICK

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._base += seconds


class Life:
    """The life of one driver.

    :param make: opens the store.
    :param fate: when it is killed; its writes are counted.
    :param clock: the store's.
    """

    def __init__(self, make: Callable[[], Store], registry: Registry, fate: Fate, clock: Clock) -> None:
        self.store = make()
        self._fate = fate
        self._looks = 0
        self._seen = -1
        self._waiting: set[int] = set()
        self.driver: Driver | None = None
        self._registry = registry
        replaced: dict[str, Callable[..., Any]] = {"now": clock, "enroll": self._enroll(), "version": self._version()}
        for name, function in replaced.items():
            setattr(self.store, name, function)
        fate.rule(self.store)

    def live(self, runs: list[int]) -> None:
        """Drive runs until nothing is left to do, or until it is killed.

        :raises BaseException: what ended it otherwise.
        """
        try:
            self._waiting = set(runs)
            driver = self.driver = Driver(self.store, self._registry, self._told)
            for run in runs:
                driver.add(run)
            driver.drive()
            failure = driver.failure or next(iter(driver.failures.values()), None)
            if failure is not None and not isinstance(failure, Killed):
                raise failure
        except Killed:
            pass
        finally:
            self.store.close()

    def _told(self, run: int) -> None:
        self._waiting.discard(run)
        if not self._waiting and self.driver is not None:
            self.driver.close()

    def _enroll(self) -> Callable[[ProcessIdentity, float], int]:
        """Enroll as a process that has ended, as whoever comes later will find it: its lease is void."""
        enroll = self.store.enroll
        return lambda identity, lease: enroll(identity._replace(start=0), lease)

    def _version(self) -> Callable[[], int]:
        version = self.store.version

        @wraps(version)
        def look() -> int:
            self._looks = self._looks + 1 if self._fate.writes == self._seen else 0
            self._seen = self._fate.writes
            if self._looks >= IDLE and self.driver is not None:
                self.driver.close()
            return version()

        return look
