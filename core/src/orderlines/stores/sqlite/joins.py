"""Joins: which child opens next, when the last has ended, and how one is closed early.

Each counts in its row how many children have not ended (``remaining``), have not been opened (``unopened``), and have
ended badly in an earlier round and wait to be opened again (``queued``).
Those of a graph that are not open have a row in ``followers``, which counts the children that must have ended before.
"""

# ruff: noqa: S608 -- statements are put together from constants, values are bound

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orderlines.states import OVERDUE, Halt, LineStatus
from orderlines.stores.records import LineRow
from orderlines.stores.sqlite.columns import LINE_COLUMNS
from orderlines.stores.sqlite.reopening import reopen_next

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from orderlines.stores.records import Ending, Opening, RunRow

_CHILD = f"""INSERT INTO lines ({LINE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 1, ?, ?, NULL, 0, NULL, NULL, 0,
 NULL, 0, ?, 0, ?, ?, 0)"""


_ROOT = f"""INSERT INTO lines ({LINE_COLUMNS}) VALUES (NULL, ?, '', NULL, NULL, 0, 0, ?, 0, 0, ?,
 (SELECT id FROM drivers WHERE id = ?), 0, NULL, 0, NULL, NULL, 0, NULL, 0, ?, 0, NULL, ?, 0)
 RETURNING {LINE_COLUMNS}"""


class Finished(NamedTuple):
    """A child that has just ended: its parent's line, its join, its place there, and the wish that stands on it."""

    parent: int
    join: int
    place: int
    halt: int
    now: float


class Counted(NamedTuple):
    """What came of counting a child: the lines opened, how many are left, and whether one of them is to be claimed."""

    opened: tuple[LineRow, ...]
    remaining: int
    freed: bool = False


def insert_root(db: sqlite3.Connection, run: RunRow, queue: str | None, driver: int | None) -> LineRow:
    """Open the first line of a run, for a driver where one is named that is on the books, unless it is for a queue."""
    owner = driver if queue is None else None
    epoch = 0 if owner is None else 1
    line = db.execute(_ROOT, (run.id, LineStatus.READY, epoch, owner, run.vars, queue)).fetchone()
    return LineRow(*line)


class Home(NamedTuple):
    """Where children are opened: run, parent's line, join; and the driver that they are given to, if any."""

    run: int
    parent: int
    join: int
    owner: int | None


def insert_child(db: sqlite3.Connection, home: Home, opening: Opening, index: int, halt: int = 0) -> LineRow:
    """Open one child; ``halt`` is the wish that stands on it."""
    path = opening.prefix + opening.names[index]
    block = opening.blocks[index]
    fields = (home.run, path, home.parent, home.join, index, block, LineStatus.READY)
    owner, given = home.owner, (opening.vars, opening.flow, opening.queue)
    line = db.execute(_CHILD, (None, *fields, owner, halt, *given)).lastrowid or 0
    return LineRow(
        line, *fields, 0, 0, 1, owner, halt, None, 0, None, None, 0, None, 0, opening.vars, 0, opening.flow,
        opening.queue,
    )  # fmt: skip


def count(db: sqlite3.Connection, driver: int, run: int, child: Finished, ending: Ending) -> Counted:
    """Count a finished child: open what follows, or close the join."""
    state, total, remaining, unopened, queued, strict = db.execute(
        "UPDATE joins SET remaining = remaining - 1 WHERE id = ?"
        " RETURNING state, total, remaining, unopened, queued, stop_on_failure",
        (child.join,),
    ).fetchone()
    if state != "open":
        return Counted((), remaining)
    if strict and ending.status == LineStatus.FAILURE:
        return Counted((), shut(db, child.join))
    opening = ending.siblings
    if child.halt == Halt.STOP or not (queued or (unopened and opening is not None)):
        return Counted((), remaining)
    if opening is not None and opening.after:
        remaining -= _pass_on(db, child, opening, good=ending.status == LineStatus.SUCCESS)
    if queued or opening is None:
        reopen_next(db, child.join, child.halt, child.now)
        return Counted((), remaining, freed=True)
    home = Home(run, child.parent, child.join, driver if opening.queue == ending.queue else None)
    if opening.after:
        return Counted(open_followers(db, home, opening, child.halt), remaining)
    db.execute("UPDATE joins SET unopened = unopened - 1 WHERE id = ?", (child.join,))
    return Counted((insert_child(db, home, opening, total - unopened, child.halt),), remaining)


