"""Messages to the driver from a patched process."""

from __future__ import annotations

import gevent
from gevent.event import Event
from gevent.monkey import get_original
from gevent.socket import wait_write

from orderlines.executors.natives import Natives
from orderlines.executors.outbox import Outbox


def natives() -> Natives:
    """Return the functions that gevent has replaced."""
    return Natives(
        get_original("_thread", "allocate_lock"),
        get_original("_thread", "get_ident"),
        get_original("_thread", "start_new_thread"),
        get_original("time", "sleep"),
    )


class HubOutbox(Outbox):
    """A greenlet writes all that one turn of the hub has brought."""

    def __init__(self, descriptor: int, natives: Natives) -> None:
        super().__init__(descriptor, natives)
        self._filled = Event()

    def start(self) -> None:
        """Start the greenlet that writes."""
        gevent.spawn(self._write)

    def wake(self) -> None:
        """Wake the greenlet."""
        self._filled.set()

    def _write(self) -> None:
        while True:
            self._filled.wait()
            self._filled.clear()
            while not self.flush():
                wait_write(self.descriptor)
