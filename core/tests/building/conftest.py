"""What the tests of the builder share: a registry with a small library, and a module with functions of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines import component
from orderlines.plugins import ExecutorPlugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.plugins import Registry

LIBRARY = "orderlines_building_library"
OWN = "orderlines_building_own"


def add(a: int, b: int) -> int:
    return a + b


def echo(value: object) -> object:
    return value


@component(cooperative=True)
def mine(value: int) -> int:
    return value + 1


def plain(value: int) -> int:
    return value


@pytest.fixture(scope="session", autouse=True)
def _modules(make_module: Callable[..., None]) -> None:
    make_module(LIBRARY, add, echo)
    make_module(OWN, mine, plain)


@pytest.fixture(scope="session")
def registry(registry_of: Callable[..., Registry]) -> Registry:
    return registry_of(LIBRARY, ExecutorPlugin("process", f"{LIBRARY}:none", "call", "kill", "process"))
