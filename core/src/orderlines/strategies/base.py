"""The contract of failure strategies: what becomes of a failed attempt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orderlines.flow.model import Path
    from orderlines.flow.reader import Reader


class Failure(NamedTuple):
    """A failed attempt.

    ``how`` is as in :class:`orderlines.executors.base.Outcome`; ``kinds`` the names of the exception's class and its
    bases; ``attempt`` counts from 1; ``key`` is the task's idempotency key, from which anything random is derived.
    """

    how: str
    kinds: tuple[str, ...]
    message: str
    attempt: int
    key: str


class Retry(NamedTuple):
    """Try again after ``delay`` seconds."""

    delay: float


class Skip(NamedTuple):
    """Go on as if nothing had been asked; ``value`` is the task's result."""

    value: Any


class Goto(NamedTuple):
    """Go on at another node of the same line; the task stays failed."""

    node: str


class Raise(NamedTuple):
    """The line fails."""


Decision = Retry | Skip | Goto | Raise


class Strategy(ABC):
    """Decides what becomes of a failed attempt. *Must* be pure: the same failure gives the same decision.

    ``bare`` says that a flow may name it without settings. ``rendered`` says that expressions in its settings are
    worked out before it is asked, so that it stays pure: they see the variables, and what failed as ``error``. It then
    has to read them with ``reader.template``.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    bare: ClassVar[bool] = True
    rendered: ClassVar[bool] = False

    @abstractmethod
    def read(self, value: object, path: Path, reader: Reader) -> Any:
        """Return settings as JSON values from what the flow says; report what is wrong to ``reader``."""

    def targets(self, settings: Any, path: Path) -> Iterable[tuple[str, Path]]:
        """Return the nodes that :meth:`decide` may go to, each with its place."""
        return ()

    def schema(self) -> Mapping[str, Any]:
        """Return the JSON Schema (draft 7) of the settings; it may refer to what those of node types may."""
        return {}

    @abstractmethod
    def decide(self, failure: Failure, settings: Any) -> Decision | None:
        """Decide, or return ``None`` to leave it to the node's next strategy."""
