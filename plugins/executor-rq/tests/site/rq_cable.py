"""A cable between clients and a server: it can be cut, pulled out for a while, and lose an answer."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Cable:
    """Passes on what comes on :attr:`port`, until it is told otherwise.

    :ivar swallowed: how many answers were lost on order.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.swallowed = 0
        self._out = False
        self._swallow = b""
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def cut(self) -> None:
        """Cut every connection."""
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def pull(self) -> None:
        """Cut every connection, and each new one, until :meth:`plug`."""
        self._out = True
        self.cut()

    def plug(self) -> None:
        """Let connections be made again."""
        self._out = False

    def swallow(self, content: bytes) -> None:
        """Pass on the next message with some content, and cut the connection in place of passing on its answer."""
        self._swallow = content

    def close(self) -> None:
        """Take no more connections."""
        self._out = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                if self._listener.fileno() < 0:
                    return
                continue
            if self._out:
                client.close()
                server.close()
                continue
            self._ends += [client, server]
            silent = threading.Event()
            for work in (self._forward, self._back):
                threading.Thread(target=work, args=(client, server, silent), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if self._swallow and self._swallow in data:
                    self._swallow = b""
                    silent.set()
                server.sendall(data)
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)

    def _back(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if silent.is_set():
                    self.swallowed += 1
                    break
                client.sendall(data)
        for end in (client, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
