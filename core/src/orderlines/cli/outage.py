"""A store that is away while a command follows a run: it is waited for, as drivers wait for it, and that is said."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, TypeVar

from orderlines.cli.output import tell
from orderlines.driving.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.errors import StoreUnavailable

_Answer = TypeVar("_Answer")


class Outage(Patience):
    """Repeats what the store could not do, until it can; says once that it is away, and once that it is back.

    :param say: takes a line; by default it goes to standard error.
    """

    def __init__(self, say: Callable[[str], object] = tell) -> None:
        super().__init__(Event(), bool, self._begin)
        self._say = say
        self._away = False

    def __call__(self, action: Callable[[], _Answer]) -> _Answer:
        """Return what an action returns, in the end."""
        answer = super().__call__(action)
        self.over()
        return answer

    def over(self) -> None:
        """Take note that the store has done something."""
        if self._away:
            self._away = False
            self._say("the store can be reached again")

    def _begin(self, error: StoreUnavailable) -> None:
        if not self._away:
            self._away = True
            self._say(f"the store cannot be reached at present, and is tried again: {error}")
