"""Taking a run back to an earlier node of its root line: what came later is as if it had never been."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.states import LineStatus
from orderlines_store_mysql.literals import numbers, put

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orderlines.stores.records import Rewind
    from orderlines_store_mysql.transaction import Transaction

_BACK: Final = """UPDATE ol_lines SET status = %s, cur = %s, tasks = %s, vars_at = 0, epoch = epoch + 1, attempt = 0,
 halt = 0, owner = NULL, began = NULL, due = NULL, executor = NULL, crashes = 0, state = NULL, result = NULL,
 error = NULL, finished = NULL WHERE id = %s"""

_FREE: Final = """UPDATE ol_signals SET key_digest = NULL WHERE run = %s AND key_digest IS NOT NULL
 AND (line < %s OR line > 0 AND line NOT IN (SELECT id FROM ol_lines WHERE run = %s))"""


def rewind(transaction: Transaction, run: int, root: int, to: Rewind) -> None:
    """Take the root line of a run that has ended back, with all that it opened since."""
    done: Any = transaction.rows(
        put("SELECT node, visit FROM ol_tasks WHERE line = %s AND ordinal < %s", root, to.tasks)
    )
    kept = set(done)
    joins: Any = transaction.rows(put("SELECT id, label FROM ol_joins WHERE line = %s", root))
    void = [join for join, label in joins if _visit(label) not in kept]
    _void(transaction, void)
    attempts: Any = transaction.rows(put("SELECT DISTINCT node, visit FROM ol_attempts WHERE line = %s", root))
    transaction.ask(
        *(
            put("DELETE FROM ol_attempts WHERE line = %s AND node = %s AND visit = %s", root, *visit)
            for visit in attempts
            if visit not in kept
        ),
        put("DELETE FROM ol_tasks WHERE line = %s AND ordinal >= %s", root, to.tasks),
        put("UPDATE ol_rounds SET vars = NULL WHERE run = %s AND tasks > %s", run, to.tasks),
        put(_FREE, run, -to.tasks, run),
        put(_BACK, LineStatus.READY, to.cursor, to.tasks, root),
    )


def _visit(label: str) -> tuple[str, int]:
    node, _, visit = label.rpartition("#")
    return node, int(visit.partition(".")[0])


def _void(transaction: Transaction, joins: Iterable[int]) -> None:
    """Take away joins with the lines that they opened, and all that these opened, level by level."""
    level = list(joins)
    while level:
        found: Any = transaction.rows(f"SELECT id FROM ol_lines WHERE join_id IN {numbers(level)}")
        lines = numbers(number for (number,) in found)
        below: Any = transaction.rows(f"SELECT id FROM ol_joins WHERE line IN {lines}")
        transaction.ask(
            f"DELETE FROM ol_tasks WHERE line IN {lines}",
            f"DELETE FROM ol_attempts WHERE line IN {lines}",
            f"DELETE FROM ol_lines WHERE id IN {lines}",
            f"DELETE FROM ol_followers WHERE join_id IN {numbers(level)}",
            f"DELETE FROM ol_joins WHERE id IN {numbers(level)}",
        )
        level = [number for (number,) in below]
