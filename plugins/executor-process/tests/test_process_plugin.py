from __future__ import annotations

from importlib.metadata import entry_points

from orderlines.plugins import API, ExecutorPlugin
from orderlines_executor_process import plugin
from orderlines_executor_process.executor import ProcessExecutor


def test_orderlines_executors_describes_the_executor() -> None:
    [offered] = plugin.orderlines_executors()
    target = f"{ProcessExecutor.__module__}:{ProcessExecutor.__qualname__}"
    expected = ExecutorPlugin(
        ProcessExecutor.name, target, ProcessExecutor.unit, ProcessExecutor.interrupt, ProcessExecutor.isolation
    )
    assert offered == expected


def test_it_is_found_by_its_entry_point() -> None:
    [found] = entry_points(group="orderlines", name="executor-process")
    assert found.load() is plugin
    assert plugin.ORDERLINES_API == API
