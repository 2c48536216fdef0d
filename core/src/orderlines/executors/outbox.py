"""Messages to the driver, many in one write, from the thread that calls share and from native threads."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from orderlines.executors.childside import DISCONNECTED, Guard

if TYPE_CHECKING:
    from orderlines.executors.natives import Natives


class Outbox(ABC):
    """Collects frames; what one turn of the shared thread has brought is written at once.

    :param descriptor: the stream socket, non-blocking.
    """

    def __init__(self, descriptor: int, natives: Natives) -> None:
        self.descriptor = descriptor
        self._guard = Guard(descriptor)
        self._buffer = bytearray()
        # Held while writing, which never waits: a native thread must not write into the middle of a frame.
        self._lock = natives.allocate_lock()
        self._get_ident = natives.get_ident
        self._shared_thread = natives.get_ident()

    @abstractmethod
    def wake(self) -> None:
        """Have :meth:`flush` called soon, until all has gone; called in the shared thread."""

    def push(self, data: bytes) -> None:
        """Take a frame; never blocks. Ends the process where it is a fork of the one that serves."""
        self._guard.check()
        with self._lock:
            self._buffer += data
        if self._get_ident() == self._shared_thread:
            self.wake()
        else:
            self.flush()

    def push_now(self, data: bytes) -> None:
        """Take a frame and write it at once: the next turn of the shared thread may never come."""
        self.push(data)
        self.flush()

    def flush(self) -> bool:
        """Write what the socket takes now; return whether all has gone."""
        self._guard.check()
        with self._lock:
            while self._buffer:
                try:
                    with memoryview(self._buffer) as whole, whole[:262_144] as piece:
                        written = os.write(self.descriptor, piece)
                except BlockingIOError:
                    return False
                except OSError:
                    os._exit(DISCONNECTED)
                del self._buffer[:written]
        return True

    def disarm(self) -> None:
        """Let go of the socket, in a fork: what is read there would be missing here. The number stays taken."""
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, self.descriptor)
        os.close(nothing)
