"""The contract of executors: where a component call runs, and how it is ended."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orderlines.components.base import Component

DEFAULT_GRACE = 5.0
"""Seconds that a call which handles its ending has, between being asked and being killed."""


class Call(NamedTuple):
    """One attempt, ready to run.

    ``id`` is the driver's number for it, never used twice in one driver. ``arguments`` are live values that the call
    may keep and change. ``key`` is the idempotency key ``run/line/node/visit``. Times are in seconds. ``round`` is the
    run's.

    Where calls may share a process, a ``suspect`` (it was in a process that died, and whose doing that was is not
    known) must share one with other suspects only, and with as few of them as can be. One that is ``alone`` (that has
    come to it more than once) must not share its process with any.
    """

    id: int
    component: Component
    arguments: Mapping[str, Any]
    run: str
    flow: str
    line: str
    node: str
    visit: int
    attempt: int
    key: str
    timeout: float | None
    grace: float
    alone: bool
    round: int = 1
    suspect: bool = False


class Outcome(NamedTuple):
    """How a call ended.

    ``how`` is ``returned``, ``raised``, ``timeout`` (its own), ``ended`` (because :meth:`Executor.end` asked),
    ``died`` (its process did; ``message`` gives exit code or signal) or ``lost`` (through no fault of its own: a
    neighbour brought its process down, or the executor closed before it was begun). ``result`` is the JSON text that
    :func:`orderlines.values.encode` gave. ``kinds`` are the names of the exception's class and its bases, for
    strategies, and empty unless ``how`` is ``raised``: what an executor raises in a call to end it is its own affair.
    ``started`` and ``seconds`` are measured where the call ran: wall clock, and duration by the monotonic clock.
    """

    call: int
    how: str
    result: str | None
    message: str
    kinds: tuple[str, ...]
    details: str
    started: float
    seconds: float


class Executor(ABC):
    """Runs component calls.

    An implementation *must* deliver exactly one :class:`Outcome` for each submitted call, by calling ``deliver`` with
    a list of them, from whatever thread; *must* turn every exception of a component, ``SystemExit``,
    ``KeyboardInterrupt`` and own ``BaseException`` included, into an outcome; *must*, where :attr:`interrupt` is
    ``kill``, end a call and everything that it started within its grace + 2 s of :meth:`end` or of its timeout, which
    it keeps itself, on the monotonic clock from the call's start.

    What a call prints and logs it *must* tell ``observe``, if that is among its options, before it delivers the
    outcome; :mod:`orderlines.capture` does most of that.

    It *must never* call the store, block in :meth:`submit`, start anything before :meth:`start`, or patch the process
    that it is called in, but for the standard streams while a call runs in it.
    """

    name: ClassVar[str]
    unit: ClassVar[str] = "call"
    interrupt: ClassVar[str]
    """``none`` (a call runs to its end), ``cooperative`` or ``kill``."""
    isolation: ClassVar[str]
    """``thread``, ``process`` or ``remote``."""
    runs: ClassVar[str] = "both"
    """What it can call: ``functions``, ``coroutines`` (coroutine functions, ``async def``) or ``both``."""
    polls: ClassVar[bool] = False
    """Whether calls run in the driver's own thread, when it calls :meth:`poll`."""

    def __init__(self, deliver: Callable[[Sequence[Outcome]], None], options: Mapping[str, Any]) -> None:
        """Keep what is needed; begin nothing.

        :param deliver: takes outcomes; thread-safe, never blocks.
        :param options: ``concurrency`` (calls at once), ``observe`` (takes the id of a call and ``output`` with
            ``[time, level or None, text]``, ``progress`` with ``[done, total, text]``, or ``heartbeat`` with ``[]``,
            from whatever thread), and whatever else the executor documents.
        """
        self.deliver = deliver
        self.options = options

    @abstractmethod
    def start(self) -> None:
        """Make ready to take calls, and return when ready; a second call does nothing."""

    @abstractmethod
    def free(self) -> int:
        """Return how many calls would begin at once if they were submitted now."""

    @abstractmethod
    def submit(self, call: Call) -> None:
        """Begin a call; only called while :meth:`free` is positive, and :meth:`free_alone` if it is to be alone."""

    @abstractmethod
    def end(self, call: int) -> None:
        """End a call: ask it, and end it by force when its grace is over. Unknown or finished calls are ignored."""

    @abstractmethod
    def close(self, grace: float) -> None:
        """End every call within ``grace`` seconds and leave no process behind."""

    def free_alone(self) -> int:
        """Return how many of the calls that would begin at once may be ``alone``: *never* more than :meth:`free`.

        The driver keeps those that are more, and they do not count as begun. It asks where :attr:`isolation` is not
        ``thread``.
        """
        return self.free()

    def busy(self) -> bool:
        """Return whether calls wait for :meth:`poll`."""
        return False

    def runs_here(self, call: int) -> bool:
        """Return whether :meth:`poll` is running a call now; asked from another thread."""
        return False

    def poll(self, until: float) -> None:
        """Run submitted calls in this thread until none is left or ``time.monotonic()`` passes ``until``.

        Meanwhile another thread may ask and submit.
        """
