"""The tasks of a run as the tree that they are: a line holds tasks, and a task the lines that it opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.views.order import opener_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Item:
    """A task (``task`` is set) or a line (``label`` names it), with what is below it.

    :ivar place: its index among the children of ``parent``; the root has neither.
    """

    __slots__ = ("children", "label", "parent", "place", "task")

    def __init__(self, task: Mapping[str, Any] | None = None, label: str = "") -> None:
        self.task = task
        self.label = label
        self.children: list[Item] = []
        self.parent: Item | None = None
        self.place = 0

    def add(self, child: Item) -> None:
        """Put a child behind the others."""
        child.parent, child.place = self, len(self.children)
        self.children.append(child)

    def walk(self) -> Iterator[Item]:
        """Yield what is below, each before its own children."""
        waiting = self.children[::-1]
        while waiting:
            item = waiting.pop()
            yield item
            waiting.extend(reversed(item.children))


def build_tree(tasks: Iterable[Mapping[str, Any]]) -> Item:
    """Return the root line of a run's tasks, these in the order in which they began.

    A line whose opener is not among the tasks is put at the end of the root, so that nothing is lost.
    """
    lines = {"": Item()}
    openers: dict[str, Item] = {}
    for task in tasks:
        path = task["line"].rstrip("/")
        if path not in lines:
            lines[path] = Item(label=_label(path))
        item = Item(task)
        lines[path].add(item)
        openers[f"{path}/{task['node']}#{task['visit']}"] = item
    root = lines.pop("")
    for path, line in lines.items():
        opener = openers.get(opener_of(path))
        if opener is None:
            line.label = path
        (opener or root).add(line)
    return root


def _label(path: str) -> str:
    """Return a line's name, with the attempt of what opened it where that was not the first."""
    before, _, name = path.rpartition("/")
    attempt = before.rpartition("#")[2].partition(".")[2]
    return f"{name} (attempt {attempt})" if attempt else name
