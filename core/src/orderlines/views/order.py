"""The order of a run's tasks: that in which they began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from orderlines.stores.records import LineRow

_Task = dict[str, Any]


class _Place(NamedTuple):
    """Where a task stands: when it began, and the numbers that lead to it from the root where times are the same."""

    began: float
    numbers: tuple[int, ...]


_ROOT = _Place(float("-inf"), ())


def in_order(lines: Sequence[LineRow], tasks: Mapping[str, Sequence[_Task]]) -> list[_Task]:
    """Return the tasks of all lines so that none stands before one that had to be done first.

    By time, but clocks of several machines differ, and many tasks begin and end at one moment: the tasks of a line stay
    in their order, behind the task that opened the line; where times are the same, those of a line that was opened
    earlier come first, and what a task opened comes before what follows the task.

    :param lines: parents first.
    :param tasks: those of each line by its path, in order; ``started`` is a number of seconds, or ``None``.
    """
    placed = sorted(_placed(lines, tasks), key=lambda item: item[0])
    return [task for _, task in placed]


def opener_of(path: str) -> str:
    """Return what opened a line: path, node and visit, such as ``/each#2``, whichever attempt of it that was."""
    before, mark, visit = path.rpartition("/")[0].rpartition("#")
    return f"{before}{mark}{visit.partition('.')[0]}"


def _placed(lines: Sequence[LineRow], tasks: Mapping[str, Sequence[_Task]]) -> Iterator[tuple[_Place, _Task]]:
    openers: dict[str, _Place] = {}
    for line in lines:
        opener = openers.get(opener_of(line.path), _ROOT)
        began, numbers = opener.began, (*opener.numbers, line.id)
        for ordinal, task in enumerate(tasks.get(line.path, ())):
            began = max(began, task["started"] or began)
            place = openers[f"{line.path}/{task['node']}#{task['visit']}"] = _Place(began, (*numbers, ordinal))
            yield place, task
