"""Getting a child ready, again and again: after its death, and after its store was away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from orderlines.errors import StoreUnavailable, UsageError
from orderlines_executor_rq.warm import LOOK, Ended

if TYPE_CHECKING:
    from orderlines_executor_rq.message import Bell
    from orderlines_executor_rq.patience import Patience
    from orderlines_executor_rq.warm import WarmChild

AGAIN: Final = 2.0
"""Seconds between two tries to make a drain ready whose store is away."""


class Readiness:
    """A warm child that is begun anew when it has ended.

    :ivar warm: the child itself.
    """

    def __init__(self, warm: WarmChild, patience: Patience) -> None:
        self.warm = warm
        self._patience = patience
        self._ever = False
        self._start_at = 0.0

    def ready(self) -> bool:
        """Return whether there is a drain that waits for a bell; begin one where there is none.

        :raises StoreUnavailable: its store is away before it was ever there.
        :raises OrderlinesError: it can never be ready.
        """
        if time.monotonic() < self._start_at:
            time.sleep(LOOK)
            return False
        self.warm.start()
        try:
            # One that is ready is only looked after: whether it lives, whether its overseer wants something.
            answer = self.warm.attend(0.0 if self.warm.ready else LOOK)
        except Ended as ended:
            self._patience.complain("ended", f"the drain's process {ended.verb}, and another one is begun: {ended}")
            return False
        if answer is not None:
            self._take_note(answer)
        return self.warm.ready

    @property
    def driver(self) -> int | None:
        """The drain's number on the books of its store."""
        return self.warm.driver

    def ring(self, bell: Bell | None, *, taking: bool = True) -> None:
        """Have the drain, which is ready, answer a bell."""
        self.warm.ring(bell, taking=taking)

    def store_away(self, told: str) -> None:
        """Let the drain be for a moment: it cannot reach its store."""
        self._start_at = time.monotonic() + AGAIN
        self._patience.complain("store", f"waiting for the store: {told}")

    def _take_note(self, answer: list[Any]) -> None:
        word = answer[0]
        if word == "ready":
            self._ever = True
        elif word == "refused":
            raise UsageError(answer[1])
        elif not self._ever:
            raise StoreUnavailable(answer[1])
        else:
            self.store_away(answer[1])
