"""What makes libraries and plugins of the tests' own functions."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from orderlines.plugins import ComponentsPlugin, Registry, hookimpl
from orderlines.plugins.manager import given

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.plugins import ExecutorPlugin


@pytest.fixture(scope="session")
def make_module() -> Iterator[Callable[..., None]]:
    """Make a module of functions, which can be imported until the tests have ended."""
    made: list[str] = []

    def make(name: str, *functions: Callable[..., object]) -> None:
        module = ModuleType(name)
        for function in functions:
            function.__module__ = name
            setattr(module, function.__name__, function)
        sys.modules[name] = module
        made.append(name)

    yield make
    for name in made:
        del sys.modules[name]


@pytest.fixture(scope="session")
def registry_of() -> Callable[..., Registry]:
    """Make a registry of core and one plugin, which offers a module as the library ``lib``, and executors."""

    def make(module: str, *executors: ExecutorPlugin) -> Registry:
        plugin = ModuleType("orderlines_tests_plugin")

        @hookimpl
        def orderlines_components() -> list[ComponentsPlugin]:
            return [ComponentsPlugin("lib", module)]

        @hookimpl
        def orderlines_executors() -> list[ExecutorPlugin]:
            return list(executors)

        plugin.ORDERLINES_API = 1  # type: ignore[attr-defined]
        plugin.orderlines_components = orderlines_components  # type: ignore[attr-defined]
        plugin.orderlines_executors = orderlines_executors  # type: ignore[attr-defined]
        return Registry(given({"tests": plugin}))

    return make
