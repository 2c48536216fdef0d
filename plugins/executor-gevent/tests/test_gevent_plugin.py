from __future__ import annotations

from importlib.metadata import entry_points

from orderlines.plugins import API, ExecutorPlugin
from orderlines_executor_gevent import plugin
from orderlines_executor_gevent.executor import GeventExecutor


def test_orderlines_executors_describes_the_executor() -> None:
    [offered] = plugin.orderlines_executors()
    target = f"{GeventExecutor.__module__}:{GeventExecutor.__qualname__}"
    expected = ExecutorPlugin(
        GeventExecutor.name,
        target,
        GeventExecutor.unit,
        GeventExecutor.interrupt,
        GeventExecutor.isolation,
        GeventExecutor.runs,
    )
    assert offered == expected


def test_it_is_found_by_its_entry_point() -> None:
    [found] = entry_points(group="orderlines", name="executor-gevent")
    assert found.load() is plugin
    assert plugin.ORDERLINES_API == API
