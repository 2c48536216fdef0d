"""Which finished tasks a line may speak of as ``nodes.ID``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

FLOW = "~"
"""What the name of a sub-flow's line begins with: the nodes inside are not those around it."""


def visible(task: str, line: str, before: Collection[str] = ()) -> bool:
    """Return whether a line sees the tasks of another one: one around it, or one that has been joined before.

    Both are paths, such as ``/each#2/17``: lines that the same visit opened stand beside one another and do not see
    each other, unless the one came before the other in a graph.

    :param before: the names of the lines of its graph that came before the line.
    """
    theirs, ours = task.split("/")[1:], line.split("/")[1:]
    shared = min(len(theirs), len(ours))
    place = 0
    while place < shared and theirs[place : place + 2] == ours[place : place + 2]:
        place += 2
    if any(name.startswith(FLOW) for name in (*theirs[place + 1 :: 2], *ours[place + 1 :: 2])):
        return False
    if place < shared and theirs[place] == ours[place]:
        return place + 2 == len(ours) and theirs[place + 1] in before
    return True
