"""What this distribution offers to orderlines."""

from __future__ import annotations

from orderlines.plugins import StorePlugin, hookimpl

ORDERLINES_API = 1


@hookimpl
def orderlines_stores() -> list[StorePlugin]:
    """Return the store ``mysql``."""
    return [
        StorePlugin("mysql", "orderlines_store_mysql.store:MySQLStore", "orderlines_store_mysql.results:MySQLResults")
    ]
