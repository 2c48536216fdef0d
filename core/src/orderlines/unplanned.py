"""Ending, because somebody wishes it, a run whose plan cannot be made here: a plugin of it is missing or broken.

Its lines are ended where they stand, from the innermost outwards. Of what was in flight no task is written, and no
``on_failure`` is called: only what another round needs is kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from orderlines.errors import PluginError, ValueLost, ValueNotStorable
from orderlines.keptflows import KeptFlows
from orderlines.line.state import Error
from orderlines.processes.identity import ProcessIdentity
from orderlines.states import FINAL, Halt, LineStatus, TaskStatus
from orderlines.stores.records import Ending, Step, TaskRow
from orderlines.stores.references import Verbatim, lost
from orderlines.values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow, RunRow

BATCH: Final = 256
"""Lines that are taken at once, at most."""


def end_unplanned(store: Store, registry: Registry, run: RunRow, queues: Sequence[str] | None) -> bool:
    """Do what is wished of a run whose lines are for queues that no worker serves; return whether it is over.

    :param queues: as :class:`Unplanned` takes them.
    """
    driver = store.enroll(ProcessIdentity.current())
    try:
        return Unplanned(store, registry, driver, queues).end(run)
    finally:
        store.dismiss([driver])


class Unplanned:
    """Ends runs for one driver.

    :param queues: those whose lines are the driver's; ``None``: those that are for no queue.
    """

    def __init__(self, store: Store, registry: Registry, driver: int, queues: Sequence[str] | None) -> None:
        self._store = store
        self._registry = registry
        self._driver = driver
        self._queues = queues

    def end(self, run: RunRow) -> bool:
        """Do what is wished of a run, as far as nobody has its lines; return whether it is over."""
        if self.ends(run):
            while lines := self._store.claim(self._driver, [run.id], BATCH, self._queues):
                ended = [self._end_line(line, run) for line in lines]
                if not any(ended):
                    break
        row = self._store.run(run.id)
        return row is None or row.status in FINAL

    def ends(self, run: RunRow) -> bool:
        """Return whether a run is to end here.

        Where only workers may know the plan of a run, one that is out of time is left to those that do.
        """
        return run.wish == "stop" or (run.wish == "timeout" and self._queues is None)

    def _end_line(self, line: LineRow, run: RunRow) -> bool:
        """End a line, and those that waited for it alone; return whether something has changed."""
        following: LineRow | None = line
        while following is not None:
            line = following
            # An `on_failure` call of a run that is out of time is the one thing in it that nobody has stopped.
            halted = line.halt == Halt.STOP or line.status == LineStatus.HANDLER
            done = self._store.commit(self._driver, [self._step(line, run)])[0] if halted else None
            if done is None or done.refused is not None:
                self._store.release(self._driver, [line.id])
                return False
            following = done.woken
        return True

    def _step(self, line: LineRow, run: RunRow) -> Step:
        step = Step(
            line.id, line.run, line.epoch, line.seq, line.status, line.cursor, line.halt, line.tasks, keep=False,
            attempt=line.attempt, began=line.began,
        )  # fmt: skip
        if line.status == LineStatus.JOIN:
            return step._replace(closes=self._label(line))
        status, error = self._fate(line, run)
        home = None if line.parent is None else (line.parent, line.join or 0, line.place)
        # Those of a line below it are kept as they are: nobody reads them before another round.
        variables = self._variables(line) if line.parent is None else None
        ending = Ending(status, None if error is None else error.text(), None, variables, None, home, line.queue)
        return step._replace(status=status, tasks=self._tasks(line, run), ending=ending)

    def _fate(self, line: LineRow, run: RunRow) -> tuple[str, Error | None]:
        """Return how a line ends."""
        if line.status == LineStatus.HANDLER:
            kept = json.loads(line.state or "{}")
            return LineStatus.FAILURE, Error(*(kept.get(name, "") for name in Error._fields))
        if line.parent is None and run.wish == "timeout":
            told = "the run took longer than its timeout"
            return LineStatus.FAILURE, Error(self._node(line, run) or "", "", "Timeout", told)
        return LineStatus.STOP, None

    def _label(self, line: LineRow) -> str:
        """Return the name of the join that a line waits for: the one that it has opened last."""
        (*_, child) = (row for row in self._store.lines(line.run) if row.parent == line.id)
        return child.path.split("/")[-2]

    def _tasks(self, line: LineRow, run: RunRow) -> tuple[TaskRow, ...]:
        """Return the task of a line from which another round goes on: with a join that is over, a signal that came."""
        if line.status == LineStatus.JOINED:
            node, _, number = self._label(line).partition("#")
            return (self._stopped(line, node, int(number.partition(".")[0]), None),)
        at = self._node(line, run) if line.status == LineStatus.SIGNALLED else None
        if at is not None:
            visit = self._store.visits(line.id).get(at, 0) + 1
            return (self._stopped(line, at, visit, Verbatim(line.state or "null")),)
        return ()

    def _node(self, line: LineRow, run: RunRow) -> str | None:
        """Return the node at which a line stands; ``None`` where nobody can say: the type of a node is not known."""
        try:
            at = KeptFlows(self._store, run, self._registry).at(line)
        except PluginError:
            return None
        return None if at is None else at.id

    def _stopped(self, line: LineRow, node: str, visit: int, result: str | None) -> TaskRow:
        told = Error(node, line.path, "Stopped", "it was stopped").text()
        now = self._store.now()
        began = now if line.began is None else line.began
        return TaskRow(node, visit, TaskStatus.STOP, max(line.attempt, 1), None, began, now, result, told)

    def _variables(self, line: LineRow) -> str | None:
        """Return the variables of the root line as they stand; ``None`` where they can only be kept one by one."""
        try:
            own = {} if line.vars is None else decode(self._store.whole(line.vars))
            for text in self._store.assigned(line.id, line.vars_at):
                own.update(decode(self._store.whole(text)))
        except ValueLost as error:
            return lost(str(error))
        try:
            return encode(own)
        except ValueNotStorable:
            return None
