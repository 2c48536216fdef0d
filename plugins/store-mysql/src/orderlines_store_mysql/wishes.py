"""The wishes that stand on a run and its lines: to stop, to pause, to go on, to leave a node out.

Whoever writes one holds the lock of the run's row, as whoever opens lines does, and goes through the lines in the order
of their numbers: so no line that another one opens meanwhile is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.states import Halt, LineStatus, RunStatus
from orderlines_store_mysql.literals import put

if TYPE_CHECKING:
    from orderlines.stores.records import LineRow

_PAUSE_RUN: Final = "UPDATE ol_runs SET wish = %s, status = %s WHERE id = %s AND finished IS NULL AND wish IS NULL"
_PAUSE_LINES: Final = "UPDATE ol_lines SET halt = %s WHERE run = %s AND finished IS NULL AND halt = 0 ORDER BY id"
_END_RUN: Final = (
    "UPDATE ol_runs SET wish = COALESCE(NULLIF(wish, 'pause'), %s), status = CASE WHEN status <> %s THEN status"
    " WHEN started IS NULL THEN %s ELSE %s END WHERE id = %s AND finished IS NULL"
)
_END_LINES: Final = "UPDATE ol_lines SET halt = %s WHERE run = %s AND finished IS NULL ORDER BY id"
_GO_ON_RUN: Final = (
    "UPDATE ol_runs SET wish = NULL, status = CASE WHEN started IS NULL THEN %s ELSE %s END WHERE id = %s"
)
_GO_ON_LINES: Final = (
    "UPDATE ol_lines SET halt = 0, waiting_since = NULL WHERE run = %s AND finished IS NULL AND halt = %s ORDER BY id"
)
_SKIP: Final = (
    "UPDATE ol_lines SET halt = %s WHERE id = %s AND cur = %s AND tasks = %s AND ((finished IS NULL AND status <> %s"
    " AND halt <= %s) OR status IN (%s, %s))"
)


def lock_run(run: int) -> str:
    """Return what takes the lock of a run's row and reads what stands on it: ``(wish, finished)``."""
    return put("SELECT wish, finished FROM ol_runs WHERE id = %s FOR UPDATE", run)


def write_wish(run: int, wish: str) -> tuple[str, str]:
    """Return what writes a wish; the first that ends a run names how, and only such a one outdoes a pause."""
    if wish == "pause":
        return put(_PAUSE_RUN, wish, RunStatus.PAUSED, run), put(_PAUSE_LINES, Halt.PAUSE, run)
    ended = put(_END_RUN, wish, RunStatus.PAUSED, RunStatus.PENDING, RunStatus.RUNNING, run)
    return ended, put(_END_LINES, Halt.STOP, run)


def take_back_pause(run: int) -> tuple[str, str]:
    """Return what lets a paused run go on."""
    return put(_GO_ON_RUN, RunStatus.PENDING, RunStatus.RUNNING, run), put(_GO_ON_LINES, run, Halt.PAUSE)


def mark_skipped(line: LineRow) -> str:
    """Return what marks a line to leave out the node that it stands at, if it stands there still."""
    values = (Halt.SKIP, line.id, line.cursor, line.tasks, LineStatus.HANDLER, Halt.SKIP)
    return put(_SKIP, *values, LineStatus.FAILURE, LineStatus.STOP)


def standing(wish: str | None) -> int:
    """Return what stands on the lines of a run as long as nothing ends it."""
    return Halt.PAUSE if wish == "pause" else Halt.NONE
