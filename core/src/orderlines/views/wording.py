"""What is said of a run, a task or a fold: pieces of text with their role, so that a terminal can colour them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orderlines.states import RunStatus, TaskStatus
from orderlines.views.folding import Fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orderlines.views.folding import Row

_SHORT: Final = 60
_MINUTE: Final = 60
_HOUR: Final = 3600
_ORDER: Final = (
    TaskStatus.FAILURE, TaskStatus.STOP, TaskStatus.RUNNING, TaskStatus.RETRY, TaskStatus.WAITING, TaskStatus.PENDING,
    TaskStatus.SKIP, TaskStatus.SUCCESS,
)  # fmt: skip
"""Statuses as a fold counts them: what matters most comes first."""


class Piece(NamedTuple):
    """A piece of a row: ``name``, ``label``, ``time``, ``note``, ``error``, or a status such as ``FAILURE``."""

    text: str
    role: str


def run_pieces(document: Mapping[str, Any], now: datetime | None = None) -> Iterator[Piece]:
    """Yield what is said of a run itself; how long it has been going only where ``now`` is given."""
    yield Piece(printable(document["flow"]), "name")
    yield Piece(f"  {run_status(document)}", document["status"])
    took = document["duration"]
    yield Piece(_seconds(took) if took is not None else _since(document["started"], now), "time")
    yield Piece(f"  run {document['run']}", "note")
    if "pruned" in document:
        yield Piece("  pruned: only its key is kept", "note")


def run_status(document: Mapping[str, Any]) -> str:
    """Return a run's status, with the wish that has not come to pass yet."""
    status, wish = document["status"], document.get("wish")
    if wish is None or (wish, status) == ("pause", RunStatus.PAUSED):
        return str(status)
    return f"{status} (to {'pause' if wish == 'pause' else 'stop'})"


def row_pieces(row: Row, now: datetime | None = None) -> Iterator[Piece]:
    """Yield what is said in a row of a run's tree, indented."""
    yield Piece("  " * row.depth, "note")
    if isinstance(row.what, Fold):
        yield from _fold_pieces(row.what)
    elif row.what.task is None:
        yield Piece(f"{printable(row.what.label)}:", "label")
    else:
        yield from _task_pieces(row.what.task, now)


def error_lines(error: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield what made a run fail: node, line unless it is the first one, type and message."""
    if not error:
        return
    place = f" at {error['node']}" if error.get("node") else ""
    line = f" in line {error['line']}" if error.get("line") else ""
    first, *others = str(error.get("message")).splitlines() or [""]
    yield printable(f"error{place}{line}: {error.get('type')}: {first}")
    yield from (f"  {printable(other)}" for other in others)


def failed_line(name: str, flow: str, error: Mapping[str, Any] | None) -> str:
    """Say in one line that a run has failed, and of what."""
    told = next(error_lines(error), "")
    return f"run {name} of {printable(flow)} has failed{f': {told}' if told else ''}"


def printable(text: str) -> str:
    """Return a text whose control characters, and others that cannot be seen, are written as escapes."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def is_going(row: Row) -> bool:
    """Return whether the time that a row shows still runs."""
    return not isinstance(row.what, Fold) and row.what.task is not None and row.what.task["finished"] is None


def _fold_pieces(fold: Fold) -> Iterator[Piece]:
    tasks = sum(fold.counts.values())
    many = f"{tasks:,} more" if not fold.lines else f"{fold.lines:,} more line{'s' if fold.lines > 1 else ''}"
    if fold.lines and tasks != fold.lines:
        many += f", {tasks:,} tasks"
    yield Piece(f"... {many}: ", "note")
    if len(fold.counts) == 1:
        (status,) = fold.counts
        yield Piece(f"all {status}" if tasks > 1 else status, status)
        return
    for number, status in enumerate(sorted(fold.counts, key=_ORDER.index)):
        yield Piece(f"{', ' if number else ''}{fold.counts[status]:,} {status}", status)


def _task_pieces(task: Mapping[str, Any], now: datetime | None) -> Iterator[Piece]:
    yield Piece(printable(task["node"]), "name")
    if task["name"]:
        yield Piece(f" ({printable(task['name'])})", "note")
    yield Piece(f"  {task['status']}", task["status"])
    yield Piece(_took(task, now), "time")
    if task["attempt"] > 1:
        yield Piece(f"  attempt {task['attempt']}", "note")
    yield from (Piece(f"  {text}", "note") for text in _waits(task))
    yield from (Piece(_shortened(f"  {text}"), "note") for text in _not_run(task.get("not_run", ())))
    if "progress" in task:
        yield Piece(_shortened(f"  {_progress(**task['progress'])}"), "note")
    error = task["error"]
    if error:
        yield Piece(_shortened(f"  {error.get('type')}: {error.get('message')}"), "error")
    elif task["result"] is not None:
        yield Piece(_shortened(f"  {task['result']!r}"), "note")


def _waits(task: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a task waits for."""
    if "queue" in task:
        yield f"waits for a worker of the queue {task['queue']}"
    until = "" if "until" not in task else f"{datetime.fromisoformat(task['until']):%Y-%m-%d %H:%M:%S} UTC"
    if "signal" in task:
        yield _shortened(f"for the signal {task['signal']}")
    if "signalled" in task:
        yield "its signal has come"
    if until and task["status"] == TaskStatus.RETRY:
        yield f"next attempt at {until}"
    elif until:
        yield f"until {until}"


def _not_run(left_out: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield which nodes of a graph did not run, those with the same reason together."""
    reasons: dict[tuple[str, ...], list[str]] = {}
    for each in left_out:
        reasons.setdefault(tuple(each["because"]), []).append(each["node"])
    for because, nodes in reasons.items():
        why = f" as {', '.join(because)} did not succeed" if because else ""
        yield f"{len(nodes)} not run{why}: {', '.join(nodes)}"


def _progress(done: float | None, total: float | None, text: str) -> str:
    """Return a report such as ``3/10 files``; numbers that a component did not give are left out."""
    numbers = "/".join(_number(number) for number in (done, total) if number is not None)
    return f"{numbers} {text}".strip()


def _number(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"


def _took(task: Mapping[str, Any], now: datetime | None) -> str:
    if not task["finished"]:
        return _since(task["started"], now)
    if not task["started"]:
        return ""
    took = datetime.fromisoformat(task["finished"]) - datetime.fromisoformat(task["started"])
    return _seconds(took.total_seconds())


def _since(started: str | None, now: datetime | None) -> str:
    """Return how long something has been going; another machine's clock may be ahead of ours."""
    if started is None or now is None:
        return ""
    seconds = max(0.0, (now.astimezone(UTC) - datetime.fromisoformat(started)).total_seconds())
    return f"  {seconds:.1f} s" if seconds < _MINUTE else _seconds(seconds)


def _seconds(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"  {seconds:.2f} s"
    whole = int(seconds)
    if whole < _HOUR:
        return f"  {whole // _MINUTE} min {whole % _MINUTE} s"
    return f"  {whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def _shortened(text: str) -> str:
    """Return a text on one line; what is long is cut before it is looked at."""
    text = printable("".join(" " if each in "\n\r" else each for each in text[: 2 * _SHORT]))
    return text if len(text) <= _SHORT else text[: _SHORT - 3] + "..."
