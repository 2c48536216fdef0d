"""What the tests of reading and validating share: a registry with a small library and two executors that can kill."""

from __future__ import annotations

import sys
from textwrap import dedent
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from orderlines.components.base import component
from orderlines.errors import InvalidFlow
from orderlines.flow.load import load_text
from orderlines.plugins import ComponentsPlugin, ExecutorPlugin, Registry, hookimpl
from orderlines.plugins.manager import given

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.errors import Problem
    from orderlines.flow.load import Loaded

LIBRARY = "orderlines_reading_library"


def add(a: int, b: int) -> int:
    return a + b


def echo(value: object) -> object:
    return value


@component(cooperative=True)
def fetch(url: str, tries: int = 1) -> dict[str, object]:
    return {"url": url, "tries": tries}


def report(node: str, message: str) -> None:
    """Take what an ``on_failure`` gives."""


def library() -> ModuleType:
    module = ModuleType(LIBRARY)
    for function in (add, echo, fetch, report):
        function.__module__ = LIBRARY
        setattr(module, function.__name__, function)
    return module


def plugin(executors: list[ExecutorPlugin]) -> ModuleType:
    module = ModuleType("orderlines_reading_plugin")

    @hookimpl
    def orderlines_components() -> list[ComponentsPlugin]:
        return [ComponentsPlugin("lib", LIBRARY)]

    @hookimpl
    def orderlines_executors() -> list[ExecutorPlugin]:
        return executors

    module.ORDERLINES_API = 1  # type: ignore[attr-defined]
    module.orderlines_components = orderlines_components  # type: ignore[attr-defined]
    module.orderlines_executors = orderlines_executors  # type: ignore[attr-defined]
    return module


@pytest.fixture(scope="session", autouse=True)
def _library() -> Iterator[None]:
    sys.modules[LIBRARY] = library()
    yield
    del sys.modules[LIBRARY]


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Return a registry whose executors ``process`` and ``gevent`` can end a call, and ``far`` takes whole lines."""
    executors = [
        ExecutorPlugin("process", f"{LIBRARY}:none", "call", "kill", "process"),
        ExecutorPlugin("gevent", f"{LIBRARY}:none", "call", "kill", "process"),
        ExecutorPlugin("far", f"{LIBRARY}:none", "line", "kill", "remote"),
    ]
    return Registry(given({"reading-tests": plugin(executors)}))


@pytest.fixture(scope="session")
def bare() -> Registry:
    """Return a registry with core's own executors only."""
    return Registry(given({"reading-tests": plugin([])}))


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
