"""A run that several workers drive in turns, while people interfere and workers die: all by chance, in one thread."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import orderlines
from orderlines.acceptance import new_run
from orderlines.control.addresses import address_of
from orderlines.control.retrying import retry
from orderlines.control.signals import signal
from orderlines.control.wishes import pause, resume, stop
from orderlines.draining import Drainer
from orderlines.errors import Refused
from orderlines.keptflows import KeptFlows
from orderlines.plugins import registry
from orderlines.states import FINAL, LineStatus, RunStatus, TaskStatus
from orderlines.testing import witness
from orderlines.testing.drivers.lives import Clock
from orderlines.testing.fate import Fate, Killed
from orderlines.testing.invariants import Invariants

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    from tests.disturbed_flows import DisturbedFlow

    from orderlines.stores.base import Store
    from orderlines.stores.records import KeptTask, RunRow

BEGIN = 1_800_000_000.0
PUSHES = 20
"""Times that a run may be given what it waits for, without anything coming of it."""
DEATHS = 2
"""Workers that die in a run, at most: a third crash of one task would make it fail."""

_GOOD = {TaskStatus.SUCCESS, TaskStatus.SKIP}
Visit = tuple[str, str, int]
Given = dict[str, Any]


class Rounds(float):
    """A moment that comes after so many looks at the clock."""

    left = 0

    def __new__(cls, left: int) -> Self:
        made = super().__new__(cls, 0.0)
        made.left = left
        return made

    def __gt__(self, other: float) -> bool:
        self.left -= 1
        return self.left >= 0


class Worker:
    """One that drives lines, and dies at a write or a call if that is its fate."""

    def __init__(self, store: Store, clock: Clock | None) -> None:
        if clock is not None:
            store.now = clock  # type: ignore[method-assign]
        self.store = store
        self.meanwhile: dict[int, Callable[[], object]] = {0: dict}
        self.fate = Fate(0, meanwhile=self.meanwhile)
        self.fate.rule(store)
        # They are kept by a thread of their own, which is not to die.
        store.keep_logs = store.keep_progress = _unheard  # type: ignore[method-assign]
        self.drainer = Drainer(store, registry(), ["default"])

    def drain(self, rounds: int) -> bool:
        """Go on for a while; return whether there may be more to do."""
        return self.drainer.drain(Rounds(rounds))

    def leave(self) -> None:
        self.drainer.close()
        self.drainer.part()
        self.store.close()


class Came(NamedTuple):
    """What a run has come to."""

    status: str
    variables: dict[str, Any]
    tasks: list[str]


class Game:
    """One run of a flow.

    :param folder: a new folder.
    :param given: the variables that the run begins with.
    :param acts: how often somebody interferes.
    :ivar given: the variables that it was begun anew with in the end.
    """

    def __init__(
        self,
        flow: DisturbedFlow,
        folder: Path,
        make: Callable[[], Store],
        chance: Random,
        *,
        given: Given,
        workers: int = 1,
        acts: int = 0,
    ) -> None:
        (folder / "sub.json").write_text(json.dumps(flow.sub), encoding="utf-8")
        (folder / "flow.json").write_text(json.dumps(flow.document), encoding="utf-8")
        self._make = make
        self.given = {"begun": 0, **given} if "begun" in flow.document["vars"] else {}
        self._chance = chance
        self._acts = acts
        self._deaths = DEATHS if acts else 0
        self._store = make()
        self._clock = Clock(BEGIN) if self._store.url.startswith("sqlite:") else None
        if self._clock is not None:
            self._store.now = self._clock  # type: ignore[method-assign]
        witness.clock = self._call
        self._run = self._store.accept(
            new_run(orderlines.load(folder / "flow.json"), self.given, None, None)._replace(queue="default")
        )
        self._flows = KeptFlows(self._store, self._run, registry())
        self._signals = _signals(flow.document)
        self._nodes = [node["id"] for node in flow.document["line"]]
        self._workers = [self._worker() for _ in range(workers)]
        self._book = Invariants(self._store, folder / "log")
        self._calls = 0
        self._call_of_fate = 0
        self._dead: list[int] = []
        self._back = False
        self._done: dict[Visit, KeptTask] = {}
        self._sent: dict[str, int] = {}
        self.history: list[str] = []

    def play(self) -> Came:
        """Bring it to its success."""
        idle = pushed = 0
        while pushed < PUSHES:
            row = self._row()
            if row.status in FINAL or self._chance.random() < 0.1:
                self._look()
            if row.status == RunStatus.SUCCESS:
                return self._over()
            if self._chance.random() < 0.15 or row.status in FINAL:
                self._disturb(row)
            if self._turn():
                idle = pushed = 0
            elif idle < 2 * len(self._workers):
                idle += 1
            else:
                self._push()
                idle, pushed = 0, pushed + 1
        raise AssertionError(f"it never ends: {self._row()}, {self._store.lines(self._run.id)}")

    def _row(self) -> RunRow:
        row = self._store.run(self._run.id)
        assert row is not None
        return row

    # Workers

    def _call(self) -> float:
        """Be asked for the time by a call that begins or ends, in the middle of which somebody may interfere."""
        self._calls += 1
        if self._calls == self._call_of_fate:
            self._say("in a call:")
            self._disturb(self._row())
        return self._store.now()

    def _worker(self) -> Worker:
        return Worker(self._make(), self._clock)

    def _turn(self) -> bool:
        """Let one of the workers go on for a while; return whether it has written anything."""
        place = self._chance.randrange(len(self._workers))
        worker = self._workers[place]
        before = worker.fate.writes
        soon = before + self._chance.randint(1, 8)
        if self._acts and self._chance.random() < 0.3:
            worker.meanwhile[soon] = lambda: self._disturb(self._row())
        elif self._acts and self._chance.random() < 0.3:
            self._call_of_fate = self._calls + self._chance.randint(1, 4)
        elif self._acts and self._deaths and self._chance.random() < 0.1:
            worker.fate.number, worker.fate.when = soon, self._chance.choice(["before", "after"])
        try:
            more = worker.drain(self._chance.choice([1, 2, 3, 10]))
        except Killed:
            self._deaths -= 1
            self._say(f"worker {place} died {worker.fate.when} write {soon - before} of its turn")
            worker.store.close()
            self._dead.append(worker.drainer.id)
            self._workers[place] = self._worker()
            return True
        finally:
            self._call_of_fate = 0
        worker.meanwhile.pop(soon, None)
        worker.fate.number = 0
        if self._dead and self._chance.random() < 0.3:
            self._bury()
        if self._acts and self._deaths and len(self._workers) > 1 and self._chance.random() < 0.03:
            self._say(f"worker {place} is taken for dead")
            self._deaths -= 1
            self._book.orphans = True
            self._store.dismiss([worker.drainer.id])
        if self._acts and self._chance.random() < 0.05:
            self._say(f"worker {place} left")
            worker.leave()
            self._workers[place] = self._worker()
        return worker.fate.writes > before or (more and worker.drainer.holds)

    def _bury(self) -> None:
        """Find that the leases of the dead are over."""
        self._store.dismiss(self._dead)
        self._dead = []

    # Those who interfere

    def _disturb(self, row: RunRow) -> None:
        """Do something, as long as that is to be."""
        if row.status in FINAL:
            self._retry(row)
        elif self._acts:
            self._acts -= 1
            act = self._chance.choice([self._pause, self._resume, self._resume, self._stop, self._early, self._send])
            with suppress(Refused):
                act(row)

    def _say(self, what: str) -> None:
        self.history.append(what)

    def _pause(self, row: RunRow) -> None:
        pause(self._store, row)
        self._say("pause")

    def _resume(self, row: RunRow) -> None:
        resume(self._store, row)
        self._say("resume")

    def _stop(self, row: RunRow) -> None:
        stop(self._store, row)
        self._book.stopped(row)
        self._say("stop")

    def _retry(self, row: RunRow) -> None:
        if row.status != RunStatus.SUCCESS:
            back, given = None, {}
            if self._acts and self._chance.random() < 0.2:
                back = self._chance.choice([self._nodes[0], *self._nodes])
                if back == self._nodes[0] and "begun" in self.given:
                    given = {"begun": self._chance.randint(1, 9)}
            with suppress(Refused):
                retry(self._store, row, back, given, registry())
                self.given |= given
                self._say(f"retry after {row.status} from {back} with {given}")
                if back is not None:
                    self._back = self._book.given_back = True
                    self._done = {}

    def _early(self, row: RunRow) -> None:
        """Send a signal for which nothing waits yet, or perhaps."""
        if self._signals:
            self._signal(row, self._chance.choice(self._signals))

    def _send(self, row: RunRow) -> None:
        """Send what is waited for."""
        for line in self._store.lines(row.id):
            node = self._flows.at(line)
            if line.status == LineStatus.SIGNAL and node is not None:
                self._signal(row, address_of(line, node))

    def _signal(self, row: RunRow, address: str) -> None:
        name = address.rpartition("/")[2]
        key = self._chance.choice([None, f"key {address} {len(self.history)}"])
        for _ in range(1 if key is None else 2):
            if signal(self._store, row, address, name, key, registry()):
                self._sent[name] = self._sent.get(name, 0) + 1
        self._say(f"signal {address}")

    def _push(self) -> None:
        """Give the run what it waits for."""
        row = self._row()
        if row.status in FINAL:
            self._retry(row)
            return
        self._bury()
        if self._clock is not None:
            self._clock.move(100.0)
        with suppress(Refused):
            resume(self._store, row)
        self._no_signal_is_lost()
        with suppress(Refused):
            self._send(row)

    # What must hold

    def _look(self) -> None:
        """Look whether what has succeeded stays as it is."""
        tasks = {(kept.line, kept.task.node, kept.task.visit): kept for kept in self._store.tasks(self._run.id)}
        for visit, kept in self._done.items():
            assert tasks.get(visit) == kept, f"{kept} has become {tasks.get(visit)}"
        self._done = {
            visit: kept
            for visit, kept in tasks.items()
            if kept.task.status in _GOOD and ":" not in kept.task.node  # that of `on_failure` is made anew
        }
        for name in self._signals if not self._back else ():
            taken = sum(node == name for _, node, _ in self._done)
            assert taken <= self._sent.get(name, 0), f"signal {name} was taken {taken} times"

    def _no_signal_is_lost(self) -> None:
        row = self._row()
        if row.wish is not None or self._back:
            return
        lines = {status: self._at(status) for status in (LineStatus.SIGNAL, LineStatus.SIGNALLED)}
        ended = [kept.task.node for kept in self._store.tasks(self._run.id) if kept.task.status == TaskStatus.SUCCESS]
        for node in lines[LineStatus.SIGNAL]:
            taken = (ended + lines[LineStatus.SIGNALLED]).count(node)
            assert taken == self._sent.get(node, 0), f"a line waits for {node}, which was sent"

    def _at(self, status: str) -> list[str]:
        """Return the nodes at which lines of a status are."""
        lines = [line for line in self._store.lines(self._run.id) if line.status == status]
        return [node.id for line in lines if (node := self._flows.at(line)) is not None]

    def _over(self) -> Came:
        self._bury()
        for worker in self._workers:
            worker.leave()
        self._book.over()
        row = self._row()
        tasks = [
            json.dumps([kept.line, task.node, task.visit, task.status, task.result, task.assigned])
            for kept in self._store.tasks(self._run.id)
            for task in [kept.task]
        ]
        self._store.close()
        return Came(row.status, json.loads(row.variables or "{}"), sorted(tasks))


def _unheard(rows: object) -> None:
    """Keep nothing: what nobody asks for."""


def _signals(document: Any) -> list[str]:
    """Return the nodes that wait for a signal."""
    if isinstance(document, list):
        return [name for each in document for name in _signals(each)]
    if not isinstance(document, dict):
        return []
    own = [document["id"]] if "signal" in document else []
    return [*own, *(name for each in document.values() for name in _signals(each))]
