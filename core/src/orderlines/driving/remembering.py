"""What lines remember of the tasks that have ended before them, read from the store: no more than they ask for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orderlines import line as machine
from orderlines.states import JOINING
from orderlines.values import decode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from orderlines.line import Line
    from orderlines.stores.base import Store
    from orderlines.stores.records import ChildRow, KeptTask, Opening, TaskRow


class Remembering:
    """Reads outcomes: what expressions see as ``nodes.ID``. Of a node that has ended more than once, the last one.

    All methods raise :class:`orderlines.errors.ValueLost` where a result that was kept elsewhere is gone.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, line: Line) -> dict[str, Any]:
        """Return what a line has to know of the nodes that ended on it, or in lines that it has joined.

        What ended before the line was opened is its parent's to say: an earlier visit would win over it here. What the
        lines of a join have come to that has not ended is left out: it depends on who is asked, and when.
        """
        needs, inside = line.block.needs, line.block.inside
        if not needs:
            return {}
        last = {task.node: task for task in self._store.outcomes(line.id, needs | inside.keys())}
        found = {node: self._outcome(task) for node, task in last.items() if node in needs}
        for opener, nodes in inside.items():
            found.update(self._in_joins(line, opener, nodes, last.get(opener)))
        return found

    def joined(self, line: Line, children: Sequence[ChildRow], nodes: Collection[str]) -> dict[str, Any]:
        """Return the outcomes of nodes in some lines that a line has opened."""
        kept = self._store.outcomes_inside([child.id for child in children], nodes) if nodes and children else ()
        return self._last(item for item in kept if machine.within(item.line, line.path))

    def beside(self, parent: int, opening: Opening, places: Mapping[str, int]) -> dict[str, Any]:
        """Return the outcomes of nodes in lines of a graph, each given with the place of its line there."""
        lines = set(places.values())
        siblings = [row.id for row in self._store.children(parent, opening.label) if row.place in lines]
        return self._last(
            item
            for item in self._store.outcomes_inside(siblings, places)
            if machine.within(item.line, f"{opening.prefix}{opening.names[places[item.task.node]]}")
        )

    def _in_joins(self, line: Line, opener: str, nodes: Collection[str], task: TaskRow | None) -> dict[str, Any]:
        """Return the outcomes of nodes in the lines that a node of a line has opened.

        The last of its joins is looked at first: in a loop there may be many.

        :param task: what the node came to the last time, if it has ended on the line.
        """
        tried = line.here.node.id == opener and line.attempt > (line.status in JOINING)
        if task is None and not tried:
            return {}
        if task is not None and not tried:
            label = machine.label(opener, task.visit, task.attempt)
            found = self.joined(line, self._store.children(line.id, label), nodes)
            if len(found) == len(nodes) or (task.visit, task.attempt) == (1, 1):
                return found
        going = f"{line.path}/{machine.label_at(line)}/" if line.status in JOINING else None
        return self._last(
            item
            for item in self._store.outcomes_inside([line.id], nodes)
            if machine.within(item.line, line.path) and not (going and item.line.startswith(going))
        )

    def _last(self, kept: Iterable[KeptTask]) -> dict[str, Any]:
        last = {item.task.node: item.task for item in kept}
        return {node: self._outcome(task) for node, task in last.items()}

    def _outcome(self, task: TaskRow) -> dict[str, Any]:
        error = None if task.error is None else json.loads(task.error)
        value = None if task.result is None else decode(self._store.whole(task.result))
        told = None if error is None else {"type": error["type"], "message": error["message"]}
        return {"status": task.status, "result": value, "error": told}
