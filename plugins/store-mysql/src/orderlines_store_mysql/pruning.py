"""Taking runs away: a run goes out of sight at once, and what belongs to it in many short transactions."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from orderlines.stores.records import EndedRun
from orderlines.stores.references import fingerprint
from orderlines_store_mysql.literals import numbers, put, texts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from orderlines_store_mysql.connections import Connections
    from orderlines_store_mysql.transaction import Transaction

ROWS: Final = 2_000
"""Rows that one statement deletes, at most."""
LINES: Final = 200
"""Lines whose rows one transaction deletes, at most."""
REST: Final = 0.002
"""Seconds between two transactions, in which others get their turn."""
_HALF: Final = 1
"""In the column ``pruned``: out of sight, with rows of it left; then what is left is the run's own row, for its key."""
_WHOLE: Final = 2
_OF_RUNS: Final = ("ol_logs", "ol_signals", "ol_progress", "ol_rounds")
"""Tables that know their run."""
_TEXTS: Final = (
    "SELECT vars AS t FROM ol_runs WHERE id = {0}",
    "SELECT variables FROM ol_runs WHERE id = {0}",
    "SELECT vars FROM ol_lines WHERE run = {0}",
    "SELECT result FROM ol_lines WHERE run = {0}",
    "SELECT state FROM ol_lines WHERE run = {0}",
    "SELECT vars FROM ol_rounds WHERE run = {0}",
    "SELECT data FROM ol_signals WHERE run = {0}",
    "SELECT a.error FROM ol_lines l JOIN ol_attempts a ON a.line = l.id WHERE l.run = {0}",
    "SELECT t.result FROM ol_lines l JOIN ol_tasks t ON t.line = l.id WHERE l.run = {0}",
    "SELECT t.assigned FROM ol_lines l JOIN ol_tasks t ON t.line = l.id WHERE l.run = {0}",
)
_FREE: Final = f"(pruned = {_HALF} OR pruned = 0 AND finished < %s)"
_NAMED: Final = (
    "SELECT DISTINCT digest FROM ol_runs WHERE pruned = 0",
    "SELECT DISTINCT digest FROM ol_schedules",
)


def marked_texts(run: int, mark: str) -> str:
    """Return what reads the texts in the rows of a run that begin with a mark."""
    every = " UNION ALL ".join(text.format(run) for text in _TEXTS)
    return put(f"SELECT t FROM ({every}) AS found WHERE LEFT(t, %s) = %s", len(mark), mark)


def prunable_runs(before: float, statuses: Collection[str], limit: int, after: int) -> str:
    """Return what reads the runs that may be taken away."""
    only = f" AND (pruned = {_HALF} OR status IN {texts(statuses)})" if statuses else ""
    return put(f"SELECT id, name FROM ol_runs WHERE id > %s AND {_FREE}{only} ORDER BY id LIMIT {limit}", after, before)


def ended_runs(rows: Iterable[tuple[Any, ...]]) -> list[EndedRun]:
    """Return the runs of rows that :func:`prunable_runs` has read."""
    return [EndedRun(*row) for row in rows]


def prune_runs(connections: Connections, runs: Collection[int], before: float) -> list[int]:
    """Take runs away, but for those that go on or ended too late; return those that are gone now, by nobody else."""
    return [run for run in runs if _prune(connections, run, before)]


def _prune(connections: Connections, run: int, before: float) -> bool:
    if not connections.writing(lambda transaction: _hide(transaction, run, before), repeatable=True):
        return False
    while connections.writing(lambda transaction: _delete_some(transaction, run), repeatable=True):
        time.sleep(REST)
    gone = connections.writing(
        lambda transaction: transaction.commit(
            f"DELETE FROM ol_runs WHERE id = {run} AND pruned = {_HALF} AND run_key IS NULL",
            f"UPDATE ol_runs SET pruned = {_WHOLE} WHERE id = {run} AND pruned = {_HALF}",
        )
    )
    return sum(answer.matched for answer in gone) == 1


def _hide(transaction: Transaction, run: int, before: float) -> bool:
    """Take a run out of sight; return whether something of it is to be deleted now."""
    found: Any = transaction.rows(
        put(f"SELECT vars, pruned FROM ol_runs WHERE id = %s AND {_FREE} FOR UPDATE", run, before)
    )
    if found and not found[0][1]:
        hidden = f"UPDATE ol_runs SET pruned = {_HALF}, vars = %s, variables = NULL, error = NULL WHERE id = %s"
        transaction.commit(put(hidden, fingerprint(found[0][0]), run))
    return bool(found)


def _delete_some(transaction: Transaction, run: int) -> bool:
    """Delete rows of a run; return whether there may be more."""
    # Locked before anything of them goes: what comes late is there by now, or finds no line.
    asked = f"SELECT id FROM ol_lines WHERE run = {run} ORDER BY id DESC LIMIT {LINES} FOR UPDATE"
    read: Any = transaction.rows(asked)
    lines = [line for (line,) in read]
    of_runs = [f"DELETE FROM {table} WHERE run = {run} LIMIT {ROWS}" for table in _OF_RUNS]
    inner = list(_of_lines(lines)) if lines else []
    answers = transaction.ask(*of_runs, *inner)
    if any(answer.matched == ROWS for answer in answers):
        transaction.end()
        return True
    if lines:
        transaction.commit(f"DELETE FROM ol_lines WHERE id IN {numbers(lines)}")
    return bool(lines)


def _of_lines(lines: Collection[int]) -> Iterable[str]:
    """Yield what deletes the rows of lines; those of their joins' children first."""
    chosen = numbers(lines)
    yield f"DELETE FROM ol_tasks WHERE line IN {chosen} LIMIT {ROWS}"
    yield f"DELETE FROM ol_attempts WHERE line IN {chosen} LIMIT {ROWS}"
    yield f"DELETE FROM ol_followers WHERE join_id IN (SELECT id FROM ol_joins WHERE line IN {chosen}) LIMIT {ROWS}"
    yield f"DELETE FROM ol_joins WHERE line IN {chosen} AND id NOT IN (SELECT join_id FROM ol_followers)"


def delete_unnamed_flows(transaction: Transaction) -> int:
    """Delete the flows that nobody names; return how many.

    Whoever accepts a run or keeps a schedule holds its flows until that can be seen, and so comes before this or after
    it. So what names flows is read without locks, and nobody who writes a run waits.
    """
    kept: Any = transaction.rows("SELECT digest, name, body, created FROM ol_flows ORDER BY created FOR UPDATE")
    named = {digest for answer in transaction.ask(*_NAMED) for (digest,) in answer.rows}
    named |= set({name: digest for digest, name, _, _ in kept}.values())
    bodies = {digest: body for digest, _, body, _ in kept}
    waiting = list(named)
    while waiting:
        for digest in _entered(bodies.get(waiting.pop(), "{}")):
            if digest not in named:
                named.add(digest)
                waiting.append(digest)
    unnamed = [digest for digest in bodies if digest not in named]
    if unnamed:
        transaction.commit(f"DELETE FROM ol_flows WHERE digest IN {texts(unnamed)}")
    return len(unnamed)


def _entered(body: str) -> Iterable[str]:
    """Return the digests of the flows that a flow enters."""
    try:
        document = json.loads(body)
    except ValueError:
        return ()
    flows = document.get("flows") if isinstance(document, dict) else None
    return [digest for digest in flows.values() if isinstance(digest, str)] if isinstance(flows, dict) else ()
