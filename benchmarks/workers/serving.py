"""Workers and the servers that they need, for as long as something is measured."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from orderlines.testing.servers.mariadb import MariaDB
from orderlines.testing.servers.redis import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.engine import Engine


class Place(NamedTuple):
    """Where runs are kept, where workers are told of them, and the folder of what was started.

    :ivar redis: the server that has the queue, and the store where that is Redis.
    """

    store: str
    queue: str
    folder: Path
    redis: RedisServer


@contextmanager
def place(store: str) -> Iterator[Place]:
    """Start servers of our own: a Redis, and a MariaDB that flushes its log at each commit where it is asked for.

    :param store: a URL, in which ``{folder}``, ``{redis}`` and ``{mariadb}`` stand for what was started.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        redis = stack.enter_context(RedisServer(folder / "redis", appendonly=False))
        url = store.replace("{folder}", str(folder)).replace("{redis}", f"redis://127.0.0.1:{redis.port}/0")
        if "{mariadb}" in url:
            server = stack.enter_context(MariaDB(folder / "mariadb", safe=True))
            url = url.replace("{mariadb}", server.new_database())
        yield Place(url, redis.database(5), folder, redis)


@contextmanager
def serving(at: Place, count: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start workers, and end them."""
    command = [sys.executable, "-m", "orderlines.cli.main", "worker", "--store", at.store, "--queue", at.queue]
    process = subprocess.Popen([*command, "--count", str(count)], cwd=at.folder, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait()


def await_drivers(engine: Engine, count: int) -> None:
    """Wait until so many drivers are on the books of a store."""
    while len(engine.store.drivers()) < count:
        time.sleep(0.01)
