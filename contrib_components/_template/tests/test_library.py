"""The library as the engine sees it: found, checked and called."""

from __future__ import annotations

from typing import Any

import pytest

from orderlines.components.invoke import invoke
from orderlines.plugins import registry


class Call:
    """The part of a call's context that these components use."""

    def __init__(self, stop_after: int) -> None:
        self.stop_after = stop_after
        self.seen: list[float] = []

    @property
    def stopping(self) -> bool:
        return len(self.seen) >= self.stop_after

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        self.seen.append(done)


def test_it_is_found() -> None:
    plugin = next(plugin for plugin in registry().plugins() if plugin.distribution == "orderlines-template")
    assert (plugin.status, plugin.error, plugin.provides) == ("ok", None, {"components": ["template"]})


def test_greet() -> None:
    component = registry().component("template", "greet")
    assert invoke(component, {"name": "world"}, None).result == '"Hello, world!"'
    assert invoke(component, {"name": 3}, None).message == "the argument 'name' does not fit: expected str, got int"


@pytest.mark.parametrize(("stop_after", "result"), [(9, "3"), (2, "2")])
def test_count(stop_after: int, result: str) -> None:
    context: Any = Call(stop_after)
    assert invoke(registry().component("template", "count"), {"to": 3}, context).result == result
