from __future__ import annotations

import itertools
import sys
from textwrap import dedent
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from orderlines.components.library import load_component

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.components.base import Component

_numbers = itertools.count()


@pytest.fixture
def library() -> Iterator[Callable[[str], str]]:
    """Make a module from source; return its name, which is its import string."""
    made: list[str] = []

    def make(source: str) -> str:
        name = f"a_library_{next(_numbers)}"
        module = ModuleType(name)
        sys.modules[name] = module
        made.append(name)
        exec(dedent(source), vars(module))  # noqa: S102 -- the test's own source
        return name

    yield make
    for name in made:
        del sys.modules[name]


@pytest.fixture
def load(library: Callable[[str], str]) -> Callable[..., Component]:
    """Load the component ``run`` from a module's source."""

    def make(source: str, name: str = "run") -> Component:
        return load_component("lib", name, library(source))

    return make
