"""The joins that nodes open: which lines, how many at once, and what each of them is given."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Any

from orderlines.line.memory import FLOW
from orderlines.nodes.base import Each, Open
from orderlines.stores.records import Opening

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orderlines.line.state import Line
    from orderlines.nodes.base import Enter
    from orderlines.plan import PlannedBlock, PlannedNode


def label(node: str, visit: int, attempt: int) -> str:
    """Return the name of a join among those of its line."""
    return f"{node}#{visit}" if attempt <= 1 else f"{node}#{visit}.{attempt}"


def label_at(line: Line) -> str:
    """Return the name of the join at a line's cursor."""
    node = line.here.node.id
    return label(node, line.visits.get(node, 0) + 1, line.attempt)


def opening_of(line: Line, planned: PlannedNode, name: str, action: Open | Each) -> Opening:
    """Return the join that a node opens.

    :param name: the join's label.
    """
    names: tuple[str, ...]
    blocks: tuple[int, ...]
    if isinstance(action, Each):
        names = tuple(map(str, range(len(action.items))))
        blocks = (planned.children[0][1],) * len(names)
    else:
        names = tuple(name for name, _ in planned.children)
        blocks = tuple(block for _, block in planned.children)
    limit = action.limit or max(len(names), 1)
    after = action.after if isinstance(action, Open) else {}
    prefix = f"{line.path}/{name}/"
    queue = _queue_of([line.plan.blocks[block] for block in dict.fromkeys(blocks)])
    return Opening(
        name, prefix, names, blocks, limit, action.stop_on_failure, after, following(after), line.flow,
        queue=line.queue if queue is None else queue,
    )  # fmt: skip


def entering(line: Line, name: str, action: Enter, variables: str) -> Opening:
    """Return the join of a sub-flow: one line, which walks another flow with variables of its own."""
    sub = line.plan.flows[action.flow]
    queue = sub.blocks[0].queue
    return Opening(
        name, f"{line.path}/{name}/", (FLOW + action.flow.rpartition("/")[2],), (0,), 1, stop_on_failure=True,
        flow=sub.flow.digest, vars=variables, queue=line.queue if queue is None else queue,
    )  # fmt: skip


def _queue_of(blocks: Sequence[PlannedBlock]) -> str | None:
    """Return the queue of the lines of a join: the one that all begin in, or else that of what says nothing."""
    queues = {block.queue for block in blocks}
    return queues.pop() if len(queues) == 1 else next((block.around for block in blocks), None)


def item_names(each: Each, place: int) -> Mapping[str, Any]:
    """Return what the line of an item sees besides the variables around it."""
    item = each.items[place]
    return {"item": item, each.name: item, "index": place}


def following(after: Mapping[int, tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
    """Return the places of those that come right after each line of a graph."""
    found: dict[int, list[int]] = {}
    for place, before in after.items():
        for one in before:
            found.setdefault(one, []).append(place)
    return {place: tuple(places) for place, places in found.items()}


def predecessors(after: Mapping[int, tuple[int, ...]], place: int) -> list[int]:
    """Return the places of all lines that come before one in a graph, in the order in which the flow lists them."""
    found: set[int] = set()
    left = list(after.get(place, ()))
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left.extend(after.get(one, ()))
    return sorted(found)


class Before:
    """The places of all lines that come before one in a graph; the nearest first, and no further than is asked for."""

    def __init__(self, after: Mapping[int, tuple[int, ...]], place: int) -> None:
        self._after = after
        self._found = set(after.get(place, ()))
        self._left = deque(self._found)

    def __contains__(self, place: int) -> bool:
        return self.has_near(place, sys.maxsize)

    def has_near(self, place: int, steps: int) -> bool:
        """Return whether a place is found among them by looking at so many more of them."""
        found, left = self._found, self._left
        while left and steps > 0 and place not in found:
            steps -= 1
            more = set(self._after.get(left.popleft(), ())) - found
            found |= more
            left.extend(more)
        return place in found
