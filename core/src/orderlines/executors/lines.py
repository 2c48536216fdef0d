"""The contract of executors to which whole lines travel: they tell workers, and the store says what there is to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orderlines.stores.records import Finding, LineRow


class LineExecutor(ABC):
    """Tells workers that lines are there for them.

    An implementation *must never* carry more than which line it is: the worker reads the rest from the store, and a
    message that is lost, doubled or late must do no harm.
    """

    name: ClassVar[str]
    unit: ClassVar[str] = "line"

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Keep what is needed; connect to nothing.

        :param options: ``queue``, the URL of what the workers listen to.
        """
        self.options = options

    @classmethod
    def examine(cls, queue: str) -> Iterable[Finding]:  # noqa: ARG003 -- for those who override it
        """Return what a doctor finds of a queue: that it is reached and takes what is sent; nothing is made or changed.

        :param queue: its URL.
        """
        return ()

    @abstractmethod
    def ring(self, lines: Sequence[LineRow]) -> None:
        """Tell the workers of each line's queue of it.

        :raises StoreUnavailable: what they listen to cannot be reached.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of every connection."""
