"""What a key stands for: the same for every store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.errors import Refused
from orderlines.stores.references import same

if TYPE_CHECKING:
    from orderlines.stores.records import NewRun, RunRow


def same_run(found: RunRow, run: NewRun) -> RunRow:
    """Return the run that a key stands for.

    :raises Refused: the key was used with something else.
    """
    if found.digest != run.digest:
        raise Refused(
            f"key {run.key!r} belongs to run {found.name} of another definition of flow {run.flow!r}; use another key"
        )
    if not same(found.vars, run.vars):
        raise Refused(f"key {run.key!r} belongs to run {found.name} with other variables; use another key")
    return found
