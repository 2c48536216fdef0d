from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self
from uuid import uuid4

import pytest

import orderlines
from orderlines.plugins import registry
from orderlines.testing.servers.redis import RedisServer
from orderlines_store_redis.store import RedisStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from orderlines.flow.model import Flow

PLUGIN = """\
from orderlines.plugins import *
ORDERLINES_API = 1

@hookimpl
def orderlines_components():
    return [ComponentsPlugin("acts", "redis_acts.library")]
"""
LIBRARY = """\
import os, time

def note(log: str, text: str) -> str:
    with open(log, "a") as file:
        file.write(text + "\\n")
    return text

def shaky(log: str, text: str, context) -> str:
    if context.attempt == 1:
        raise ValueError("not yet")
    return note(log, text)

def wait(log: str, text: str, path: str) -> str:
    print(text)
    note(log, text)
    while not os.path.exists(path):
        time.sleep(0.002)
    return text
"""


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis of our own, for all tests that do not harm it."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def frail(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis for one test that harms it; it keeps all that it acknowledges."""
    with RedisServer(tmp_path / "frail", appendonly=True) as server:
        yield server


@pytest.fixture
def url(redis: RedisServer) -> str:
    """The URL of an empty store."""
    return f"{redis.url}?prefix=test-{uuid4().hex}"


@pytest.fixture
def store(url: str) -> Iterator[RedisStore]:
    store = RedisStore(url)
    yield store
    store.close()


class Acts:
    """Flows whose calls take note of themselves in a file.

    :param folder: where flows and notes are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"

    def node(self, name: str, more: str = "", *, call: str = "note", text: str = "") -> str:
        """Return a node that notes its name, or ``text``."""
        given = f"{{log: {self.log}, text: '{text or name}'{', path: ' + str(self.gate) if call == 'wait' else ''}}}"
        return f"{{id: {name}, call: acts.{call}, with: {given}{more}}}"

    @property
    def gate(self) -> Path:
        """What a call of ``wait`` waits for."""
        return self.folder / "gate"

    def flow(self, line: str, name: str = "f") -> Flow:
        """Return a flow of nodes."""
        path = self.folder / "flow.yaml"
        path.write_text(f"flow: {name}\nvars: {{items: []}}\nline: {line}\n", encoding="utf-8")
        return orderlines.load(path)

    def noted(self) -> list[str]:
        """Return what calls have noted."""
        return self.log.read_text(encoding="utf-8").split() if self.log.exists() else []


@pytest.fixture
def acts(
    install: Callable[[str, Mapping[str, str]], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Acts]:
    """Components that take note of their calls, here and in processes that a test starts."""
    site = str(install("redis_acts", {"plugin": PLUGIN, "library": LIBRARY}))
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", site, prepend=os.pathsep)
    registry.cache_clear()
    yield Acts(tmp_path)
    registry.cache_clear()


class Lossy:
    """A way to a server that loses one answer: what was asked is done, and the connection is gone.

    :ivar answers: how many there were.
    """

    def __init__(self, port: int, lose: int) -> None:
        self.answers = 0
        self._lose = lose
        self._server = port
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._ends: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._threads[0].join()
        with self._lock:
            self._lose = 0
            for end in self._ends:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()
        for end in self._ends:
            end.close()

    @property
    def lost(self) -> bool:
        """Whether the answer has been lost."""
        return 0 < self._lose <= self.answers

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(("127.0.0.1", self._server))
                with self._lock:
                    self._ends += (near, far)
                for one, other, counted in ((near, far, False), (far, near, True)):
                    thread = threading.Thread(target=self._pass_on, args=(one, other, counted))
                    self._threads.append(thread)
                    thread.start()

    def _pass_on(self, one: socket.socket, other: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                if counted and self._loses():
                    break
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _loses(self) -> bool:
        with self._lock:
            self.answers += 1
            return self.answers == self._lose


@pytest.fixture
def lossy() -> type[Lossy]:
    return Lossy
