"""What calls say: logs and progress."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderlines.stores.records import KeptLog, LogRow
from orderlines_store_mysql.literals import put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines_store_mysql.connections import Connections
    from orderlines_store_mysql.link import Link

PAGE: Final = 200
"""Rows that are read at once: no connection is kept while somebody looks at them."""
LOG: Final = "INSERT INTO ol_logs (run, line, node, visit, attempt, at, level, text) VALUES"
PROGRESS: Final = "REPLACE INTO ol_progress (run, line, epoch, seq, report) VALUES"
CURRENT: Final = (
    "SELECT p.line, p.report FROM ol_progress p"
    " JOIN ol_lines l ON l.id = p.line AND l.epoch = p.epoch AND l.seq = p.seq WHERE p.run = %s AND l.finished IS NULL"
)
_COLUMNS: Final = "g.id, l.path, g.run, g.line, g.node, g.visit, g.attempt, g.at, g.level, g.text"
# Counting them, and not only asking for the last number, waits for those that another one is writing now: a number is
# given before its row can be seen, and a reader that has seen a higher one would never come back for it.
_LAST: Final = (
    "SELECT COUNT(*), COALESCE(MAX(id), 0) FROM ol_logs FORCE INDEX (PRIMARY) WHERE id > %s LOCK IN SHARE MODE"
)
_FIRST: Final = -1e300
"""A time before any."""


class Selection(NamedTuple):
    """Which rows are looked for; as :meth:`orderlines.stores.base.Store.logs`."""

    run: int
    node: str | None
    line: str | None
    after: int

    def sql(self) -> str:
        """Return what follows SELECT and its columns."""
        where = put("g.run = %s AND g.id > %s", self.run, self.after)
        if self.node is not None:
            where += put(" AND g.node = %s", self.node)
        if self.line is not None:
            where += put(" AND l.path = %s", self.line)
        return f"FROM ol_logs g JOIN ol_lines l ON l.id = g.line WHERE {where}"


def read_logs(connections: Connections, selection: Selection) -> Iterator[KeptLog]:
    """Yield the rows that are there now, in order of time, a page at a time."""
    last = connections.reading(lambda link: link.ask(_last(selection)))[0][-1]
    place: tuple[float, int] = (_FIRST, 0)
    while True:
        page = connections.reading(lambda link, place=place: _page(link, selection, last, place))  # type: ignore[misc]
        yield from map(_kept, page)
        if len(page) < PAGE:
            return
        place = page[-1][7], page[-1][0]


def read_newest_logs(connections: Connections, selection: Selection, newest: int) -> Iterator[KeptLog]:
    """Yield the last rows, in order of time."""
    asked = f"SELECT {_COLUMNS} {selection.sql()} ORDER BY g.at DESC, g.id DESC LIMIT {newest}"
    rows = connections.reading(lambda link: link.ask(asked))
    yield from map(_kept, reversed(rows))


def _last(selection: Selection) -> str:
    if selection.after:
        return put(_LAST, selection.after)
    return "SELECT COALESCE(MAX(id), 0) FROM ol_logs"


def _page(link: Link, selection: Selection, last: int, place: tuple[float, int]) -> tuple[tuple[Any, ...], ...]:
    at, number = place
    further = put("g.id <= %s AND g.at >= %s AND (g.at > %s OR g.id > %s)", last, at, at, number)
    return link.ask(f"SELECT {_COLUMNS} {selection.sql()} AND {further} ORDER BY g.at, g.id LIMIT {PAGE}")


def _kept(row: tuple[Any, ...]) -> KeptLog:
    return KeptLog(row[0], row[1], LogRow(*row[2:]))
