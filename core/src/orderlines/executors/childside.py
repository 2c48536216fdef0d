"""The child's end of its socket to the driver, for children that run one call at a time."""

from __future__ import annotations

import os
import socket
from threading import Lock
from typing import TYPE_CHECKING

from orderlines.processes.frames import Decoder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.processes.frames import Frame

DISCONNECTED = 71
"""Exit code of a child that has lost its socket."""


class Guard:
    """Knows the socket again: components close descriptors, open others under the same number, and fork.

    :param descriptor: the socket.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._inode = os.fstat(descriptor).st_ino
        self._pid = os.getpid()

    def check(self) -> None:
        """End this process where writing would do harm: in a fork that left its component, or without the socket."""
        if os.getpid() != self._pid:
            os._exit(0)
        try:
            same = os.fstat(self._descriptor).st_ino == self._inode
        except OSError:
            same = False
        if not same:
            os._exit(DISCONNECTED)


class Channel:
    """Blocking messages to and from the driver.

    :param descriptor: the stream socket.
    """

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._guard = Guard(descriptor)
        self._lock = Lock()

    def send(self, data: bytes) -> None:
        """Send a frame; ends the process where that is impossible."""
        self._guard.check()
        try:
            with self._lock:
                self._socket.sendall(data)
        except OSError:
            os._exit(DISCONNECTED)

    def frames(self) -> Iterator[Frame]:
        """Yield messages until the driver closes its end."""
        decoder = Decoder()
        while data := self._receive():
            yield from decoder.feed(data)

    def _receive(self) -> bytes:
        self._guard.check()
        try:
            return self._socket.recv(262_144)
        except ConnectionResetError:
            return b""
