"""Records as they stand in Redis: every value a text, nothing the empty text, so ``=`` before one that may be none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from orderlines.states import FINAL
from orderlines.stores.records import LineRow, LogRow, RunRow, TaskRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.stores.records import AttemptRow


def text(value: str | None) -> str:
    """Write a text that may be none."""
    return "" if value is None else "=" + value


def number(value: float | None) -> str:
    """Write a number that may be none."""
    return "" if value is None else repr(value)


def kept_text(value: bytes | None) -> str | None:
    """Read a text that may be none."""
    return value[1:].decode() if value else None


def _time(value: bytes | None) -> float | None:
    return float(value) if value else None


def _count(value: bytes | None) -> int | None:
    return int(value) if value else None


def run_of(row: Sequence[bytes | None]) -> RunRow:
    """Read a run, in the order of ``lua/runs.lua``."""
    (
        number_, name, flow, version, digest, status, wish, key, given, executor, created, started, deadline, finished,
        variables, error, round_, pruned,
    ) = cast("Sequence[bytes]", row)  # fmt: skip
    return RunRow(
        int(number_), name.decode(), flow.decode(), version.decode(), digest.decode(), status.decode(),
        wish.decode() if wish else None, kept_text(key), given.decode(), kept_text(executor), float(created),
        _time(started), _time(deadline), _time(finished), kept_text(variables), kept_text(error), int(round_),
        bool(pruned),
    )  # fmt: skip


def line_of(row: Sequence[bytes | None]) -> LineRow:
    """Read a line, in the order of ``lua/rows.lua``."""
    (
        number_, path, ended, run, parent, join, place, block, status, cursor, seq, epoch, owner, halt, due, attempt,
        began, executor, crashes, state, tasks, variables, vars_at, flow, queue, rings,
    ) = cast("Sequence[bytes]", row)  # fmt: skip
    status_ = status.decode()
    own = kept_text(variables)
    if ended and status_ in FINAL:
        came_to: str | None = json.loads(ended)[3]
        own = own if came_to is None else came_to
    return LineRow(
        int(number_), int(run), path.decode(), _count(parent), _count(join), int(place), int(block), status_,
        int(cursor), int(seq), int(epoch), _count(owner), int(halt or 0), _time(due), int(attempt or 0), _time(began),
        kept_text(executor), int(crashes or 0), kept_text(state), int(tasks), own, int(vars_at or 0), kept_text(flow),
        kept_text(queue), int(rings or 0),
    )  # fmt: skip


def written(values: Sequence[Any]) -> str:
    """Write what no script changes, as one text."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def task_of(row: bytes) -> TaskRow:
    """Read a task as :func:`written` wrote it."""
    return TaskRow(*json.loads(row))


def log_of(run: int, row: bytes) -> LogRow:
    """Read what an attempt said, written without its run."""
    return LogRow(run, *json.loads(row))


def attempt_of(attempt: AttemptRow) -> tuple[str, str]:
    """Return the field and the value of an attempt among those of its line."""
    field = f"{attempt.visit}.{attempt.attempt}.{attempt.node}"
    return field, written([attempt.started, attempt.finished, attempt.error])
