"""Committing a group of steps: a plain one in one round trip, one with forks, joins or signals in three or more.

An answer that is lost with its connection is settled by doing the group again: only a line's owner raises ``seq``, so a
step that is refused then, whose line is at its epoch and one further, was written the first time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orderlines.stores.records import Committed
from orderlines_store_mysql.advancing import statements, writes_run
from orderlines_store_mysql.explaining import AnswerLost
from orderlines_store_mysql.group import Group
from orderlines_store_mysql.literals import numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orderlines.stores.records import Step
    from orderlines_store_mysql.connections import Connections
    from orderlines_store_mysql.link import Link
    from orderlines_store_mysql.transaction import Transaction

_WRITTEN: Final = Committed()
_FENCED: Final = Committed(refused="fenced")
_TRIES: Final = 3
"""How often the answer may be lost before the store counts as away."""
_Now = dict[int, tuple[int, int, int, Any]]
"""Epoch, seq, halt and end of lines, by their numbers."""


def commit(connections: Connections, driver: int, steps: Sequence[Step], now: float) -> list[Committed]:
    """Apply steps; see :meth:`orderlines.stores.base.Store.commit`.

    :raises AnswerLost: it cannot be found out what became of them.
    """
    work = _Commit(connections, driver, steps, now)
    for _ in range(_TRIES - 1):
        try:
            return work.do()
        except AnswerLost:
            work.lost = True
    return work.do()


class _Commit:
    """A group on its way.

    :ivar lost: whether it may have been written already.
    """

    def __init__(self, connections: Connections, driver: int, steps: Sequence[Step], now: float) -> None:
        self._connections = connections
        self._driver = driver
        self._now = now
        # Locks are taken in the order of the lines' numbers, whatever the order of the answers.
        self._order = sorted(range(len(steps)), key=lambda place: steps[place].line)
        self._steps = [steps[place] for place in self._order]
        self._plain = not any(map(_involved, steps))
        self._came: list[Committed] = []
        self.lost = False

    def do(self) -> list[Committed]:
        """Do it, and return what became of the steps in the order in which they were given."""
        if not self._steps:
            self._connections.reading(lambda link: None)
            return []
        done = self._connections.writing(self._apply)
        refused = [step.line for step, each in zip(self._steps, done, strict=True) if each.refused is not None]
        if refused:
            there = self._connections.reading(lambda link: _standing(link, refused))
            done = [self._refusal(place, each, there) for place, each in enumerate(done)]
        answers = [_FENCED] * len(done)
        for place, each in zip(self._order, done, strict=True):
            answers[place] = each
        return answers

    def _apply(self, transaction: Transaction) -> list[Committed]:
        if self._plain:
            return self._apply_plain(transaction)
        came = Group(transaction, self._driver, self._now).apply(self._steps)
        # From here on nothing but the COMMIT can fail, and should its answer be lost, this is what has come of it.
        if any(each.refused is None for each in came):
            self._came = came
        transaction.commit()
        return came

    def _apply_plain(self, transaction: Transaction) -> list[Committed]:
        packet: list[str] = []
        locks = sorted({step.run for step in self._steps if writes_run(step)})
        if locks:
            packet.append(f"SELECT id FROM ol_runs WHERE id IN {numbers(locks)} ORDER BY id FOR UPDATE")
        places = []
        for step in self._steps:
            places.append(len(packet))
            packet.extend(statements(self._driver, step, self._now))
        answers = transaction.commit(*packet)
        return [_WRITTEN if answers[place].matched == 1 else _FENCED for place in places]

    def _refusal(self, place: int, done: Committed, there: _Now) -> Committed:
        """Say why a step is refused, or what came of it when it was written before."""
        if done.refused is None:
            return done
        step = self._steps[place]
        epoch, seq, halt, finished = there.get(step.line, (None, None, 0, None))
        if self.lost and (epoch, seq) == (step.epoch, step.seq + 1):
            return self._came[place] if self._came else _WRITTEN
        if (epoch, seq) != (step.epoch, step.seq) or finished is not None:
            return _FENCED
        return Committed(refused="halted", halt=int(halt))


def _involved(step: Step) -> bool:
    """Return whether a step has to do with other lines than its own."""
    child = step.ending is not None and step.ending.home is not None
    return child or step.lift or step.moves or step.opening is not None or step.closes is not None or bool(step.waits)


def _standing(link: Link, lines: Iterable[int]) -> _Now:
    rows = link.ask(f"SELECT id, epoch, seq, halt, finished FROM ol_lines WHERE id IN {numbers(lines)}")
    return {row[0]: row[1:] for row in rows}
