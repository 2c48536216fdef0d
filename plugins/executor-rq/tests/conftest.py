"""A private Redis, and workers that are processes."""

from __future__ import annotations

from contextlib import ExitStack, closing
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from rq_cable import Cable
from rq_plant import CLUMSY, KEY, PLUGIN, Plant
from rq_posts import Post

from orderlines.plugins import registry
from orderlines.testing.servers.redis import RedisServer
from orderlines_executor_rq.connection import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from redis import Redis


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as started:
        yield started


@pytest.fixture
def redis(server: RedisServer) -> Iterator[Redis]:
    client = connect(server.url)
    yield client
    client.close()


@pytest.fixture
def cable(server: RedisServer) -> Iterator[Cable]:
    """A cable to the server."""
    made = Cable(server.port)
    yield made
    made.close()


@pytest.fixture
def post_at(tmp_path: Path) -> Iterator[Callable[[str], Post]]:
    """Make workers of the Redis at some URL; all of them share their files."""
    made: list[Post] = []

    def make(url: str) -> Post:
        made.append(Post(tmp_path, url))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def post(server: RedisServer, post_at: Callable[[str], Post]) -> Post:
    return post_at(server.url)


_OTHERS = {"redis": "orderlines_store_redis", "mariadb": "orderlines_store_mysql"}
STORES = ("sqlite", *(name for name, package in _OTHERS.items() if find_spec(package)))
"""The stores that flows are run on by workers: the one of core, and those that are installed as well."""


@pytest.fixture(params=STORES)
def store_url(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    server_of_store: Callable[[], str],
    private_server: Callable[[str], Any],
) -> str:
    """Return the URL of an empty store of some kind; another kind is another entry here."""
    urls: dict[str, Callable[[], str]] = {
        "sqlite": lambda: f"sqlite:///{tmp_path}/runs.db",
        "redis": server_of_store,
        "mariadb": lambda: private_server("mariadb").new_database(),
    }
    return urls[request.param]()


@pytest.fixture
def server_of_store(tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Start a Redis for the store when it is asked for: the one of the queue is emptied and killed."""
    with ExitStack() as started:
        yield lambda: started.enter_context(RedisServer(tmp_path / "store")).url


@pytest.fixture
def plant_at(
    tmp_path: Path,
    server: RedisServer,
    install: Callable[[str, dict[str, str]], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., Plant]]:
    """Make a plant whose Redis is the server and whose store is at some URL."""
    site = install("planted", {"plugin": PLUGIN, "clumsy": CLUMSY})
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("ORDERLINES_SIGNING_KEY", KEY)
    monkeypatch.delenv("ORDERLINES_EXECUTOR", raising=False)
    registry.cache_clear()
    with ExitStack() as made:
        yield lambda url, reached=None: made.enter_context(closing(Plant(tmp_path, url, server.url, site, reached)))
    registry.cache_clear()


@pytest.fixture
def plant(plant_at: Callable[..., Plant], store_url: str) -> Plant:
    return plant_at(store_url)
