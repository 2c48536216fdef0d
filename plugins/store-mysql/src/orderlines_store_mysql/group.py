"""A group of steps that fork, join, wait for signals or lift wishes.

What is there is read under locks at the beginning; what comes of the steps is worked out here, and written together.
Only what has to be known on the way is asked for at once: the number of a new join, a graph's next lines, a signal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from orderlines.states import OVERDUE, Halt, LineStatus
from orderlines.stores.addressing import taker
from orderlines.stores.records import Committed, LineRow
from orderlines_store_mysql import graphs
from orderlines_store_mysql.advancing import statements
from orderlines_store_mysql.claiming import RUNG
from orderlines_store_mysql.literals import many, numbers, put, texts
from orderlines_store_mysql.locking import Join, Locked
from orderlines_store_mysql.reopening import reopen_next
from orderlines_store_mysql.schema import LINE_COLUMNS
from orderlines_store_mysql.wishes import standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.stores.records import Ending, Opening, Step
    from orderlines_store_mysql.link import Answer
    from orderlines_store_mysql.locking import Line
    from orderlines_store_mysql.transaction import Transaction

_CHILDREN: Final = (
    "INSERT INTO ol_lines (run, path, parent, join_id, idx, block, status, cur, seq, epoch, owner, halt, attempt,"
    " crashes, tasks, vars, vars_at, flow, queue, rings, rung, waiting_since) VALUES"
)
_JOIN: Final = (
    "INSERT INTO ol_joins (line, label, state, total, remaining, unopened, stop_on_failure, bound, after, span)"
    " VALUES (%s, %s, 'open', %s, %s, %s, %s, %s, %s, %s)"
)
_WAKE: Final = (
    # MySQL assigns from left to right: `due` comes last.
    "UPDATE ol_lines SET status = %s, owner = %s, epoch = epoch + 1, state = IF(due <= %s, %s, state), due = NULL"
    " WHERE id = %s AND status = %s"
)
_RING: Final = f"UPDATE ol_lines SET queue = %s, {RUNG} WHERE id = %s"
_SIGNALLED: Final = (
    "UPDATE ol_lines SET status = %s, state = %s, due = NULL, owner = %s, epoch = epoch + 1 WHERE id = %s"
)
_FENCED: Final = Committed(refused="fenced")


class _Home(NamedTuple):
    """Where children are opened: run, parent's line, join; the wish that stands on them, and the driver they are for.

    ``owner`` is ``None`` where they are left to the workers of a queue; a ring is noted then.
    """

    run: int
    parent: int
    join: int
    halt: int
    owner: int | None


class _Opened(NamedTuple):
    """Children whose numbers are known once the statement at ``place`` has its answer."""

    place: int
    opening: Opening
    home: _Home


class _Came:
    """What has come of a step so far; the numbers of new lines come with the answers.

    :ivar woken: the place of the answer with the line that the driver goes on with.
    :ivar left: the same, of a line for a queue that is left to its workers.
    """

    def __init__(self) -> None:
        self.opened: list[_Opened] = []
        self.woken: int | None = None
        self.left: int | None = None
        self.freed = False


class Group:
    """A group of steps in a transaction, by a driver, at a moment."""

    def __init__(self, transaction: Transaction, driver: int, now: float) -> None:
        self.transaction = transaction
        self._driver = driver
        self._now = now
        self._queue: list[str] = []
        self._checked: list[int] = []
        self._answers: list[Answer] = []

    def apply(self, steps: Sequence[Step]) -> list[Committed]:
        """Apply steps in their order, but for the COMMIT; return what has come of each."""
        self.locked = Locked(self.transaction, steps)
        came = [self._step(step) for step in steps]
        self.flush()
        return [each if isinstance(each, Committed) else self._committed(each) for each in came]

    # Sending

    def write(self, *written: str) -> int:
        """Send statements with the next packet; return the place of the last one's answer."""
        self._queue += written
        return len(self._answers) + len(self._queue) - 1

    def flush(self) -> None:
        """Send what is waiting."""
        self._queue += [join.written() for join in self.locked.joins.values() if join.changed]
        if self._queue:
            self._answers += self.transaction.ask(*self._queue)
            self._queue = []
        if any(self._answers[place].matched != 1 for place in self._checked):
            raise RuntimeError("a line that was locked has changed")
        self._checked.clear()

    def ask(self, statement: str) -> Answer:
        """Send what is waiting and a statement, and return its answer."""
        self.flush()
        self._answers += self.transaction.ask(statement)
        return self._answers[-1]

    # Steps

    def _step(self, step: Step) -> Committed | _Came:
        line = self.locked.lines.get(step.line)
        if line is None or (line.epoch, line.seq) != (step.epoch, step.seq) or line.ended:
            return _FENCED
        if line.halt > step.halt:
            return Committed(refused="halted", halt=line.halt)
        first, *others = statements(self._driver, step, self._now)
        self._checked.append(self.write(first))
        self.write(*others)
        line.seq, line.status, line.ended = line.seq + 1, step.status, step.ending is not None
        if step.lift:
            line.halt = standing(self.locked.wishes[step.run])
            self.write(put("UPDATE ol_lines SET halt = %s WHERE id = %s", line.halt, line.id))
        came = _Came()
        if step.ending is not None:
            self._end(step, step.ending, came)
        elif step.opening is not None:
            self._open_join(step, step.opening, came)
        elif step.closes is not None:
            self._close_join(step, step.closes, came)
        elif step.moves:
            line.queue = step.queue
            came.left = self._leave(line)
        elif step.waits:
            self._take_signal(step, came)
        return came

    def _end(self, step: Step, ending: Ending, came: _Came) -> None:
        """Count a child that has ended: open what follows, or close the join, or wake the parent."""
        if ending.home is None:
            return
        parent, number, place = ending.home
        join = self.locked.joins[number]
        halt = standing(self.locked.wishes[step.run]) if step.halt == Halt.SKIP else step.halt
        join.remaining -= 1
        join.changed = True
        if join.state == "open":
            if join.strict and ending.status == LineStatus.FAILURE:
                self._shut(join)
            elif halt != Halt.STOP and (join.queued or (join.unopened and ending.siblings is not None)):
                self._go_on(step.run, join, (parent, place, halt), ending, came)
        if join.remaining == 0:
            self._wake(parent, ending.queue, came)

    def _go_on(self, run: int, join: Join, child: tuple[int, int, int], ending: Ending, came: _Came) -> None:
        """Open or reopen what may be open now that a child has ended."""
        parent, place, halt = child
        opening = ending.siblings
        if opening is not None and opening.after:
            graphs.pass_on(self, join, opening, place, good=ending.status == LineStatus.SUCCESS)
        if join.queued or opening is None:
            join.queued -= 1
            self.flush()
            reopen_next(self.transaction, join.id, halt, self._now)
            came.freed = True
            return
        home = _Home(run, parent, join.id, halt, self._driver if opening.queue == ending.queue else None)
        if opening.after:
            self._open_followers(home, join, opening, came)
        else:
            first = join.total - join.unopened
            join.unopened -= 1
            self._open(home, opening, [first], came)

    def _open_followers(self, home: _Home, join: Join, opening: Opening, came: _Came) -> None:
        ready = graphs.ready(self, join, opening)
        if ready:
            self._open(home, opening, ready, came)

    def _open(self, home: _Home, opening: Opening, places: Sequence[int], came: _Came) -> None:
        """Open children of a join."""
        run, parent, join, halt, owner = home
        ring = (0, None, None) if owner is not None else (1, self._now, self._now)
        rows = [
            (
                run, opening.prefix + opening.names[place], parent, join, place, opening.blocks[place],
                LineStatus.READY, 0, 0, 1, owner, halt, 0, 0, 0, opening.vars, 0, opening.flow, opening.queue, *ring,
            )
            for place in places
        ]  # fmt: skip
        self.write(*many(_CHILDREN, rows))
        asked = f"SELECT id, idx FROM ol_lines WHERE join_id = {join} AND idx IN {numbers(places)} ORDER BY idx"
        came.opened.append(_Opened(self.write(asked), opening, home))

    def _open_join(self, step: Step, opening: Opening, came: _Came) -> None:
        total = len(opening.names)
        first = min(opening.limit, total) if not opening.after else 0
        after = json.dumps(opening.after) if opening.after else None
        span = None if step.due is None or step.began is None else step.due - step.began
        strict = int(opening.stop_on_failure)
        row = (step.line, opening.label, total, total, total - first, strict, opening.limit, after, span)
        number = self.ask(put(_JOIN, *row)).last
        home = _Home(step.run, step.line, number, Halt.NONE, self._driver if opening.queue is None else None)
        if opening.after:
            join = Join((number, step.line, opening.label, "open", total, total, total, 0, strict))
            self.locked.joins[number] = join
            graphs.enter(self, join, opening)
            self._open_followers(home, join, opening, came)
        elif first:
            self._open(home, opening, range(first), came)

    def _close_join(self, step: Step, label: str, came: _Came) -> None:
        join = self.locked.join_of(step.line, label)
        if join.state == "open":
            self._shut(join)
        if join.remaining == 0:
            self._wake(step.line, self.locked.lines[step.line].queue, came)

    def _shut(self, join: Join) -> None:
        """Open no more children of a join and tell the open ones to stop."""
        join.state, join.changed = "closing", True
        join.remaining -= join.unopened + join.queued
        join.unopened = join.queued = 0
        self.locked.halt_children(join.id, Halt.STOP)
        stop = "UPDATE ol_lines SET halt = %s WHERE join_id = %s AND finished IS NULL ORDER BY id"
        self.write(graphs.forgotten(join), put(stop, Halt.STOP, join.id))

    def _wake(self, number: int, queue: str | None, came: _Came) -> None:
        """Go on with the parent of a finished join, which becomes the driver's where it is for the same queue.

        Its epoch rises: whoever had it open is fenced off. It learns whether its time was over.
        """
        if not self.locked.wake(number):
            return
        line = self.locked.lines[number]
        mine = line.queue == queue
        owner = self._driver if mine else None
        self.write(put(_WAKE, LineStatus.JOINED, owner, self._now, OVERDUE, number, LineStatus.JOIN))
        if mine:
            came.woken = self._read(number)
            return
        came.freed = True
        if line.queue is not None:
            came.left = self._leave(line)

    def _leave(self, line: Line) -> int:
        """Note a ring for a line that is left to the workers of its queue; return the place of the answer with it."""
        self.write(put(_RING, line.queue, self._now, self._now, line.id))
        return self._read(line.id)

    def _read(self, line: int) -> int:
        return self.write(put(f"SELECT {LINE_COLUMNS} FROM ol_lines WHERE id = %s", line))

    def _take_signal(self, step: Step, came: _Came) -> None:
        """Give a line that begins to wait the signal that was there before it, if there is one."""
        found = self.ask(
            f"SELECT id, data FROM ol_signals WHERE run = {step.run} AND line IS NULL AND target IN {texts(step.waits)}"
            " ORDER BY id LIMIT 1"
        ).rows
        if found:
            number, data = found[0]
            line = self.locked.lines[step.line]
            by = taker(line.id, step.before + len(step.tasks), root=line.join is None)
            self.write(put("UPDATE ol_signals SET line = %s WHERE id = %s", by, number))
            self.write(put(_SIGNALLED, LineStatus.SIGNALLED, data, self._driver, step.line))
            line.epoch += 1
            came.woken = self._read(line.id)

    # Answers

    def _committed(self, came: _Came) -> Committed:
        children = [row for each in came.opened for row in self._children(each)]
        opened = tuple(row for row in children if row.owner is not None)
        left = tuple(row for row in children if row.owner is None)
        if came.left is not None:
            left += (self._line(came.left),)
        woken = None if came.woken is None else self._line(came.woken)
        return Committed(opened=opened, woken=woken, freed=came.freed, left=left)

    def _line(self, place: int) -> LineRow:
        return LineRow(*self._answers[place].rows[0])

    def _children(self, opened: _Opened) -> list[LineRow]:
        opening = opened.opening
        run, parent, join, halt, owner = opened.home
        rings = 0 if owner is not None else 1
        return [
            LineRow(
                number, run, opening.prefix + opening.names[place], parent, join, place, opening.blocks[place],
                LineStatus.READY, 0, 0, 1, owner, halt, None, 0, None, None, 0, None, 0, opening.vars, 0, opening.flow,
                opening.queue, rings,
            )
            for number, place in self._answers[opened.place].rows
        ]  # fmt: skip
