"""The tables.

Their collation compares texts byte by byte, trailing blanks included; its name is not the same in MySQL and MariaDB. A
text of any length that has to be unique has a digest beside it, since the length of an index's keys is limited.

The tasks of a line lie side by side, by its number and theirs in it. The path of a step changes no index but these.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from orderlines_store_mysql.schedule_schema import SCHEDULE_TABLES

SCHEMA_VERSION: Final = 2
"""Each version has a step that leads to it, in :mod:`orderlines_store_mysql.upgrades`."""
VERSIONS: Final = "ol_versions"
"""The table that says which version of the schema there is; made first, so that one who dies on the way can be told."""
UPGRADES: Final = "ol_upgrades"
"""The table that is there while an upgrade is under way: to which version its step leads, how much of it is done."""
_KEY: Final = "VARCHAR(700)"
"""The longest text that an index takes, with room for the numbers beside it."""

TABLES: Final = (
    """ol_flows (
        digest VARCHAR(255) NOT NULL PRIMARY KEY, name LONGTEXT NOT NULL, version LONGTEXT NOT NULL,
        body LONGTEXT NOT NULL, created DOUBLE NOT NULL, INDEX flows_name (name(100), created)
    )""",
    f"""ol_runs (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name {_KEY} NOT NULL, flow LONGTEXT NOT NULL,
        version LONGTEXT NOT NULL, digest VARCHAR(255) NOT NULL, status VARCHAR(16) NOT NULL, wish VARCHAR(16),
        run_key LONGTEXT, vars LONGTEXT NOT NULL, executor LONGTEXT, created DOUBLE NOT NULL, started DOUBLE,
        deadline DOUBLE, finished DOUBLE, variables LONGTEXT, error LONGTEXT, round INT NOT NULL DEFAULT 1,
        pruned TINYINT NOT NULL DEFAULT 0, key_digest BINARY(32), UNIQUE INDEX runs_name (name),
        UNIQUE INDEX runs_key (key_digest),
        INDEX runs_open (finished, deadline), INDEX runs_pruned (pruned, id)
    )""",
    """ol_rounds (
        run BIGINT NOT NULL, round INT NOT NULL, status VARCHAR(16) NOT NULL, finished DOUBLE NOT NULL, error LONGTEXT,
        tasks INT NOT NULL, vars LONGTEXT, PRIMARY KEY (run, round)
    )""",
    """ol_lines (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, run BIGINT NOT NULL, path LONGTEXT NOT NULL, parent BIGINT,
        join_id BIGINT, idx INT NOT NULL, block INT NOT NULL, status VARCHAR(16) NOT NULL, cur INT NOT NULL,
        seq BIGINT NOT NULL, epoch BIGINT NOT NULL, owner BIGINT, halt TINYINT NOT NULL, due DOUBLE,
        attempt INT NOT NULL, began DOUBLE, executor LONGTEXT, crashes INT NOT NULL, state LONGTEXT, tasks INT NOT NULL,
        vars LONGTEXT, vars_at INT NOT NULL, flow VARCHAR(255), queue VARCHAR(255),
        rings INT NOT NULL DEFAULT 0, rung DOUBLE, result LONGTEXT, error LONGTEXT, finished DOUBLE,
        waiting_since DOUBLE, INDEX lines_run (run), INDEX lines_open (finished, run),
        INDEX lines_queue (queue, finished), INDEX lines_join (join_id, idx), INDEX lines_owner (owner)
    )""",
    f"""ol_joins (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, line BIGINT NOT NULL, label {_KEY} NOT NULL,
        state VARCHAR(16) NOT NULL, total INT NOT NULL, remaining INT NOT NULL, unopened INT NOT NULL,
        stop_on_failure TINYINT NOT NULL, bound INT NOT NULL, after LONGTEXT, span DOUBLE,
        queued INT NOT NULL DEFAULT 0, UNIQUE INDEX joins_label (line, label)
    )""",
    """ol_followers (
        join_id BIGINT NOT NULL, idx INT NOT NULL, missing INT NOT NULL, PRIMARY KEY (join_id, idx)
    )""",
    # `line`: who took it, as `orderlines.stores.addressing.taker` says
    """ol_signals (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, run BIGINT NOT NULL, target LONGTEXT NOT NULL,
        data LONGTEXT NOT NULL, created DOUBLE NOT NULL, line BIGINT, key_digest BINARY(32),
        UNIQUE INDEX signals_key (key_digest), INDEX signals_open (run, line)
    )""",
    """ol_tasks (
        line BIGINT NOT NULL, ordinal INT NOT NULL, run BIGINT NOT NULL, node LONGTEXT NOT NULL, visit INT NOT NULL,
        status VARCHAR(16) NOT NULL, attempt INT NOT NULL, executor LONGTEXT, started DOUBLE NOT NULL,
        finished DOUBLE NOT NULL, result LONGTEXT, error LONGTEXT, assigned LONGTEXT, PRIMARY KEY (line, ordinal)
    )""",
    f"""ol_attempts (
        line BIGINT NOT NULL, node {_KEY} NOT NULL, visit INT NOT NULL, attempt INT NOT NULL, started DOUBLE NOT NULL,
        finished DOUBLE NOT NULL, error LONGTEXT NOT NULL, PRIMARY KEY (line, node, visit, attempt)
    )""",
    """ol_logs (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, run BIGINT NOT NULL, line BIGINT NOT NULL,
        node LONGTEXT NOT NULL, visit INT NOT NULL, attempt INT NOT NULL, at DOUBLE NOT NULL, level LONGTEXT,
        text LONGTEXT NOT NULL,
        INDEX logs_run (run, at)
    )""",
    """ol_progress (
        line BIGINT NOT NULL PRIMARY KEY, run BIGINT NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL,
        report LONGTEXT NOT NULL, INDEX progress_run (run)
    )""",
    """ol_drivers (
        id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, host LONGTEXT NOT NULL, boot LONGTEXT NOT NULL,
        namespace BIGINT NOT NULL, pid BIGINT NOT NULL, start BIGINT NOT NULL, beats BIGINT NOT NULL,
        lease DOUBLE NOT NULL DEFAULT 15
    )""",
    """ol_identity (
        one TINYINT NOT NULL PRIMARY KEY, text VARCHAR(64) NOT NULL
    )""",
    *SCHEDULE_TABLES,
    f"""ol_values (
        run {_KEY} NOT NULL, sha256 VARCHAR(64) NOT NULL, part INT NOT NULL, store VARCHAR(255) NOT NULL,
        written DOUBLE NOT NULL, body LONGBLOB NOT NULL, PRIMARY KEY (run, sha256, part)
    )""",
)
KNOWN_BY: Final = frozenset({"ol_flows", "ol_runs", "ol_lines", "ol_drivers"})
"""Tables that a store of any version has."""
OURS: Final = frozenset(table.partition(" ")[0] for table in TABLES)


def created(table: str, *, maria: bool) -> str:
    """Return the statement that makes a table unless it is there."""
    collation = "utf8mb4_nopad_bin" if maria else "utf8mb4_0900_bin"
    return f"CREATE TABLE IF NOT EXISTS {table} ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE {collation}"


def digest(*parts: str) -> bytes:
    """Return 32 bytes that stand for some texts; no other texts have the same."""
    whole = sha256()
    for part in parts:
        data = part.encode()
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.digest()


LINE_COLUMNS: Final = (
    "id, run, path, parent, join_id, idx, block, status, cur, seq, epoch, owner, halt, due, attempt, began, executor,"
    " crashes, state, tasks, vars, vars_at, flow, queue, rings"
)
"""Of :class:`orderlines.stores.records.LineRow`."""
RUN_COLUMNS: Final = (
    "id, name, flow, version, digest, status, wish, run_key, vars, executor, created, started, deadline, finished,"
    " variables, error, round, pruned > 0"
)
"""Of :class:`orderlines.stores.records.RunRow`."""
TASK_COLUMNS: Final = "node, visit, status, attempt, executor, started, finished, result, error, assigned"
"""Of :class:`orderlines.stores.records.TaskRow`."""
