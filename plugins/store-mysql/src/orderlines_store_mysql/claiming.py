"""Who may go on with which lines: claiming them, ringing for them, giving them back, and the drivers on the books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from orderlines.states import RELEASED, Halt, LineStatus
from orderlines.stores.records import LineRow
from orderlines_store_mysql.literals import numbers, put, texts
from orderlines_store_mysql.schema import LINE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from orderlines_store_mysql.transaction import Transaction

_CLAIMABLE: Final = (
    "finished IS NULL AND (owner IS NULL OR owner NOT IN (SELECT id FROM ol_drivers))"
    f" AND halt <> {Halt.PAUSE}"
    " AND (status IN ('READY', 'JOINED', 'CALL', 'HANDLER', 'SIGNALLED') OR due <= %s"
    f" OR (halt >= {Halt.SKIP} AND NOT EXISTS (SELECT 1 FROM ol_joins WHERE ol_joins.line = ol_lines.id"
    " AND ol_lines.status = 'JOIN' AND ol_joins.state = 'closing' AND ol_joins.remaining > 0)))"
)
_RELEASE: Final = (
    "UPDATE ol_lines SET owner = NULL, state = CASE status WHEN %s THEN %s ELSE state END,"
    " attempt = CASE status WHEN %s THEN 0 ELSE attempt END WHERE id = %s AND owner = %s AND finished IS NULL"
)
RUNG: Final = "rings = rings + 1, rung = %s, waiting_since = COALESCE(waiting_since, %s)"
"""What notes a ring."""
_UNTAKEN: Final = "FOR UPDATE SKIP LOCKED"
"""Several who take lines at once do not wait for each other: each passes over what another one is taking."""
ON_BOOKS: Final = "SELECT id FROM ol_drivers WHERE id = %s LOCK IN SHARE MODE"


class Wanted(NamedTuple):
    """Which lines a driver would claim; as the parameters of :meth:`orderlines.stores.base.Store.claim`."""

    runs: Collection[int] | None
    queues: Sequence[str] | None = None
    without: Collection[int] = ()

    def any_of(self, now: float) -> str:
        """Return what reads a row where there is one at least."""
        return f"SELECT 1 {self._claimable(among_queues(self.queues), now)} LIMIT 1"

    def in_turn(self, now: float) -> Iterator[str]:
        """Yield what reads the numbers of lines, lowest first, queue by queue."""
        for queue in (None,) if self.queues is None else self.queues:
            only = among_queues(None if queue is None else (queue,))
            yield f"SELECT id {self._claimable(only, now)} ORDER BY id"

    def _claimable(self, queues: str, now: float) -> str:
        # The server would guess from how many lines there are, most of which have ended.
        index = "lines_queue" if self.runs is None else "lines_open"
        others = f" AND run NOT IN {numbers(self.without)}" if self.without else ""
        where = f"{put(_CLAIMABLE, now)}{queues}{among('run', self.runs)}{others}"
        return f"FROM ol_lines FORCE INDEX ({index}) WHERE {where}"


def among(column: str, values: Collection[int] | None) -> str:
    """Return what limits a column to some values; nothing for ``None``."""
    return "" if values is None else f" AND {column} IN {numbers(values)}"


def among_queues(queues: Collection[str] | None) -> str:
    """Return what limits lines to those of some queues; ``None``: to those that are for none."""
    return " AND queue IS NULL" if queues is None else f" AND queue IN {texts(queues)}"


def claim(transaction: Transaction, driver: int, wanted: Wanted, limit: int, now: float) -> list[LineRow]:
    """Take lines that nobody is taking at this moment; a driver that is off the books gets none."""
    # Its row stays locked, so that nobody strikes it off and lets go of its lines while it takes more.
    books = put(ON_BOOKS, driver)
    found: list[int] = []
    for query in wanted.in_turn(now):
        there, chosen = transaction.ask(books, f"{query} LIMIT {limit - len(found)} {_UNTAKEN}")
        if not there.rows:
            return []
        found += [number for (number,) in chosen.rows]
        if len(found) == limit:
            break
    if not found:
        return []
    taken = _change(transaction, found, f"owner = {driver}, epoch = epoch + 1, rung = NULL, waiting_since = NULL")
    return sorted(taken, key=lambda row: found.index(row.id))


def may_ring(queues: Collection[str], silence: float, now: float) -> str:
    """Return what follows SELECT and its columns, to read the lines that somebody may ring for."""
    where = f"{put(_CLAIMABLE, now)}{among_queues(queues)}{put(' AND COALESCE(rung, 0) <= %s', now - silence)}"
    return f"FROM ol_lines FORCE INDEX (lines_queue) WHERE {where}"


def ring(transaction: Transaction, lines: str, limit: int, now: float) -> list[LineRow]:
    """Note a ring for lines that nobody else is ringing for or taking at this moment."""
    # In the order of the index: only what is returned is locked.
    (found,) = transaction.ask(f"SELECT id {lines} ORDER BY queue, finished, id LIMIT {limit} {_UNTAKEN}")
    chosen = [number for (number,) in found.rows]
    return _change(transaction, chosen, put(RUNG, now, now)) if chosen else []


def waiting(now: float) -> str:
    """Return what reads, for each queue with lines that somebody may claim, since when the first one waits."""
    since = put("MIN(COALESCE(waiting_since, due, %s))", now)
    where = f"{put(_CLAIMABLE, now)} AND queue IS NOT NULL"
    return f"SELECT queue, {since} FROM ol_lines FORCE INDEX (lines_queue) WHERE {where} GROUP BY queue"


def _change(transaction: Transaction, lines: Collection[int], changed: str) -> list[LineRow]:
    chosen = f"WHERE id IN {numbers(lines)} ORDER BY id"
    answers = transaction.commit(
        f"UPDATE ol_lines SET {changed} {chosen}", f"SELECT {LINE_COLUMNS} FROM ol_lines {chosen}"
    )
    return [LineRow(*row) for row in answers[1].rows]


def released(driver: int, lines: Collection[int], reason: str) -> Iterator[str]:
    """Yield what lets go of lines of a driver, in the order of their numbers."""
    handler = LineStatus.HANDLER if reason == RELEASED else ""
    for line in sorted(lines):
        yield put(_RELEASE, LineStatus.CALL, reason, handler, line, driver)


def dismissed(drivers: Collection[int]) -> Iterator[str]:
    """Yield what strikes drivers off the books and lets go of their lines."""
    for driver in sorted(drivers):
        yield f"DELETE FROM ol_drivers WHERE id = {driver}"
    for driver in sorted(drivers):
        yield f"UPDATE ol_lines SET owner = NULL WHERE finished IS NULL AND owner = {driver} ORDER BY id"
