"""A pytest plugin: which stores the conformance suite runs against.

The ``conftest.py`` at the root names it: ``pytest_plugins = ["orderlines.testing.backends"]``. It reads ``setup.cfg``
in pytest's root folder::

    [orderlines_testing]
    default = sqlite

    [backends]
    sqlite = sqlite:///{folder}/orderlines.db
    mysql = mysql://tester@127.0.0.1/orderlines_test
    mariadb = mysql://{mariadb}/{database}

In a URL ``{folder}`` is a new folder and ``{database}`` a new name for each empty store, and ``{mariadb}`` the place of
a private server, with its user, which is started for the tests that use it and ends with them.

``--private-server mariadb=orderlines.testing.servers.mysql:MySQL`` has another server stand in for one of these.

A class of tests with a ``url`` of its own runs against that. Any other runs once for each chosen back end of its
store's scheme: the default ones, those of ``--backend ALIAS`` (again for each further one), or ``--store-url URL``.
"""

from __future__ import annotations

from configparser import RawConfigParser
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from orderlines.testing.servers import Server

BACKENDS = pytest.StashKey[dict[str, str]]()
SERVERS = {
    "mariadb": "orderlines.testing.servers.mariadb:MariaDB",
    "redis": "orderlines.testing.servers.redis:RedisServer",
}
"""The private servers that a URL may ask for."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("orderlines")
    group.addoption(
        "--backend", action="append", metavar="ALIAS", help="a back end of setup.cfg to test stores on (repeatable)"
    )
    group.addoption(
        "--private-server",
        action="append",
        default=[],
        metavar="NAME=CLASS",
        help="a private server of another class for the URLs that ask for NAME (repeatable)",
    )
    group.addoption("--store-url", metavar="URL", help="test stores on this URL; {folder} is a new folder in it")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the back ends, and complain of wrong ones before anything runs."""
    config.stash[BACKENDS] = chosen(config.rootpath, config.option.backend, config.option.store_url)


def chosen(root: Path, aliases: list[str] | None, url: str | None) -> dict[str, str]:
    """Return the URLs of the chosen back ends, by alias.

    :raises pytest.UsageError: there is no such alias.
    """
    if url is not None:
        return {url.partition(":")[0]: url}
    parser = RawConfigParser()
    parser.read(root / "setup.cfg", encoding="utf-8")
    known = dict(parser.items("backends")) if parser.has_section("backends") else {}
    default = parser.get("orderlines_testing", "default", fallback="")
    wanted = aliases or [alias.strip() for alias in default.split(",") if alias.strip()]
    for alias in wanted:
        if alias not in known:
            names = ", ".join(sorted(known)) or "none"
            raise pytest.UsageError(f"{root / 'setup.cfg'}: no back end {alias!r} under [backends]; there are: {names}")
    return {alias: known[alias] for alias in wanted}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each class of store tests its back ends; the one that has none is not collected."""
    if "backend_url" in metafunc.fixturenames:
        backends = dict(_of(metafunc.cls, metafunc.config.stash[BACKENDS]))
        metafunc.parametrize("backend_url", list(backends.values()) or [None], ids=list(backends) or ["none"])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of stores that no chosen back end is for."""
    unwanted = [item for item in items if _without_backend(item)]
    if unwanted:
        config.hook.pytest_deselected(items=unwanted)
        items[:] = [item for item in items if not _without_backend(item)]


@pytest.fixture(scope="session")
def private_server(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Callable[[str], Server]]:
    """Return a private server by its name in a URL: one of each for all tests, started when it is first asked for."""
    classes = SERVERS | dict(given.split("=", 1) for given in pytestconfig.option.private_server)
    with ExitStack() as stack:
        # What does not start is tried once, not by each test anew: that takes a minute where it does not answer.
        @cache
        def start(name: str) -> Server | RuntimeError:
            module, _, kind = classes[name].partition(":")
            made: Server = getattr(import_module(module), kind)(tmp_path_factory.mktemp(name))
            try:
                return stack.enter_context(made)
            except RuntimeError as error:
                return error

        def server(name: str) -> Server:
            started = start(name)
            if isinstance(started, RuntimeError):
                raise started
            return started

        yield server


@pytest.fixture
def placed(tmp_path: Path, private_server: Callable[[str], Server]) -> Callable[[str], str]:
    """Return the URL of a new store, at each call, from one with placeholders."""

    def place(url: str) -> str:
        if "{folder}" in url:
            folder = tmp_path / f"store-{uuid4().hex}"
            folder.mkdir()
            url = url.replace("{folder}", str(folder))
        for name in SERVERS:
            if f"{{{name}}}" in url:
                url = url.replace(f"{{{name}}}", private_server(name).place)
        return url.replace("{database}", f"test_{uuid4().hex}")

    return place


def _of(tests: type | None, backends: dict[str, str]) -> Iterator[tuple[str, str]]:
    url = getattr(tests, "url", "")
    kind = getattr(tests, "kind", None)
    if url:
        yield url.partition(":")[0], url
    elif kind is not None:
        yield from ((alias, url) for alias, url in backends.items() if url.partition(":")[0] == kind.scheme)


def _without_backend(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    return call is not None and call.params.get("backend_url", "") is None
