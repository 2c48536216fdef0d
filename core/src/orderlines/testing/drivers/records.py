"""Runs to accept, and steps to commit: short ways to make the records that a store is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from orderlines.states import LineStatus
from orderlines.stores.records import Ending, NewRun, Opening, Step, TaskRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.stores.records import LineRow


def new_run(**given: Any) -> NewRun:
    """Return a run to accept; what is not given is the same for all but its name."""
    run = NewRun(f"run-{uuid4().hex}", "flow", "1", "digest", '{"flow":"flow"}', '{"a":1}', None, None)
    return run._replace(**given)


def step(line: LineRow, status: str = LineStatus.READY, **given: Any) -> Step:
    """Return a step of a line as its owner knows it."""
    return Step(line.id, line.run, line.epoch, line.seq, status, line.cursor, line.halt, line.tasks)._replace(**given)


def task(node: str = "node", **given: Any) -> TaskRow:
    """Return a finished task."""
    return TaskRow(node, 1, "SUCCESS", 1, None, 1.0, 2.0)._replace(**given)


def ending(line: LineRow, status: str = LineStatus.SUCCESS, siblings: Opening | None = None, **given: Any) -> Step:
    """Return the step that ends a line."""
    home = None if line.parent is None else (line.parent, line.join or 0, line.place)
    end = Ending(status, None, None, None, siblings, home, line.queue)._replace(**given)
    return step(line, status, keep=False, ending=end)


def opening(
    names: Sequence[str] = "abc", limit: int = 100, *, node: str = "fork", visit: int = 1, strict: bool = True
) -> Opening:
    """Return a join with a child for each name."""
    label = f"{node}#{visit}"
    return Opening(label, f"/{label}/", tuple(names), tuple(range(1, len(names) + 1)), limit, strict)


def fork(line: LineRow, join: Opening, **given: Any) -> Step:
    """Return the step that opens a join and waits for it."""
    return step(line, LineStatus.JOIN, keep=False, attempt=1, opening=join)._replace(**given)


def close(line: LineRow, join: Opening, **given: Any) -> Step:
    """Return the step that closes a join: no more children, and the open ones stop."""
    return step(line, LineStatus.JOIN, keep=False, attempt=1, closes=join.label)._replace(**given)
