"""The contract of triggers: what makes the slots of a schedule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Trigger(ABC):
    """Makes moments in time, in whole seconds since the epoch; pure: the same questions have the same answers.

    An implementation *must never* name a moment twice, nor ask a clock. What it is made from raises ``ValueError``
    with the reason, where that makes no sense.
    """

    @abstractmethod
    def after(self, moment: int) -> int | None:
        """Return the first of its moments that comes after another one; ``None`` where there is none."""

    @abstractmethod
    def data(self) -> Mapping[str, Any]:
        """Return what it is made from, as JSON has it; see :mod:`orderlines.schedulers.reading`."""

    @abstractmethod
    def __str__(self) -> str:
        """Say it in a few words."""
