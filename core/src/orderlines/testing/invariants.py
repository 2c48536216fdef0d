"""What must hold of every run, whatever happened to it: read from its store, and from what its calls have witnessed.

I1: an accepted run reaches a final status. I2: no call starts after its completion was recorded. I3: final statuses
never change. I4: an attempt has one recorded outcome. I5: after a stop no attempt starts, and no process of the run is
left. I6: a key stands for one run. I7: a node starts only when the flow lets it. I8: no process and no lease is left
behind. I9: no secret is in a row, a log, or what somebody was told.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from orderlines.processes.identity import ProcessIdentity, alive
from orderlines.states import FINAL, TaskStatus
from orderlines.testing.bench import until
from orderlines.testing.walking import ENDS, Walk
from orderlines.testing.witness import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from orderlines.stores.base import Store
    from orderlines.stores.records import KeptTask, RunRow
    from orderlines.testing.witness import Said

MANY = 1_000_000
SLACK: Final = 0.1
"""Seconds by which what a process takes for the time of a server, from how long its answers take, may be wrong."""
_BEGUN = {TaskStatus.SUCCESS, TaskStatus.FAILURE, TaskStatus.RETRY}

Visit = tuple[str, str, int]
"""The line's path, the node and the visit: what is recorded once."""


class Invariants:
    """Looks at all runs of a store, as often as one likes, and remembers what must not change.

    :param store: the store.
    :param log: the file that :mod:`orderlines.testing.witness` writes to.
    :param given_back: whether drivers were ended in good order in the middle of calls: such a call begins once more
        without another attempt.
    :param secrets: texts that must not be found anywhere.
    :ivar orphans: whether a driver was taken for dead that lived: a call whose beginning it had recorded may then begin
        late, as an attempt older than the one that counts.
    :ivar ordered: whether the store's clock has never gone back, so that moments can be compared.
    """

    def __init__(self, store: Store, log: Path, *, given_back: bool = False, secrets: Iterable[str] = ()) -> None:
        self.store = store
        self.log = log
        self.given_back = given_back
        self.secrets = tuple(secrets)
        self.orphans = False
        self.ordered = True
        self._slack = 0.0 if store.url.startswith("sqlite:") else SLACK
        self._ended: dict[tuple[int, int], RunRow] = {}
        self._stopped: dict[tuple[int, int], float] = {}
        self._walks: dict[tuple[str, str], Walk] = {}

    def stopped(self, run: RunRow) -> None:
        """Take note that the wish to stop a run is kept."""
        row = self.store.run(run.id)
        if row is not None and row.status not in FINAL and row.wish == "stop":
            self._stopped.setdefault((row.id, row.round), self.store.now())

    def look(self) -> None:
        """Check what must hold at every moment: I2 to I7, and I9."""
        runs = self.store.runs(MANY)
        said = self._said_by_run()
        self._keys_stand_for_one_run(runs)
        for run in runs:
            tasks = list(self.store.tasks(run.id))
            self._final_statuses_stay(run)
            self._one_outcome_for_each_visit(tasks)
            self._nothing_starts_after_its_completion(run, tasks, said[run.name])
            self._nothing_starts_after_the_stop(run, tasks)
            self._every_node_was_let(run, tasks)
            self._no_secret(run, tasks)

    def over(self) -> None:
        """Check, once all is done, what must hold then as well: I1 and I8, and that no process of a call lives."""
        self.look()
        for run in self.store.runs(MANY):
            assert run.status in FINAL, f"I1: run {run.name} is {run.status}"
            open_lines = [line.path for line in self.store.lines(run.id) if line.status not in FINAL]
            assert not open_lines, f"I1: run {run.name} has ended as {run.status} with open lines {open_lines}"
            owned = {line.path: line.owner for line in self.store.lines(run.id) if line.owner is not None}
            assert not owned, f"I8: lines of run {run.name} still have owners: {owned}"
        # that of a process that has ended is void; the next driver that looks round strikes it off
        leases = [driver for driver in self.store.drivers() if alive(driver.identity)]
        assert not leases, f"I8: leases are left: {leases}"
        here = ProcessIdentity.current()
        others = {said.process for said in read(self.log)} - {here}
        until(lambda: not any(map(alive, others)), "I5, I8: no process of a call lives")

    def told(self, *texts: str) -> None:
        """Check that no secret is in what somebody was told: output, messages, tracebacks, files."""
        for text in texts:
            assert not any(secret in text for secret in self.secrets), f"I9: a secret was told: {text[:500]}"

    def _said_by_run(self) -> dict[str, list[Said]]:
        found: dict[str, list[Said]] = defaultdict(list)
        for said in read(self.log):
            found[said.run].append(said)
        return found

    def _final_statuses_stay(self, run: RunRow) -> None:
        if run.status not in FINAL:
            return
        before = self._ended.setdefault((run.id, run.round), run)
        assert run == before, f"I3: {before} has become {run}"
        past = {each.round: each.status for each in self.store.rounds(run.id)}
        for (number, over), row in self._ended.items():
            if number == run.id and over in past:
                assert past[over] == row.status, f"I3: round {over} of {run.name} ended as {row.status}: {past}"

    def _keys_stand_for_one_run(self, runs: Iterable[RunRow]) -> None:
        keys = Counter((run.flow, run.key) for run in runs if run.key is not None)
        assert set(keys.values()) <= {1}, f"I6: {keys}"

    def _one_outcome_for_each_visit(self, tasks: Iterable[KeptTask]) -> None:
        places: dict[str, list[int]] = defaultdict(list)
        visits: dict[tuple[str, str], list[int]] = defaultdict(list)
        for kept in tasks:
            places[kept.line].append(kept.ordinal)
            visits[kept.line, kept.task.node].append(kept.task.visit)
        for line, found in places.items():
            assert sorted(found) == list(range(len(found))), f"I4: tasks of line {line!r}: {found}"
        for where, numbers in visits.items():
            assert sorted(numbers) == list(range(1, len(numbers) + 1)), f"I4: visits of {where}: {numbers}"

    def _nothing_starts_after_its_completion(self, run: RunRow, tasks: Iterable[KeptTask], said: list[Said]) -> None:
        counts = {(kept.line, kept.task.node, kept.task.visit): kept.task.attempt for kept in tasks}
        starts = [each for each in said if each.what == "start" and not self._orphaned(each, counts)]
        last: dict[Visit, Said] = {(each.line, each.node, each.visit): each for each in starts}
        count = Counter((each.line, each.node, each.visit) for each in starts)
        if run.finished is not None and run.status in FINAL:
            late = [each for each in starts if not self._in_order(each.at, run.finished)]
            assert not late, f"I2: {late} began after the run's end at {run.finished}"
        for kept in tasks:
            found = last.get((kept.line, kept.task.node, kept.task.visit))
            if found is None:
                continue
            assert self._in_order(found.at, kept.task.finished), f"I2: {found} began after {kept} was recorded"
            times = count[found.line, found.node, found.visit]
            assert self.given_back or times <= kept.task.attempt, f"I2: {times} starts of {kept}"

    def _in_order(self, first: float, second: float) -> bool:
        """Return whether one moment may have been before another one, as far as their clocks tell."""
        return not self.ordered or first <= second + self._slack

    def _orphaned(self, said: Said, counts: Mapping[Visit, int]) -> bool:
        return self.orphans and said.attempt < counts.get((said.line, said.node, said.visit), 0)

    def _nothing_starts_after_the_stop(self, run: RunRow, tasks: Iterable[KeptTask]) -> None:
        moment = self._stopped.get((run.id, run.round))
        if moment is None:
            return
        late = (kept for kept in tasks if not self._in_order(kept.task.started, moment))
        begun = [kept for kept in late if kept.task.status in _BEGUN]
        assert not begun, f"I5: {begun} began after the stop of {run.name} at {moment}"

    # The flow's order

    def _every_node_was_let(self, run: RunRow, tasks: Iterable[KeptTask]) -> None:
        lines: dict[str, list[KeptTask]] = defaultdict(list)
        for kept in tasks:
            if ":" not in kept.task.node:  # a call of `on_failure`
                lines[kept.line].append(kept)
        for path, walked in lines.items():
            walked.sort(key=lambda kept: kept.ordinal)
            allowed = self._walk(run, path)
            ways = allowed.first()
            for kept in walked:
                assert kept.task.node in ways - {ENDS}, f"I7: {kept} follows where only {sorted(ways)} may"
                ways = allowed.next(kept.task.node)
            self._those_before_had_ended(run, path, walked, lines)

    def _those_before_had_ended(
        self, run: RunRow, path: str, walked: list[KeptTask], lines: Mapping[str, list[KeptTask]]
    ) -> None:
        """Check a line against what opened it: that ends after it, and those before it in a graph ended first."""
        if not path:
            return
        home, label, child = path.rsplit("/", 2)
        node, visit = _visit(label)
        for kept in lines.get(home, ()):
            if (kept.task.node, kept.task.visit) == (node, visit):
                last = max(each.task.finished for each in walked)
                assert self._in_order(last, kept.task.finished), f"I7: {kept} ended before its line {path}"
        for other in self._walk(run, home).before(node, child):
            ended = lines.get(f"{home}/{label}/{other}", [])
            assert ended, f"I7: line {path} began before {other}"
            last = max(each.task.finished for each in ended)
            assert self._in_order(last, walked[0].task.started), f"I7: line {path} began before {other} ended"

    def _walk(self, run: RunRow, path: str) -> Walk:
        """Return the walk of a line; those that have opened others are needed again and again."""
        known = self._walks.get((run.digest, path))
        if known is not None:
            return known
        if not path:
            document = self._document(run.digest)
            found = Walk(document["line"], document)
        else:
            home, label, child = path.rsplit("/", 2)
            node, _ = _visit(label)
            outer = self._walks[run.digest, home] = self._walk(run, home)
            found = outer.inner(node, child, self._document)
        return found

    def _document(self, digest: str) -> Mapping[str, Any]:
        document: Mapping[str, Any] = json.loads(self.store.flow(digest))
        return document

    # Secrets

    def _no_secret(self, run: RunRow, tasks: Iterable[KeptTask]) -> None:
        for secret in self.secrets:
            found = next((text for text in self._texts(run, tasks) if secret in text), None)
            assert found is None, f"I9: a secret is kept of run {run.name}: {found[:500] if found else ''}"

    def _texts(self, run: RunRow, tasks: Iterable[KeptTask]) -> Iterator[str]:
        """Return every text that is kept of a run."""
        yield repr(run)
        yield self.store.flow(run.digest)
        yield from map(repr, tasks)
        yield from map(repr, self.store.lines(run.id))
        yield from map(repr, self.store.logs(run.id))
        yield from self.store.progress(run.id).values()


def _visit(label: str) -> tuple[str, int]:
    """Return the node and the visit of a join: of ``each#2``, and of ``each#2.3``, which its third attempt opened."""
    node, _, number = label.rpartition("#")
    return node, int(number.partition(".")[0])
