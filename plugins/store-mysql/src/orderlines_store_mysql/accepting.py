"""Accepting runs, in one round trip: whether there is such a run already, the indices say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Never

from pymysql.err import IntegrityError

from orderlines.states import LineStatus, RunStatus
from orderlines.stores.keys import same_run
from orderlines.stores.records import FlowRow, LineRow, RunRow
from orderlines_store_mysql.explaining import DUPLICATE, AnswerLost, number_of
from orderlines_store_mysql.literals import put
from orderlines_store_mysql.schema import LINE_COLUMNS, RUN_COLUMNS, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orderlines.stores.records import NewRun
    from orderlines_store_mysql.connections import Connections
    from orderlines_store_mysql.transaction import Transaction

_FLOW: Final = (
    "INSERT INTO ol_flows (digest, name, version, body, created) SELECT %s, %s, %s, %s, %s FROM DUAL"
    " WHERE NOT EXISTS (SELECT 1 FROM ol_flows WHERE digest = %s LOCK IN SHARE MODE)"
)
_RUN: Final = (
    "INSERT INTO ol_runs (name, flow, version, digest, status, run_key, vars, executor, created, key_digest)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
# Given to the driver, where one asks who is on the books; left, and a ring noted, where it is for a queue.
_OWNER: Final = "SET @o = (SELECT id FROM ol_drivers WHERE id = %s)"
_LINE: Final = (
    "INSERT INTO ol_lines (run, path, idx, block, status, cur, seq, epoch, owner, halt, attempt, crashes, tasks, vars,"
    " vars_at, queue, rings, rung, waiting_since)"
    " VALUES (@r, '', 0, 0, %s, 0, 0, @o IS NOT NULL, @o, 0, 0, 0, 0, %s, 0, %s, %s, %s, %s)"
)
_TRIES: Final = 5
"""How often others may be faster before it is strange; each time, what they wrote is there the next time."""


def accept(connections: Connections, run: NewRun, driver: int | None, now: float) -> tuple[RunRow, LineRow | None]:
    """Keep a new run, or return the one that has the same flow and key, without a line.

    :param driver: who gets its line unless that is for a queue.
    :raises Refused: the key was used with another digest or other variables.
    """
    lost = False
    for _ in range(_TRIES):
        try:
            found = connections.writing(lambda transaction: _insert(transaction, run, driver, now))
        except AnswerLost:
            lost = True
            continue
        if found is not None:
            return found
        there = _there(connections, run, by_name=lost)
        if there is not None:
            return there, _line_of(connections, there.id, driver) if lost and there.name == run.name else None
    return connections.writing(lambda transaction: _insert(transaction, run, driver, now, strict=True)) or _lost(run)


def insert(
    transaction: Transaction, run: NewRun, driver: int | None, now: float, *further: str
) -> tuple[RunRow, LineRow]:
    """Insert a run with all that it needs, and commit with what is further to be written: there, ``@r`` is its number.

    :raises IntegrityError: something is there already.
    """
    flows = [FlowRow(run.digest, run.flow, run.version, run.body), *run.flows]
    key = None if run.key is None else digest(run.flow, run.key)
    values = (run.name, run.flow, run.version, run.digest, RunStatus.PENDING, run.key, run.vars, run.executor, now, key)
    ring = (0, None, None) if run.queue is None else (1, now, now)
    answers = transaction.commit(
        *flows_kept(flows, now),
        put(_RUN, *values),
        "SET @r = LAST_INSERT_ID()",
        put(_OWNER, driver if run.queue is None else None),
        put(_LINE, LineStatus.READY, run.vars, run.queue, *ring),
        "SET @l = LAST_INSERT_ID()",
        *further,
        f"SELECT {LINE_COLUMNS} FROM ol_lines WHERE id = @l",
        f"SELECT {RUN_COLUMNS} FROM ol_runs WHERE id = @r",
    )
    return RunRow(*answers[-1].rows[0]), LineRow(*answers[-2].rows[0])


def flows_kept(flows: Iterable[FlowRow], now: float) -> Iterator[str]:
    """Yield what writes those flows that are not kept yet."""
    for flow in flows:
        yield put(_FLOW, *flow, now, flow.digest)


def _insert(
    transaction: Transaction, run: NewRun, driver: int | None, now: float, *, strict: bool = False
) -> tuple[RunRow, LineRow] | None:
    """Insert a run with all that it needs; return ``None`` where an index says that something is there already."""
    try:
        return insert(transaction, run, driver, now)
    except IntegrityError as error:
        if number_of(error) != DUPLICATE or strict:
            raise
        transaction.undo()
        return None


def _there(connections: Connections, run: NewRun, *, by_name: bool) -> RunRow | None:
    """Return the run that is there already: the key's, or this one, where the answer to its first try was lost."""
    if run.key is not None:
        asked = put(f"SELECT {RUN_COLUMNS} FROM ol_runs WHERE key_digest = %s", digest(run.flow, run.key))
        rows = connections.reading(lambda link: link.ask(asked))
        if rows:
            return same_run(RunRow(*rows[0]), run)
    if by_name:
        asked = put(f"SELECT {RUN_COLUMNS} FROM ol_runs WHERE name = %s", run.name)
        rows = connections.reading(lambda link: link.ask(asked))
        if rows:
            return RunRow(*rows[0])
    return None


def _line_of(connections: Connections, run: int, driver: int | None) -> LineRow | None:
    """Return the root line of a run that was written although the answer was lost, if it is still as it was."""
    asked = put(
        f"SELECT {LINE_COLUMNS} FROM ol_lines WHERE run = %s AND parent IS NULL AND seq = 0"
        " AND owner <=> IF(queue IS NULL, %s, NULL)",
        run,
        driver,
    )
    rows = connections.reading(lambda link: link.ask(asked))
    return LineRow(*rows[0]) if rows else None


def _lost(run: NewRun) -> Never:
    raise AnswerLost(f"it cannot be found out whether run {run.name} is kept; ask again with the same key")
