from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines.errors import PluginError
from orderlines.flow.model import Handler, Node
from orderlines.flow.placement import PlacementError, resolve, resolve_handler

if TYPE_CHECKING:
    from orderlines.plugins import Registry


@pytest.mark.parametrize(
    ("component", "timeout", "own", "enclosing", "flow", "run", "placed"),
    [
        ("echo", None, None, None, None, None, "inline"),
        ("echo", None, None, None, "thread", None, "thread"),
        ("echo", None, None, None, "thread", "gevent", "gevent"),
        ("echo", None, None, "process", "thread", "gevent", "process"),
        ("echo", None, "thread", "process", None, "gevent", "thread"),
        ("echo", None, None, None, "far", None, "inline"),
        ("echo", 1, None, None, None, None, "process"),
        ("fetch", 1, None, None, None, None, "gevent"),
        ("echo", 1, None, None, "inline", None, "process"),
        ("echo", 1, None, None, "gevent", None, "gevent"),
        ("fetch", 1, None, None, "process", None, "process"),
        ("fetch", 1, None, None, "process", "far", "gevent"),
        ("echo", 1, "gevent", None, None, None, "gevent"),
        ("echo", None, None, None, "asyncio", None, "inline"),
        ("echo", 1, None, None, "asyncio", None, "process"),
        ("ask", None, None, None, None, None, "asyncio"),
        ("ask", 1, None, None, None, None, "asyncio"),
        ("ask", None, None, None, "gevent", None, "asyncio"),
        ("ask", None, None, None, None, "far", "asyncio"),
        ("ask", None, None, None, "process", None, "process"),
        ("ask", None, None, None, None, "inline", "inline"),
        ("ask", 1, None, None, "inline", None, "asyncio"),
        ("ask", None, "thread", None, None, None, "thread"),
        ("ask", 1, "process", None, None, None, "process"),
        ("echo", None, "far", None, "thread", None, "inline"),
        ("echo", 1, None, "far", None, None, "process"),
    ],
)
def test_where_a_call_runs(
    registry: Registry, component: str, timeout: float | None, own: str | None, enclosing: str | None,
    flow: str | None, run: str | None, placed: str,
) -> None:  # fmt: skip
    node = Node("a", "common", (), {}, timeout=timeout, executor=own)
    assert resolve(node, enclosing, flow, run, registry.component("lib", component), registry) == placed
    if own is None and enclosing is None:
        handler = Handler("lib", component, {}, timeout, ())
        assert resolve_handler(handler, flow, run, registry.component("lib", component), registry) == placed


def test_what_cannot_be_placed(registry: Registry, bare: Registry) -> None:
    echo = registry.component("lib", "echo")
    timed = Node("a", "common", (), {}, timeout=1)
    with pytest.raises(PlacementError, match=r"'thread' cannot .*use executor: process or gevent"):
        resolve(timed, "thread", None, None, echo, registry)
    with pytest.raises(PlacementError, match="orderlines-executor-process"):
        resolve(timed, None, None, None, echo, bare)
    with pytest.raises(PlacementError, match=r"lib.echo is a plain function, .*use executor: inline or process or "):
        resolve(timed, "asyncio", None, None, echo, registry)
    ask = registry.component("lib", "ask")
    with pytest.raises(PlacementError, match=r"lib.ask is a coroutine function, .*'gevent'.*use executor: asyncio or "):
        resolve(timed, "gevent", None, None, ask, registry)
    with pytest.raises(PlacementError, match=r"'inline' cannot end .*use executor: asyncio or process"):
        resolve(timed, "inline", None, None, ask, registry)
    with pytest.raises(PluginError, match="warp"):
        resolve(timed, "warp", None, None, echo, registry)
