"""The contract of schedulers: what wakes up whoever starts timed runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from typing import Self


class Scheduler(ABC):
    """Wakes at due times; the store decides what is due, and what becomes of it.

    A scheduler *may* wake late, early, twice or never: whoever waits looks at the store every second or so anyway, and
    a slot that is handled twice starts one run. It *must never* start a run, keep the time of a slot as the only one,
    or run what a message names; it *must* go on where its server cannot be reached, and say so at most once a minute.

    :param url: where its server is; ``None`` where none was named.
    :raises UsageError: it needs one, or another one.
    :raises StoreUnavailable: the server cannot be reached at the start.
    """

    name: ClassVar[str]

    @abstractmethod
    def __init__(self, url: str | None) -> None:
        """Connect to the server."""

    @abstractmethod
    def wait(self, due: float | None, seconds: float) -> bool:
        """Return after ``seconds`` at the latest, earlier where something may be due; the answer says whether.

        :param due: seconds until the next slot, as far as it is known.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the server."""

    def __enter__(self) -> Self:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()
