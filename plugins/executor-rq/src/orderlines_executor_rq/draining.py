"""The contracts between the worker, which answers doorbells, and what does the work that they announce."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orderlines_executor_rq.message import Bell


class Left(StrEnum):
    """What a drain leaves when it returns.

    NOTHING; MORE, which any worker may go on with: it is rung again, after the bells that wait; HELD, which only this
    drain can go on with, since it has calls in flight: it is called again at once, with another bell if there is one.
    """

    NOTHING = "nothing"
    MORE = "more"
    HELD = "held"


class Drain(ABC):
    """Does the work, in the worker's one warm child process; it may be killed there at any moment.

    It is made from the settings that the worker was given, and a function with which it tells the worker's process
    something, as a list of JSON values: what it says goes to :meth:`Overseer.heard`. It may be called from any thread.

    An implementation *must* take the bell for a hint: the line may be another's by now, have ended, or have been rung
    for twice. It *must* raise :class:`orderlines.errors.StoreUnavailable` where its store cannot be reached, and the
    bell is then kept; what else it raises is logged, and the bell is spent.
    """

    def __init__(self, settings: Mapping[str, Any], say: Callable[[list[Any]], None]) -> None:
        self.settings = settings
        self.say = say

    def begin(self) -> None:
        """Make ready, once, before the first bell.

        :raises StoreUnavailable: the store cannot be reached; the worker begins another child later.
        :raises OrderlinesError: it can never be ready; the worker ends with this message.
        """

    @abstractmethod
    def drain(self, bell: Bell | None, until: float) -> Left:
        """Do what there is to do, beginning with the bell's line; return what is left.

        :param bell: ``None`` when nobody has rung for some time: find out whether a bell was lost, ring again, and take
            what has waited too long.
        :param until: moment of the monotonic clock after which it *must not* take anything more; what was begun may
            end.
        """

    def rest(self) -> float | None:
        """Return in how many seconds :meth:`drain` wants to be called at the latest, where it has left nothing.

        Asked for after each drain. ``None``: after the worker's ``period``, as usual.
        """
        return None

    @abstractmethod
    def leave(self) -> None:
        """Let :meth:`drain` return soon: take nothing more, give calls their grace, give back the rest.

        Called from another thread, at most once; also when nothing is being drained.
        """

    def part(self) -> None:
        """Leave the books: the process ends, and nothing is being drained. Called where :meth:`drain` is."""

    def obey(self, words: list[Any]) -> None:
        """Take an order of the overseer (:attr:`Verdict.say`). Called from another thread."""


class Verdict(NamedTuple):
    """What an overseer wants: orders for the drain, each a list of JSON values, and whether it is to be killed."""

    say: tuple[list[Any], ...] = ()
    kill: bool = False


class Overseer:
    """Watches a drain from the worker's process, where nothing that a component does can hold it up.

    This one lets it be. One that renews the drain's lease and keeps deadlines overrides what it needs. None of its
    methods may take long or raise: they are called between two looks at the child.

    It is made from the same settings as the drain.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings

    @property
    def driver(self) -> int | None:
        """The drain's number on a store's books, by which people see whether its lease is held, where it has one."""
        return None

    def heard(self, words: list[Any]) -> None:
        """Take note of what the drain has said."""

    def look(self, now: float) -> Verdict:
        """Say what is to be done; called many times a second while the child lives. ``now`` is monotonic."""
        return Verdict()

    def ended(self, manner: str, *, ordered: bool) -> str | None:
        """Take note that the child has ended, and return what for, in words, where this overseer had it end.

        :param manner: its exit code or signal, in words.
        :param ordered: whether the worker had asked for it.
        """
        return None

    def close(self) -> None:
        """Let go of everything: the worker ends."""
