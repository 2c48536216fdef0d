"""Drivers as a test plays them: the line machine on a store, with a clock, outcomes and deaths that chance decides."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from orderlines import line as machine
from orderlines.driving.serving import Served
from orderlines.executors.base import Outcome
from orderlines.processes.identity import ProcessIdentity
from orderlines.states import FINAL, RELEASED, Halt, LineStatus
from orderlines.stores.sqlite import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from orderlines.line import Begin, Line, Turn
    from orderlines.plan import Plan, PlannedCall
    from orderlines.stores.records import LineRow, RunRow

Flight = tuple["Line", "Begin"]
DEATHS = 2
"""So many that no task comes to three: that one would fail."""


class Clocked(SQLiteStore):
    """A store whose clock a test moves."""

    moment = 1_000.0

    def now(self) -> float:
        return self.moment


class Game:
    """One run, its drivers, and what must always hold.

    :ivar stopped: whether the wish to stop has been committed.
    :ivar failures: how often each shaky task has raised.
    """

    def __init__(self, store: Clocked, run: RunRow, plan: Plan, chance: Random) -> None:
        self.store = store
        self.run = run
        self.plan = plan
        self.chance = chance
        self.stopped = False
        self.deaths = 0
        self.failures: Counter[str] = Counter()
        self.recorded: set[tuple[str, str, int]] = set()
        self.woken: set[tuple[int, int]] = set()
        self.players = [Player(self), Player(self)]

    def play(self, *, stop_after: int | None) -> RunRow:
        """Play until the run has ended."""
        for turn in range(3_000):
            row = self.store.run(self.run.id)
            assert row is not None
            if row.status in FINAL:
                return row
            if turn == stop_after:
                self.store.wish(self.run.id, "stop")
                self.stopped = True
            self._move()
        raise AssertionError(f"the run does not end: {self.store.lines(self.run.id)}")

    def _move(self) -> None:
        place = self.chance.randrange(len(self.players))
        fate = self.chance.random()
        if fate < 0.05:
            self.players[place].leave(RELEASED)
            self.players[place] = Player(self)
        elif fate < 0.1 and self.deaths < DEATHS:
            self.deaths += 1
            self.players[place].leave("signal 9")
            self.players[place] = Player(self)
        else:
            self.store.moment += 0.3
            self.players[place].act()

    def begun(self, line: Line, begin: Begin) -> None:
        """Check that a call may begin."""
        assert (line.path, begin.node, begin.visit) not in self.recorded, "a recorded task begins again"
        assert not self.stopped, "something begins after a committed stop"

    def wrote(self, line: Line, turn: Turn, woken: LineRow | None) -> None:
        """Take note of a committed step."""
        for task in turn.step.tasks if turn.step is not None else ():
            key = (line.path, task.node, task.visit)
            assert key not in self.recorded, "a completion is recorded twice"
            self.recorded.add(key)
        if woken is not None:
            join = (woken.id, woken.tasks)
            assert join not in self.woken, "a join wakes its line twice"
            self.woken.add(join)


def served(game: Game) -> Served:
    """Return the run as a driver sees it that has just begun to serve it; none of these flows enters another."""
    return Served(game.store, game.run, game.plan, lambda _: game.plan)


class Player:
    """A driver: its lines, the calls that it has begun, and those that are ready or wait for a slot."""

    def __init__(self, game: Game) -> None:
        self.game = game
        self.store = game.store
        self.id = self.store.enroll(ProcessIdentity.current())
        self.served = served(game)
        self.lines: dict[int, Line] = {}
        self.ready: list[Line] = []
        self.flights: list[Flight] = []

    def leave(self, reason: str) -> None:
        """End, on order or not."""
        self.store.release(self.id, self.store.owned(self.id), reason)
        self.store.dismiss([self.id])

    def act(self) -> None:
        """Look around, and make a group of steps of some of what can go on, in any order."""
        chance = self.game.chance
        self._look()
        events: list[tuple[Line, Outcome | None]] = [(line, None) for line in self.ready]
        flights, self.ready, self.flights = self.flights, [], []
        for flight in flights:
            if chance.random() < 0.6:
                events.append((flight[0], self._outcome(*flight)))
            else:
                self.flights.append(flight)
        chance.shuffle(events)
        self._commit(events)
        for line in self.lines.values():
            self._check(line)

    def _look(self) -> None:
        for number, halt in self.store.halted(self.id):
            self.lines[number].halt = halt
        for row in self.store.claim(self.id, [self.game.run.id], 5):
            self._adopt(self.served.line(row))

    def _check(self, line: Line) -> None:
        """Check that a line made of what is kept is the one in memory."""
        row = self.store.line(line.id)
        if (row.epoch, row.seq) != (line.epoch, line.seq):
            return
        kept = served(self.game).line(row)
        assert kept.variables() == line.variables()
        assert kept.visits == line.visits
        # Of the outcomes, what anybody can ask it for.
        read, known = {**kept.before, **kept.memory}, {**line.before, **line.memory}
        needs = line.block.needs
        assert {node: read.get(node) for node in needs} == {node: known.get(node) for node in needs}
        assert kept.siblings == line.siblings
        for name in ("path", "parent", "place", "status", "cursor", "attempt", "began", "crashes", "tasks", "vars_at"):
            assert getattr(kept, name) == getattr(line, name), name

    def _adopt(self, line: Line) -> None:
        self.lines[line.id] = line
        self.ready.append(line)

    def _outcome(self, line: Line, begin: Begin) -> Outcome:
        key = f"{line.path}/{begin.node}/{begin.visit}"
        if line.halt == Halt.STOP:
            return _ended("ended")
        shaky = begin.node.startswith("shaky") and not self.game.failures[key]
        if begin.node.startswith("bad") or shaky:
            return _ended("raised")
        given = begin.arguments
        return _ended("returned", str(given["a"] + given.get("c", 0) + 1) if "a" in given else "null")

    def _commit(self, events: list[tuple[Line, Outcome | None]]) -> None:
        turns = [(line, self._turn(line, outcome), outcome) for line, outcome in events]
        written = [item for item in turns if item[1].step is not None]
        self.ready += [line for line, turn, _ in turns if turn.step is None]
        results = self.store.commit(self.id, [turn.step for _, turn, _ in written if turn.step is not None])
        for (line, turn, outcome), done in zip(written, results, strict=True):
            if done.refused == "halted":
                line.halt = done.halt
                self._commit([(line, outcome)])
            elif done.refused is None:
                self._settle(line, turn, outcome)
                self.game.wrote(line, turn, done.woken)
                for child in self._opened(line, turn, done.opened):
                    self._adopt(child)
                if done.woken is not None:
                    self._adopt(self.served.line(done.woken))

    def _opened(self, line: Line, turn: Turn, rows: Sequence[LineRow]) -> list[Line]:
        opening = None if turn.step is None else turn.step.opening
        if not rows:
            return []
        return (
            self.served.followed(line, rows) if opening is None else self.served.opened(line, opening, turn.each, rows)
        )

    def _turn(self, line: Line, outcome: Outcome | None) -> Turn:
        now = self.store.now()
        if line.halt == Halt.STOP:
            return machine.halted(line, now, "stop" if self.game.stopped else None, outcome, self._admit)
        if outcome is not None:
            return machine.complete(line, outcome, now, self._admit)
        if line.status == LineStatus.JOINED:
            return machine.joined(line, *self.served.children(line), now, self._admit)
        return machine.resume(line, now, self._admit)

    def _settle(self, line: Line, turn: Turn, outcome: Outcome | None) -> None:
        if outcome is not None and outcome.how == "raised":
            self.game.failures[f"{line.path}/{line.here.node.id}/{line.visits.get(line.here.node.id, 0) + 1}"] += 1
        machine.settle(line, turn)
        if turn.begin is not None:
            self.game.begun(line, turn.begin)
            self.flights.append((line, turn.begin))
        elif turn.wants is not None:
            self.ready.append(line)
        else:
            self.lines.pop(line.id, None)

    def _admit(self, call: PlannedCall, crashes: int) -> bool:
        return self.game.chance.random() < 0.8


def _ended(how: str, result: str | None = None) -> Outcome:
    kinds: Any = ("ValueError", "Exception") if how == "raised" else ()
    return Outcome(0, how, result, how, kinds, "", 0.0, 0.0)
