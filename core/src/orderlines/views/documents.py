"""What a store keeps, as the JSON documents that the command line shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from orderlines.states import FINAL
from orderlines.values import decode
from orderlines.views.known import KnownFlow
from orderlines.views.look import look
from orderlines.views.order import in_order
from orderlines.views.tasks import Tasks
from orderlines.views.values import Values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

_MOMENTS: Final = ("started", "finished", "until")
"""What is a time in a task."""


def run_document(
    store: Store,
    row: RunRow,
    registry: Registry | None = None,
    read: Callable[[str], Any] = decode,
    known: KnownFlow | None = None,
    *,
    whole: bool = True,
    lenient: bool = False,
) -> dict[str, Any]:
    """Return a run with its tasks, in the order in which these began; of one that was pruned, its head only.

    :param row: the run as it was read before: where it has changed since, as it is now.
    :param registry: the installed plugins' unless given.
    :param read: reads the texts that keep values: by default to the values themselves, ``json.loads`` to what JSON has
        for them.
    :param known: the run's flow, where it was read before.
    :param whole: and ``lenient``: as in :class:`orderlines.views.values.Values`.
    :raises PluginError: a node type that the run's flow uses is not installed any more.
    :raises UnknownRun: the run was pruned meanwhile.
    """
    values = Values(store, read, whole=whole, lenient=lenient)
    seen = look(store, row)
    if seen.row.pruned:
        return {**_whole_head(seen.row, values), "tasks": [], "pruned": True}
    documents = Tasks(seen, known or KnownFlow(store, seen.row, registry), values)
    tasks = in_order(seen.lines, {line.path: list(documents.of(line)) for line in seen.lines})
    for task in tasks:
        task.update((key, _time(task[key])) for key in _MOMENTS if key in task)
    return {**_whole_head(seen.row, values), "tasks": tasks}


def runs_document(rows: Iterable[RunRow]) -> dict[str, Any]:
    """Return a list of runs, in the order given."""
    return {"runs": [{**_head(row), "key": row.key} for row in rows]}


def _whole_head(row: RunRow, values: Values) -> dict[str, Any]:
    given = None if row.pruned else row.vars  # of one that was pruned that is a fingerprint
    return {
        **_head(row),
        "duration": _duration(row.started, row.finished),
        "variables": values.of(row.variables or given),
        "error": None if row.error is None else json.loads(row.error),
    }


def _head(row: RunRow) -> dict[str, Any]:
    wish = {} if row.wish is None or row.status in FINAL else {"wish": row.wish}
    return {
        "run": row.name,
        "flow": row.flow,
        "status": row.status,
        "started": _time(row.started),
        "finished": _time(row.finished),
        **wish,
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _duration(started: float | None, finished: float | None) -> float | None:
    return None if started is None or finished is None else round(finished - started, 6)
