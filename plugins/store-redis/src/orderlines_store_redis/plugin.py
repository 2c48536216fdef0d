"""What this distribution offers to orderlines."""

from __future__ import annotations

from orderlines.plugins import StorePlugin, hookimpl

ORDERLINES_API = 1
SCHEMES = ("redis", "rediss", "redis+unix", "redis+sentinel", "rediss+sentinel")


@hookimpl
def orderlines_stores() -> list[StorePlugin]:
    """Return the store and its result store, by each scheme of their URLs."""
    store, results = "orderlines_store_redis.store:RedisStore", "orderlines_store_redis.results:RedisResults"
    return [StorePlugin(scheme, store, results) for scheme in SCHEMES]
