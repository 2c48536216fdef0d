"""Sending signals: both who sends one and who begins to wait look after they have the lock of the run's row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pymysql.err import OperationalError

from orderlines.errors import Refused, UnknownRun
from orderlines.states import Halt, LineStatus
from orderlines.stores.addressing import Waiting, addressed, as_listed, taker, way_to
from orderlines_store_mysql.literals import put
from orderlines_store_mysql.schema import digest

if TYPE_CHECKING:
    from orderlines_store_mysql.transaction import Transaction

_ROOT: Final = "SELECT MIN(id) FROM ol_lines WHERE run = %s"
_CHILD: Final = """SELECT child.id FROM ol_joins STRAIGHT_JOIN ol_lines AS child ON child.join_id = ol_joins.id
 WHERE ol_joins.line = %s AND ol_joins.label = %s AND child.path = %s"""
_LINE: Final = "SELECT id, path, state, tasks FROM ol_lines WHERE id = %s AND status = %s AND halt < %s"
_LINES: Final = (
    "SELECT id, path, state, tasks FROM ol_lines WHERE run = %s AND finished IS NULL AND status = %s AND halt < %s"
    " AND INSTR(state, %s) ORDER BY id"
)
_SIGNAL: Final = "INSERT INTO ol_signals (run, target, key_digest, data, created, line) VALUES (%s, %s, %s, %s, %s, %s)"
_WAKE: Final = (
    "UPDATE ol_lines SET status = %s, state = %s, due = NULL, owner = NULL, epoch = epoch + 1"
    " WHERE id = %s AND status = %s AND halt < %s"
)
_LOCKED: Final = 1205


class Signal(NamedTuple):
    """A signal to a run, for an address; ``data`` is JSON text, and the same key stands for the same signal."""

    run: int
    target: str
    data: str
    key: str | None


def send(transaction: Transaction, signal: Signal, now: float, place: str) -> bool:
    """Keep a signal, and give it to the line that waits for it, if one does; see the contract.

    :param place: the store, for messages.
    """
    run = signal.run
    key = None if signal.key is None else digest(str(run), signal.key)
    found, known = transaction.ask(
        put("SELECT name, finished FROM ol_runs WHERE id = %s FOR UPDATE", run),
        put("SELECT 1 FROM ol_signals WHERE key_digest = %s", key),
    )
    if not found.rows:
        raise UnknownRun(f"no run with number {run} in {place}")
    ((name, finished),) = found.rows
    if finished is not None:
        raise Refused(f"run {name} has ended; nothing in it waits for a signal any more")
    if known.rows:
        return False
    line = _named(transaction, run, signal.target) or _waiting(transaction, run, signal.target)
    number = None if line is None else line.id
    by = None if line is None else taker(line.id, line.tasks, root=not line.path)
    packet = [put(_SIGNAL, run, signal.target, key, signal.data, now, by)]
    if number is not None:
        packet.append(put(_WAKE, LineStatus.SIGNALLED, signal.data, number, LineStatus.SIGNAL, Halt.SKIP))
    if transaction.ask(*packet)[-1].matched != 1:
        # Its time has come meanwhile: look again, as where a lock was not to be had.
        raise OperationalError(_LOCKED, "the line has gone on")
    return True


def _named(transaction: Transaction, run: int, target: str) -> Waiting | None:
    """Return the line that an address names, LINE/NODE, if it waits there; however many others do, costs nothing."""
    way = way_to(target)
    found: Any = transaction.rows(put(_ROOT, run)) if way else ()
    for label, path, place in way:
        if found:
            asked = put(_CHILD, found[0][0], label, path)
            found = transaction.rows(asked if place is None else f"{asked} AND child.idx = {place}")
    if found:
        found = transaction.rows(put(_LINE, found[0][0], LineStatus.SIGNAL, Halt.SKIP))
    return addressed(target, [Waiting(*row) for row in found])


def _waiting(transaction: Transaction, run: int, target: str) -> Waiting | None:
    """Return the line that waits under an address, whichever it is."""
    found: Any = transaction.rows(put(_LINES, run, LineStatus.SIGNAL, Halt.SKIP, as_listed(target)))
    return addressed(target, [Waiting(*row) for row in found])
