"""Finds a cycle among things that wait for each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def find_cycle(after: Mapping[int, tuple[int, ...]]) -> list[int]:
    """Return a cycle, beginning and ending with the same one, each followed by one that it waits for; or nothing."""
    done: set[int] = set()
    for start in after:
        if start not in done:
            cycle = _search(start, after, done)
            if cycle:
                return cycle
    return []


def _search(start: int, after: Mapping[int, tuple[int, ...]], done: set[int]) -> list[int]:
    """Search depth first without recursion: a graph may be a chain of 100,000 nodes."""
    path, on_path = [start], {start}
    stack: list[Iterator[int]] = [iter(after.get(start, ()))]
    while stack:
        following = next(stack[-1], None)
        if following is None:
            stack.pop()
            on_path.discard(path[-1])
            done.add(path.pop())
        elif following in on_path:
            return [*path[path.index(following) :], following]
        elif following not in done:
            path.append(following)
            on_path.add(following)
            stack.append(iter(after.get(following, ())))
    return []
