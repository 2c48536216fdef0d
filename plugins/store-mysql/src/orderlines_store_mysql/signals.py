"""Sending signals: both who sends one and who begins to wait look after they have the lock of the run's row."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from pymysql.err import OperationalError

from orderlines.errors import Refused, UnknownRun
from orderlines.states import Halt, LineStatus
from orderlines.stores.addressing import addressed
from orderlines_store_mysql.literals import put
from orderlines_store_mysql.schema import digest

if TYPE_CHECKING:
    from orderlines_store_mysql.transaction import Transaction

_WAITING: Final = (
    "SELECT id, path, state FROM ol_lines WHERE run = %s AND finished IS NULL AND status = %s AND halt < %s ORDER BY id"
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
    found, known, waiting = transaction.ask(
        put("SELECT name, finished FROM ol_runs WHERE id = %s FOR UPDATE", run),
        put("SELECT 1 FROM ol_signals WHERE key_digest = %s", key),
        put(_WAITING, run, LineStatus.SIGNAL, Halt.SKIP),
    )
    if not found.rows:
        raise UnknownRun(f"no run with number {run} in {place}")
    ((name, finished),) = found.rows
    if finished is not None:
        raise Refused(f"run {name} has ended; nothing in it waits for a signal any more")
    if known.rows:
        return False
    line = addressed(signal.target, [(number, path, json.loads(state)) for number, path, state in waiting.rows])
    transaction.ask(put(_SIGNAL, run, signal.target, key, signal.data, now, line))
    if line is not None:
        (woken,) = transaction.ask(put(_WAKE, LineStatus.SIGNALLED, signal.data, line, LineStatus.SIGNAL, Halt.SKIP))
        if woken.matched != 1:
            # Its time has come meanwhile: look again, as where a lock was not to be had.
            raise OperationalError(_LOCKED, "the line has gone on")
    return True
