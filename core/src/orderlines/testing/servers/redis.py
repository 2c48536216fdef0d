"""A private Redis, spoken to without a library: whoever needs a server may have none installed."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote
from uuid import uuid4

from orderlines.testing.servers.base import Server
from orderlines.testing.servers.certificates import Certificate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PATIENCE = 5.0
"""Seconds for one answer."""


class RedisServer(Server):
    """A Redis on the loopback, and on the socket ``redis.sock`` in its folder.

    :param appendonly: whether it keeps what it acknowledged when it is killed: each write is flushed before its answer.
    :param maxmemory: as in its configuration: ``20mb``; "" for no limit. What is over it is refused, never evicted.
    :param password: the default user's; "" for none.
    :param settings: further lines of its configuration, by name.
    """

    programs: ClassVar[tuple[str, ...]] = ("redis-server", "valkey-server")
    package: ClassVar[str] = "redis-server"

    def __init__(
        self,
        folder: Path,
        *,
        appendonly: bool = False,
        maxmemory: str = "",
        password: str = "",
        settings: dict[str, str] | None = None,
    ) -> None:
        super().__init__(folder)
        self.password = password
        self._settings = {"save": '""', "appendonly": "no", "maxmemory-policy": "noeviction"}
        if appendonly:
            self._settings |= {"appendonly": "yes", "appendfsync": "always"}
        if maxmemory:
            self._settings["maxmemory"] = maxmemory
        if password:
            self._settings["requirepass"] = f'"{password}"'
        self._settings |= settings or {}

    @property
    def url(self) -> str:
        """The URL of its first database."""
        return self.database(0)

    @property
    def socket(self) -> Path:
        """The path of its Unix socket."""
        return self.folder / "redis.sock"

    @property
    def place(self) -> str:
        user = f":{quote(self.password, safe='')}@" if self.password else ""
        return f"{user}127.0.0.1:{self.port}"

    def database(self, number: int) -> str:
        """Return the URL of one of its databases; there are 16."""
        return f"redis://{self.place}/{number}"

    def new_database(self) -> str:
        """Return the URL of an empty store: nobody else has its prefix."""
        return f"{self.url}?prefix=test_{uuid4().hex}"

    def prepare(self, program: str) -> None:
        """Write its configuration, which holds the password: a command line could be read by others."""
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "unixsocket": f'"{self.socket}"',
            "dir": f'"{self.folder}"',
            **self._settings,
        }
        path = self.folder / "redis.conf"
        path.touch(mode=0o600)
        path.write_text("".join(f"{name} {value}\n" for name, value in settings.items()), encoding="utf-8")

    def command(self, program: str) -> Sequence[str]:
        """Return the command that starts it in the foreground."""
        return [program, str(self.folder / "redis.conf")]

    def answers(self) -> bool:
        """Return whether it answers, having read what it kept."""
        try:
            return self.ask("PING") == "PONG"
        except (OSError, RuntimeError):
            return False

    def ask(self, *command: str) -> str:
        """Run a command whose answer is one line: a status, a number, or a text; return it.

        :raises RuntimeError: it answers with an error.
        :raises OSError: it does not answer.
        """
        commands = [["AUTH", self.password], command] if self.password else [command]
        answer = ""
        address = ("127.0.0.1", self.port)
        with socket.create_connection(address, PATIENCE) as connection, connection.makefile("rwb") as stream:
            for words in commands:
                stream.write(_packed(words))
                stream.flush()
                answer = _answer(stream.readline())
                if answer.startswith("$"):
                    answer = "" if answer == "$-1" else stream.readline().decode().rstrip("\r\n")
        return answer


class SecureRedis(RedisServer):
    """A Redis that speaks nothing but TLS, with a certificate for ``localhost`` that it has signed itself.

    :cvar clients: whether they need a certificate: its own is the one that it trusts.
    """

    clients: ClassVar[bool] = False

    @property
    def certificate(self) -> Path:
        """The file with it, as who is to trust it names it."""
        return Certificate.in_folder(self.folder).path

    def prepare(self, program: str) -> None:
        certificate = Certificate.in_folder(self.folder)
        certificate.make()
        self._settings |= {
            "port": "0",
            "tls-port": str(self.port),
            "tls-cert-file": str(certificate.path),
            "tls-key-file": str(certificate.key),
            "tls-ca-cert-file": str(certificate.path),
            "tls-auth-clients": "yes" if self.clients else "no",
        }
        super().prepare(program)

    def answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
            return True
        return False


class ExclusiveRedis(SecureRedis):
    """One that lets nobody in without a certificate, as Redis does where nothing else is said."""

    clients = True

    @property
    def key(self) -> Path:
        """The file with the key of the certificate."""
        return Certificate.in_folder(self.folder).key


def _packed(words: Sequence[str]) -> bytes:
    encoded = [word.encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)


def _answer(line: bytes) -> str:
    text = line.decode().rstrip("\r\n")
    if not text:
        raise ConnectionResetError("the server has closed the connection")
    if text.startswith("-"):
        raise RuntimeError(text[1:])
    return text if text.startswith("$") else text[1:]
