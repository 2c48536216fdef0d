"""A chain on a private MariaDB server that flushes its log at each commit."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import orderlines
from benchmarks import flows
from benchmarks.measure import Side, Unfit
from benchmarks.taking import timed
from benchmarks.workload import MICROSECONDS, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.workload import Setting
    from orderlines.testing.servers.mariadb import MariaDB

CHAIN = 1_000
_TABLES = (
    """CREATE TABLE l (id BIGINT AUTO_INCREMENT PRIMARY KEY, status VARCHAR(16), cur INT, seq BIGINT, epoch BIGINT,
        halt INT, attempt INT, began DOUBLE, executor LONGTEXT) ENGINE=InnoDB""",
    """CREATE TABLE t (line BIGINT, ordinal INT, node LONGTEXT, status VARCHAR(16), started DOUBLE, finished DOUBLE,
        result LONGTEXT, assigned LONGTEXT, PRIMARY KEY (line, ordinal)) ENGINE=InnoDB""",
)
_ADVANCE = (
    "UPDATE l SET seq = seq + 1, status = 'CALL', cur = %s, attempt = 1, began = %s, executor = 'inline'"
    " WHERE id = %s AND epoch = 1 AND seq = %s AND halt <= 0"
)
_TASK = "INSERT INTO t VALUES (%s, %s, %s, 'SUCCESS', %s, %s, %s, %s)"


@contextmanager
def chain(setting: Setting) -> Iterator[list[Side]]:
    """Open a chain on MariaDB, and its steps by hand."""
    from orderlines.testing.servers.mariadb import MariaDB  # noqa: PLC0415 -- only where it is measured

    count = setting.count(CHAIN)
    flow = orderlines.load(flows.write(setting.folder, flows.chain(count)))
    with (
        MariaDB(setting.folder / "server", safe=True) as server,
        orderlines.Engine(server.new_database()) as engine,
        closing(_by_hand(server)) as hand,
    ):

        def run() -> None:
            started = engine.start(flow)
            if started.wait() != "SUCCESS":
                raise Unfit(f"flow {flow.name}: {started.error}")

        yield [
            Side("floor", lambda: timed(lambda: _steps(hand, count)) / count),
            Side("orderlines", lambda: timed(run) / count),
        ]


def _by_hand(server: MariaDB) -> Any:
    import pymysql  # noqa: PLC0415 -- only where it is measured

    from orderlines_store_mysql.address import Address  # noqa: PLC0415 -- as above

    connection = pymysql.connect(**Address(server.new_database()).connect_arguments())
    with connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(table)
    return connection


def _steps(connection: Any, count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO l VALUES (NULL, 'READY', 0, 0, 1, 0, 0, NULL, NULL)")
        line = cursor.lastrowid
        connection.commit()
        for number in range(count):
            now = time.time()
            cursor.execute(_ADVANCE, (number, now, line, number))
            cursor.execute(_TASK, (line, number, f"n{number}", now, now, str(number), f'{{"total": {number}}}'))
            connection.commit()


WORKLOADS = (
    Workload(
        "W11", f"chain of {CHAIN:,} nodes on MariaDB, each adds 1; a step",
        MICROSECONDS, "MariaDB, innodb_flush_log_at_trx_commit=1",
        "an UPDATE, an INSERT and a COMMIT a step with PyMySQL, three round trips", chain,
    ),
)  # fmt: skip
