"""Which rows of a run's tree are shown where there is not room for all, and what is said of the others.

What failed comes first, then what is going on, then the ends of each sequence. Whatever is left out is counted by its
status, so that no failure is ever hidden.
"""

from __future__ import annotations

from heapq import nsmallest
from typing import TYPE_CHECKING, Final, NamedTuple

from orderlines.states import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from orderlines.views.tree import Item

_GOING: Final = frozenset({TaskStatus.PENDING, TaskStatus.RUNNING, TaskStatus.RETRY, TaskStatus.WAITING})
_EDGE: Final = 5
"""How many are shown at each end of a sequence that is folded."""


class Fold(NamedTuple):
    """What is left out at one place: how many lines (0: they are tasks), and all its tasks by status."""

    lines: int
    counts: Mapping[str, int]


class Row(NamedTuple):
    """A row to show: a task or a line, or a fold of several."""

    depth: int
    what: Item | Fold


def fold(root: Item, limit: int) -> list[Row]:
    """Return the rows below the root of a tree, at most ``limit`` of them, but at least one where there is anything."""
    items = list(root.walk())
    shown = set(items) if len(items) <= limit else _chosen(root, items, limit)
    return list(_rows(root, shown, 1))


def _chosen(root: Item, items: Sequence[Item], limit: int) -> set[Item]:
    """Choose what to show; each kind may fill the room up to its share, and leaves the rest to those after it."""
    chosen = _Choice(root)
    failed = [item for item in items if _status(item) == TaskStatus.FAILURE]
    going = [item for item in items if _status(item) in _GOING]
    chosen.take(failed, limit // 2)
    chosen.take(going, limit * 3 // 4)
    chosen.take(_ends(root, limit), limit)
    return chosen.shown


class _Choice:
    """What is shown so far, and how many rows that takes with its folds."""

    def __init__(self, root: Item) -> None:
        self.shown = {root}
        self._rows = 1  # one fold for everything

    def take(self, items: Iterable[Item], limit: int) -> None:
        """Show items with all that is above them, as long as there is room; none that follows one without room."""
        for item in items:
            new = list(self._hidden(item))
            rows = self._rows + sum(map(self._cost, new))
            if rows > limit:
                return
            self._rows = rows
            self.shown.update(new)

    def _hidden(self, item: Item | None) -> Iterator[Item]:
        """Yield an item and what is above it, up to the first that is shown."""
        while item is not None and item not in self.shown:
            yield item
            item = item.parent

    def _cost(self, item: Item) -> int:
        """Return the rows that an item adds: it splits the fold that it is in, and its children are one."""
        siblings = [] if item.parent is None else item.parent.children
        beside = siblings[max(item.place - 1, 0) : item.place] + siblings[item.place + 1 : item.place + 2]
        return sum(other not in self.shown for other in beside) + bool(item.children)


def _ends(root: Item, most: int) -> list[Item]:
    """Return the tasks at the ends of their lines, where all above them is at an end too; the outermost first."""
    found: list[tuple[int, int, Item]] = []
    waiting = [(0, root)]
    while waiting:
        distance, item = waiting.pop()
        siblings = item.children
        for child in [*siblings[:_EDGE], *siblings[max(_EDGE, len(siblings) - _EDGE) :]]:
            away = distance + 1 + min(child.place, len(siblings) - 1 - child.place)
            if child.task is not None:
                found.append((away, len(found), child))
            waiting.append((away, child))
    return [item for _, _, item in nsmallest(most, found)]


def _rows(parent: Item, shown: set[Item], depth: int) -> Iterator[Row]:
    hidden: list[Item] = []
    for item in parent.children:
        if item not in shown:
            hidden.append(item)
            continue
        yield from _folded(hidden, depth)
        hidden = []
        yield Row(depth, item)
        yield from _rows(item, shown, depth + 1)
    yield from _folded(hidden, depth)


def _folded(hidden: Sequence[Item], depth: int) -> Iterator[Row]:
    """Yield the one row that stands for several; a single task needs no fold."""
    if len(hidden) == 1 and not hidden[0].children:
        yield Row(depth, hidden[0])
    elif hidden:
        counts: dict[str, int] = {}
        for top in hidden:
            for item in (top, *top.walk()):
                if item.task is not None:
                    counts[item.task["status"]] = counts.get(item.task["status"], 0) + 1
        yield Row(depth, Fold(sum(item.task is None for item in hidden), counts))


def _status(item: Item) -> str | None:
    return None if item.task is None else item.task["status"]
