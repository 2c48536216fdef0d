"""The embedded scheduler: this process's clock."""

from __future__ import annotations

import time

from orderlines.schedulers.base import Scheduler


class EmbeddedScheduler(Scheduler):
    """Sleeps until the next slot; needs no server."""

    name = "embedded"

    def __init__(self, url: str | None) -> None:
        """Need no server: where workers are told of work wakes nobody here."""

    def wait(self, due: float | None, seconds: float) -> bool:
        """Sleep."""
        sooner = due is not None and due < seconds
        time.sleep(max(0.0, due if sooner and due is not None else seconds))
        return sooner

    def close(self) -> None:
        """Do nothing."""