def open_followers(db: sqlite3.Connection, home: Home, opening: Opening, halt: int = 0) -> tuple[LineRow, ...]:
    """Open those lines of a graph that wait for no other any more, as far as its limit allows."""
    join = home.join
    (running,) = db.execute("SELECT remaining - unopened - queued FROM joins WHERE id = ?", (join,)).fetchone()
    ready = db.execute(
        "SELECT idx FROM followers WHERE join_id = ? AND missing = 0 ORDER BY idx LIMIT ?",
        (join, max(opening.limit - running, 0)),
    ).fetchall()
    for (place,) in ready:
        _take_off(db, join, place, ended=0)
    return tuple(insert_child(db, home, opening, place, halt) for (place,) in ready)


def shut(db: sqlite3.Connection, join: int) -> int:
    """Open no more children of a join and tell the open ones to stop; return how many are still to finish."""
    db.execute(
        "UPDATE joins SET state = 'closing', remaining = remaining - unopened - queued, unopened = 0, queued = 0"
        " WHERE id = ?",
        (join,),
    )
    db.execute("DELETE FROM followers WHERE join_id = ?", (join,))
    db.execute("UPDATE lines SET halt = ? WHERE join_id = ? AND finished IS NULL", (Halt.STOP, join))
    remaining: int = db.execute("SELECT remaining FROM joins WHERE id = ?", (join,)).fetchone()[0]
    return remaining


def wake(db: sqlite3.Connection, driver: int, parent: int, queue: str | None, now: float) -> LineRow | None:
    """Go on with the parent of a finished join, which becomes the driver's where it is for a queue as the child was.

    Its epoch rises: whoever had it open is fenced off. It learns whether its time was over.
    """
    row = db.execute(
        f"UPDATE lines SET status = ?, owner = CASE WHEN queue IS ? THEN ? END, epoch = epoch + 1, due = NULL,"
        f" state = CASE WHEN due <= ? THEN ? ELSE state END WHERE id = ? AND status = ? RETURNING {LINE_COLUMNS}",
        (LineStatus.JOINED, queue, driver, now, OVERDUE, parent, LineStatus.JOIN),
    ).fetchone()
    return None if row is None else LineRow(*row)


def _pass_on(db: sqlite3.Connection, child: Finished, opening: Opening, *, good: bool) -> int:
    """Tell those that follow a child in its graph; where it has not succeeded they end with it, and are counted."""
    followers = list(_following(opening, child.place))
    if good:
        db.executemany(
            "UPDATE followers SET missing = missing - 1 WHERE join_id = ? AND idx = ?",
            [(child.join, place) for place in followers],
        )
        return 0
    ended = 0
    while followers:
        place = followers.pop()
        gone = _take_off(db, child.join, place, ended=1)
        ended += gone
        if gone:
            followers.extend(_following(opening, place))
    return ended


def _following(opening: Opening, place: int) -> Iterable[int]:
    if opening.following:
        return opening.following.get(place, ())
    return [further for further, before in opening.after.items() if place in before]


def _take_off(db: sqlite3.Connection, join: int, place: int, *, ended: int) -> int:
    """Take a line of a graph off those that wait, to open it or to end it unopened; return whether it was there."""
    gone = db.execute("DELETE FROM followers WHERE join_id = ? AND idx = ?", (join, place)).rowcount
    if gone:
        db.execute("UPDATE joins SET unopened = unopened - 1, remaining = remaining - ? WHERE id = ?", (ended, join))
    return gone
