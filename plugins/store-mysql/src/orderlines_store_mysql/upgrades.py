"""The steps by which the schema of a database came to be what it is, each with the statements that it takes.

The server ends a transaction with each statement that changes a table's definition. So whether such a one has been done
is asked of the server itself; that any other one has been is recorded in the same transaction.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_COLUMN: Final = (
    "SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '{}'"
    " AND column_name = '{}'"
)


class Change(NamedTuple):
    """A statement that changes rows."""

    statement: str


class Definition(NamedTuple):
    """A statement that changes what a table is.

    :ivar done: reads a row where it has been done.
    """

    statement: str
    done: str


class Step(NamedTuple):
    """A step to the next version: that to which it leads, and what it does, in order."""

    version: int
    parts: tuple[Change | Definition, ...]


def column(table: str, name: str, kind: str) -> Definition:
    """Return what adds a column to a table."""
    return Definition(f"ALTER TABLE {table} ADD COLUMN {name} {kind}", _COLUMN.format(table, name))


STEPS: Final = (
    Step(
        2,
        (
            # since when a line waits for a worker; `rung` changes with each ring
            column("ol_lines", "waiting_since", "DOUBLE"),
            column("ol_drivers", "lease", "DOUBLE NOT NULL DEFAULT 15"),
            Change("UPDATE ol_lines SET waiting_since = rung WHERE finished IS NULL AND rung IS NOT NULL"),
        ),
    ),
)
