"""One look at a run: its row, its lines and its tasks as they stood together, though they are read one after another.

No store has to read all of them in one transaction for that. A line only ever goes on: the tasks of a line that is read
first are those whose numbers are below the count in its row, and those that were written since are left out. Only a
new round takes tasks away, and then the run is looked at again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from orderlines.errors import UnknownRun
from orderlines.states import FINAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orderlines.stores.base import Store
    from orderlines.stores.records import KeptTask, LineRow, RunRow


class Look(NamedTuple):
    """What was seen: the lines parents first, the finished tasks of each by its path, in order; reports by line."""

    row: RunRow
    lines: Sequence[LineRow]
    tasks: Mapping[str, Sequence[KeptTask]]
    reports: Mapping[int, str]


def look(store: Store, row: RunRow) -> Look:
    """Look at a run, of which ``row`` was read before. Of one that was pruned, only the row is seen.

    :raises UnknownRun: it was pruned meanwhile.
    """
    while not row.pruned:
        lines = store.lines(row.id)
        tasks = _tasks(store, row.id, lines)
        reports = _reports(store, row.id, lines)
        now = store.run(row.id)
        if now is None:
            raise UnknownRun(f"no run {row.name!r} is kept in {store.shown} any more: it was pruned")
        if now.round == row.round and not now.pruned:
            # What has ended since the lines were read is not shown as ended with tasks that go on.
            ended = not lines or lines[0].status in FINAL
            return Look(now if ended or now.status not in FINAL else row, lines, tasks, reports)
        row = now
    return Look(row, (), {}, {})


def _tasks(store: Store, run: int, lines: Sequence[LineRow]) -> dict[str, list[KeptTask]]:
    """Return the tasks that the lines had finished when they were read."""
    counts = {line.path: line.tasks for line in lines}
    tasks: dict[str, list[KeptTask]] = {line.path: [] for line in lines}
    for kept in store.tasks(run):
        if kept.ordinal < counts.get(kept.line, 0):
            tasks[kept.line].append(kept)
    for kept_there in tasks.values():
        kept_there.sort(key=_ordinal)
    return tasks


def _ordinal(kept: KeptTask) -> int:
    return kept.ordinal


def _reports(store: Store, run: int, lines: Sequence[LineRow]) -> dict[int, str]:
    """Return what calls reported, of those lines that have made no step since they were read."""
    reports = store.progress(run)
    if not reports:
        return reports
    seen = {line.id: (line.epoch, line.seq) for line in lines}
    still = {line.id for line in store.lines(run) if seen.get(line.id) == (line.epoch, line.seq)}
    return {line: report for line, report in reports.items() if line in still}
