"""The steps by which the schema of an SQLite file came to be what it is, each with the statements that it takes."""

from __future__ import annotations

from typing import Final, NamedTuple


class Step(NamedTuple):
    """A step to the next version.

    A file that holds large values alone has no other table, so what changes the others is told apart.

    :ivar version: that to which it leads.
    :ivar runs: what it does to a store's tables.
    :ivar values: what it does to the table of large values, in whichever file.
    """

    version: int
    runs: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


STEPS: Final = (
    Step(
        2,
        runs=(
            # since when a line waits for a worker; `rung` changes with each ring
            "ALTER TABLE lines ADD COLUMN waiting_since REAL",
            "ALTER TABLE drivers ADD COLUMN lease REAL NOT NULL DEFAULT 15",
            "UPDATE lines SET waiting_since = rung WHERE finished IS NULL AND rung IS NOT NULL",
        ),
    ),
)
