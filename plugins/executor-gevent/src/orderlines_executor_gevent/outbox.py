"""Messages to the driver, many in one write, from greenlets and from native threads."""

from __future__ import annotations

import os

import gevent
from gevent.event import Event
from gevent.monkey import get_original
from gevent.socket import wait_write

from orderlines.executors.childside import DISCONNECTED, Guard

_native_lock = get_original("_thread", "allocate_lock")
_native_thread = get_original("_thread", "get_ident")


class Outbox:
    """Collects frames; a greenlet writes all that one turn of the hub has brought.

    :param descriptor: the stream socket, non-blocking.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._guard = Guard(descriptor)
        self._buffer = bytearray()
        # Held while writing, which never waits: a native thread must not write into the middle of a frame.
        self._lock = _native_lock()
        self._filled = Event()
        self._hub_thread = _native_thread()

    def start(self) -> None:
        """Start the greenlet that writes."""
        gevent.spawn(self._write)

    def push(self, data: bytes) -> None:
        """Take a frame; never blocks. Ends the process where it is a fork of the one that serves."""
        self._guard.check()
        with self._lock:
            self._buffer += data
        if _native_thread() == self._hub_thread:
            self._filled.set()
        else:
            self.flush()

    def push_now(self, data: bytes) -> None:
        """Take a frame and write it at once: the next turn of the hub may never come."""
        self.push(data)
        self.flush()

    def flush(self) -> bool:
        """Write what the socket takes now; return whether all has gone."""
        self._guard.check()
        with self._lock:
            while self._buffer:
                try:
                    with memoryview(self._buffer) as whole, whole[:262_144] as piece:
                        written = os.write(self._descriptor, piece)
                except BlockingIOError:
                    return False
                except OSError:
                    os._exit(DISCONNECTED)
                del self._buffer[:written]
        return True

    def disarm(self) -> None:
        """Let go of the socket, in a fork: what is read there would be missing here. The number stays taken."""
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, self._descriptor)
        os.close(nothing)

    def _write(self) -> None:
        while True:
            self._filled.wait()
            self._filled.clear()
            while not self.flush():
                wait_write(self._descriptor)
