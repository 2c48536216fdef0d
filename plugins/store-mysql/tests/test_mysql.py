from __future__ import annotations

from typing import Any

import pytest

from orderlines.testing.stores import StoreTests
from orderlines_store_mysql.store import MySQLStore


class TestMySQL(StoreTests):
    kind = MySQLStore
    unreachable = "mysql://tester:secret@127.0.0.1:1/nowhere"
    admin: Any

    @pytest.fixture(autouse=True)
    def _take_admin(self, admin: Any) -> None:
        self.admin = admin

    def empty(self, url: str) -> None:
        self.admin.make(url)

    def discard(self, url: str) -> None:
        self.admin.drop(url)
