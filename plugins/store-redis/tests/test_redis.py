from __future__ import annotations

from orderlines.testing.results import ResultStoreTests
from orderlines.testing.stores import StoreTests
from orderlines_store_redis.results import RedisResults
from orderlines_store_redis.store import RedisStore

UNREACHABLE = "redis://user:secret@127.0.0.1:1/0"


class TestRedis(StoreTests):
    kind = RedisStore
    unreachable = UNREACHABLE


class TestRedisResults(ResultStoreTests):
    kind = RedisResults
    unreachable = UNREACHABLE
