"""When a process dies: at a write to its store that is chosen beforehand, before it or after it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.stores.base import Store

WRITES: Final = (
    "accept", "accept_for", "enroll", "commit", "release", "dismiss", "wish", "resume", "signal", "skip", "reopen",
    "late",
)  # fmt: skip
SEARCHES: Final = ("claim", "expire", "ring")
"""What is a write only where it has found something."""
UNCOUNTED: Final = ("renew", "keep_logs", "keep_progress")
"""Writes whose number depends on the time that passes."""


class Killed(BaseException):
    """The process has died, as far as a store in it can tell: whatever it is asked for from then on raises this."""


class Fate:
    """Counts the writes to stores, and strikes at one of them.

    :param number: at which write, 1 for the first; 0 for never.
    :param when: ``before`` or ``after`` it.
    :param strike: what happens then; by default :class:`Killed` is raised, there and ever after.
    :param meanwhile: what others do just before a write, by its number.
    :ivar writes: how many there were.
    :ivar struck: whether it has come to that.
    """

    def __init__(
        self,
        number: int,
        when: str = "before",
        strike: Callable[[], object] | None = None,
        meanwhile: dict[int, Callable[[], object]] | None = None,
    ) -> None:
        self.number = number
        self.when = when
        self.writes = 0
        self.struck = False
        self._strike = strike
        self._meanwhile = meanwhile or {}
        self._counting = Lock()

    def rule(self, store: Store) -> None:
        """Rule over a store."""
        for name in WRITES:
            setattr(store, name, self._counted(getattr(store, name)))
        for name in SEARCHES:
            setattr(store, name, self._searched(getattr(store, name)))
        for name in UNCOUNTED:
            setattr(store, name, self._guarded(getattr(store, name)))

    def _counted(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **more: Any) -> Any:
            self._check()
            number = self._count()
            self._meet(number, "before")
            done = write(*given, **more)
            self._meet(number, "after")
            return done

        return counted

    def _searched(self, search: Callable[..., Any]) -> Callable[..., Any]:
        def searched(*given: Any, **more: Any) -> Any:
            self._check()
            found = search(*given, **more)
            if found:
                self._meet(self._count(), self.when)
            return found

        return searched

    def _guarded(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*given: Any, **more: Any) -> Any:
            self._check()
            return write(*given, **more)

        return guarded

    def _count(self) -> int:
        """Return the number of the write that is made now, which is its own, whatever other threads write meanwhile."""
        with self._counting:
            self.writes += 1
            number = self.writes
        act = self._meanwhile.pop(number, None)
        if act is not None:
            act()
        return number

    def _meet(self, number: int, when: str) -> None:
        if number == self.number and when == self.when:
            self.struck = True
            if self._strike is not None:
                self._strike()
            self._check()

    def _check(self) -> None:
        if self.struck:
            _die()


def _die() -> NoReturn:
    raise Killed
