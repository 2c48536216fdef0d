"""What the tests of reading and validating share: a registry with a small library and two executors that can kill."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from orderlines.components.base import component
from orderlines.errors import InvalidFlow
from orderlines.flow.load import load_text
from orderlines.plugins import ExecutorPlugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.errors import Problem
    from orderlines.flow.load import Loaded
    from orderlines.plugins import Registry

LIBRARY = "orderlines_reading_library"


def add(a: int, b: int) -> int:
    return a + b


def echo(value: object) -> object:
    return value


@component(cooperative=True)
def fetch(url: str, tries: int = 1) -> dict[str, object]:
    return {"url": url, "tries": tries}


async def ask(url: str) -> str:
    return url


def report(node: str, message: str) -> None:
    """Take what an ``on_failure`` gives."""


@pytest.fixture(scope="session", autouse=True)
def _library(make_module: Callable[..., None]) -> None:
    make_module(LIBRARY, add, ask, echo, fetch, report)


@pytest.fixture(scope="session")
def registry(registry_of: Callable[..., Registry]) -> Registry:
    """Return a registry whose executors ``process`` and ``gevent`` can end a call, and ``far`` takes whole lines."""
    return registry_of(
        LIBRARY,
        ExecutorPlugin("process", f"{LIBRARY}:none", "call", "kill", "process"),
        ExecutorPlugin("gevent", f"{LIBRARY}:none", "call", "kill", "process", "functions"),
        ExecutorPlugin("far", f"{LIBRARY}:none", "line", "kill", "remote"),
    )


@pytest.fixture(scope="session")
def bare(registry_of: Callable[..., Registry]) -> Registry:
    """Return a registry with core's own executors only."""
    return registry_of(LIBRARY)


@pytest.fixture(scope="session")
def load(registry: Registry) -> Callable[..., Loaded]:
    """Load a flow from text, whose indentation does not matter."""

    def run(text: str, file: str = "flow.yaml", executor: str | None = None) -> Loaded:
        return load_text(dedent(text), registry, executor, file=file)

    return run


@pytest.fixture(scope="session")
def problems(load: Callable[..., Loaded]) -> Callable[..., list[Problem]]:
    """Load a flow that must be refused, and return its problems without the warnings."""

    def run(text: str, file: str = "flow.yaml") -> list[Problem]:
        with pytest.raises(InvalidFlow) as caught:
            load(text, file)
        return [problem for problem in caught.value.problems if not problem.warning]

    return run


@pytest.fixture(scope="session")
def mistake(problems: Callable[..., list[Problem]]) -> Callable[[str, str, str], Problem]:
    """Load a flow that must be refused, and return the one problem at a place that says something."""

    def run(text: str, path: str, said: str) -> Problem:
        found = problems(text)
        mine = [problem for problem in found if problem.path == path and said in f"{problem.reason} {problem.hint}"]
        assert len(mine) == 1, found
        return mine[0]

    return run
