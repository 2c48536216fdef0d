"""What the attempts of a run said, line by line."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from orderlines.states import TaskStatus
from orderlines.views.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orderlines.stores.base import Store
    from orderlines.stores.records import KeptLog, RunRow

LAST: Final = 20
"""Lines that are shown of what failed."""


def log_documents(kept: Iterable[KeptLog]) -> Iterator[dict[str, Any]]:
    """Yield each line of a log, as a document."""
    for _, path, row in kept:
        known = {"line": path, "node": row.node, "visit": row.visit, "attempt": row.attempt, "level": row.level}
        time = datetime.fromtimestamp(row.at, UTC).isoformat(timespec="milliseconds")
        for text in row.text.removesuffix("\n").split("\n"):
            yield {"time": time, **known, "text": text.rstrip("\r")}


def log_line(document: Mapping[str, Any]) -> str:
    """Return a line of a log as text: its time, where it comes from, its level, and what it says."""
    place = f"{document['line']}/{document['node']}".lstrip("/")
    visit = f"#{document['visit']}" if document["visit"] > 1 else ""
    attempt = f" (attempt {document['attempt']})" if document["attempt"] > 1 else ""
    return f"{document['time']} {printable(place)}{visit}{attempt}: {_said(document)}"


def failure_lines(store: Store, row: RunRow, document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the last lines that the call said which made a run fail, if it said something.

    :param document: the run's, as :func:`orderlines.views.run_document` returns it.
    """
    task = _culprit(document)
    if task is None:
        return
    kept = store.logs(row.id, node=task["node"], line=task["line"], newest=LAST)
    attempt = (task["visit"], task["attempt"])
    said = deque((line for line in log_documents(kept) if (line["visit"], line["attempt"]) == attempt), LAST)
    if said:
        place = f"{task['line']}/{task['node']}".lstrip("/")
        yield f"last lines of {printable(place)}:"
        yield from (f"  {_said(line)}" for line in said)


def _culprit(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the failed call that a run's error names, or the first that failed below what it names."""
    error = document["error"]
    if not error:
        return None
    failed = [task for task in document["tasks"] if task["status"] == TaskStatus.FAILURE and task["component"]]
    named = [task for task in failed if (task["line"], task["node"]) == (error.get("line"), error.get("node"))]
    below = f"{error.get('line')}/{error.get('node')}#"
    return max(named, key=_finished, default=None) or min(
        (task for task in failed if task["line"].startswith(below)), key=_finished, default=None
    )


def _finished(task: Mapping[str, Any]) -> str:
    return task["finished"] or ""


def _said(document: Mapping[str, Any]) -> str:
    level = f"{document['level']} " if document["level"] else ""
    return level + printable(document["text"].expandtabs())
