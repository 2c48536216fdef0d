from __future__ import annotations

from importlib.metadata import entry_points

from orderlines.plugins import API, StorePlugin
from orderlines_store_mysql import plugin
from orderlines_store_mysql.results import MySQLResults
from orderlines_store_mysql.store import MySQLStore


def test_orderlines_stores_describes_the_store() -> None:
    [offered] = plugin.orderlines_stores()
    store, results = (f"{kind.__module__}:{kind.__qualname__}" for kind in (MySQLStore, MySQLResults))
    assert offered == StorePlugin(MySQLStore.scheme, store, results)
    assert MySQLResults.scheme == MySQLStore.scheme


def test_it_is_found_by_its_entry_point() -> None:
    [found] = entry_points(group="orderlines", name="store-mysql")
    assert found.load() is plugin
    assert plugin.ORDERLINES_API == API
