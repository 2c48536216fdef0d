"""The columns that records are read from, in their order."""

from __future__ import annotations

from typing import Final

LINE_COLUMNS: Final = (
    "id, run, path, parent, join_id, idx, block, status, cursor, seq, epoch, owner, halt, due, attempt, began,"
    " executor, crashes, state, tasks, vars, vars_at, flow, queue, rings"
)
"""Of :class:`orderlines.stores.records.LineRow`."""

RUN_COLUMNS: Final = (
    "id, name, flow, version, digest, status, wish, key, vars, executor, created, started, deadline, finished,"
    " variables, error, round, pruned > 0"
)
"""Of :class:`orderlines.stores.records.RunRow`."""
