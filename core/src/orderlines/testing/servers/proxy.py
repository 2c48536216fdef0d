"""A proxy for TCP that can cut connections, hold back what goes through it, and swallow answers."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

_CHUNK = 1 << 16


class Proxy:
    """Stands between clients and a server on the loopback; as a context it listens.

    What a fault is to do is set from the test's thread: each is for the next message of a client that contains some
    bytes, and happens once.

    :param target: the server's port.
    :ivar port: the port to connect to.
    :ivar messages: how often a client has sent something: with clients that wait for each answer, the round trips.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.messages = 0
        self._lock = threading.Lock()
        self._faults: list[tuple[bytes, Callable[[_Pair, bytes], None]]] = []
        self._pairs: list[_Pair] = []
        self._held = threading.Event()
        self._held.set()

    def __enter__(self) -> Self:
        """Listen."""
        threading.Thread(target=self._listen, name="proxy", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Cut everything."""
        self._held.set()
        # Closing alone does not wake the thread that waits for a client.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Cut every connection."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            pair.close()

    def hold(self) -> None:
        """Hold back what clients send, until :meth:`go_on`."""
        self._held.clear()

    def go_on(self) -> None:
        """Let through what was held back, and what comes."""
        self._held.set()

    def cut_before(self, content: bytes) -> None:
        """Cut the connection that is about to send ``content``: the server does not get it."""
        self._plan(content, lambda pair, data: pair.close())

    def swallow_answer(self, content: bytes) -> None:
        """Let ``content`` through to the server, wait for its answer, and cut the connection in place of passing it on.

        The server has done then what it was asked for, and the client cannot know.
        """

        def swallow(pair: _Pair, data: bytes) -> None:
            pair.silent.set()
            pair.server.sendall(data)

        self._plan(content, swallow)

    @property
    def pending(self) -> int:
        """How many faults have not happened yet."""
        return len(self._faults)

    def _plan(self, content: bytes, act: Callable[[_Pair, bytes], None]) -> None:
        with self._lock:
            self._faults.append((content, act))

    def take_fault(self, data: bytes) -> Callable[[_Pair, bytes], None] | None:
        """Return the fault that is planned for a client's message, which counts it."""
        self._held.wait()
        with self._lock:
            self.messages += 1
            for place, (content, act) in enumerate(self._faults):
                if content in data:
                    del self._faults[place]
                    return act
        return None

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = _Pair(self, client, server)
            with self._lock:
                self._pairs.append(pair)
            pair.start()


class _Pair:
    """A client's connection and the one to the server that belongs to it.

    :ivar silent: whether the server's next answer is swallowed, and the connection then cut.
    """

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self.client = client
        self.server = server
        self.silent = threading.Event()

    def start(self) -> None:
        """Begin to pass on."""
        for work in (self._forward, self._back):
            threading.Thread(target=work, name="proxy", daemon=True).start()

    def close(self) -> None:
        """Cut it."""
        for each in (self.client, self.server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _forward(self) -> None:
        with suppress(OSError):
            while data := self.client.recv(_CHUNK):
                act = self._proxy.take_fault(data)
                if act is None:
                    self.server.sendall(data)
                else:
                    act(self, data)
        self.close()

    def _back(self) -> None:
        with suppress(OSError):
            while data := self.server.recv(_CHUNK):
                if self.silent.is_set():
                    break
                self.client.sendall(data)
        self.close()
