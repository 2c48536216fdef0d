"""Where a line can go: the nodes of one block, what leads from each to which, and what can come before what."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orderlines.flow.model import Block


class Route:
    """A block's control flow.

    :ivar outer: the block and the position of the node that opens this one, ``None`` for the flow's own line.
    :ivar index: the position of each node id.
    :ivar earlier: lines beside this one that have always ended when it begins.
    :ivar uncertain: something in it could not be read, so what follows from its edges is not to be reported.
    """

    def __init__(self, block: Block, outer: tuple[Route, int] | None) -> None:
        self.block = block
        self.outer = outer
        self.index: dict[str, int] = {}
        self.earlier: tuple[Route, ...] = ()
        self.uncertain = False
        self._leads: list[tuple[int, int | None]] = []
        self._ends: set[int] = set()
        self._next: list[list[int]] = []
        self._before: list[list[int]] = []
        self._exits: list[int] = []
        self._entered: list[int] = []
        self._left: list[int] = []
        self._clock = 0

    def lead(self, source: int, target: int | None) -> None:
        """Say that ``source`` can be followed by ``target``, or by the line's end."""
        self._leads.append((source, target))

    def stop(self, source: int) -> None:
        """Say that ``source`` is not followed by the next node of the list, as it is otherwise."""
        self._ends.add(source)

    @property
    def straight(self) -> bool:
        """Whether every node is followed by the next one and by nothing else."""
        return not self._leads and not self._ends

    def explore(self) -> list[int]:
        """Search from the first node; return the first node of each part that nothing leads to."""
        if self.straight:
            return []
        self._connect()
        size = len(self._next)
        heads = []
        if size:
            self._search(0)
        for node in range(size):
            if self._entered[node] < 0 and not self._before[node]:
                heads.append(node)
                self._search(node)
        for node in range(size):
            if self._entered[node] < 0:
                heads.append(node)
                self._search(node)
        return sorted(heads)

    def endless(self) -> list[tuple[int, int]]:
        """Return the loops that cannot be left, each as the node that closes it and the one that it goes back to."""
        if self.straight:
            return []
        ending = self._reach(self._exits, self._before)
        if len(ending) == len(self._next):
            return []
        loops = []
        covered: set[int] = set()
        for node in range(len(self._next)):
            if node in ending or node in covered:
                continue
            back = next((to for to in self._next[node] if to == node or self._above(to, node)), None)
            if back is not None:
                loops.append((node, back))
                covered |= self._reach([node], self._next)
        return loops

    def earliest(self, nodes: Iterable[int]) -> int:
        """Return the one of some nodes that the search met first."""
        return min(nodes) if self.straight else min(nodes, key=self._entered.__getitem__)

    def comes_before(self, sources: Sources, node: int) -> bool:
        """Return whether one of ``sources`` can have been walked when the line comes to ``node``."""
        first = sources.first
        if self.straight:
            return first < node
        if node in sources.yes:
            return True
        if node in sources.no:
            return False
        if first != node and self._above(first, node):
            return True
        return self._searched_back(sources, node)

    def _connect(self) -> None:
        size = len(self.block.nodes)
        self._next = [[] for _ in range(size)]
        self._before = [[] for _ in range(size)]
        self._entered = [-1] * size
        self._left = [-1] * size
        falls = ((node, node + 1 if node + 1 < size else None) for node in range(size) if node not in self._ends)
        for source, target in (*self._leads, *falls):
            if target is None:
                self._exits.append(source)
            else:
                self._next[source].append(target)
                self._before[target].append(source)

    def _searched_back(self, sources: Sources, node: int) -> bool:
        # Answers are kept, so that all questions about the same sources together walk the block once.
        seen: set[int] = set()
        queue = deque((node,))
        while queue:
            for before in self._before[queue.popleft()]:
                if before in sources.nodes or before in sources.yes:
                    sources.yes.add(node)
                    return True
                if before not in seen and before not in sources.no:
                    seen.add(before)
                    queue.append(before)
        sources.no |= seen
        sources.no.add(node)
        return False

    def _above(self, upper: int, lower: int) -> bool:
        return self._entered[upper] < self._entered[lower] and self._left[lower] <= self._left[upper]

    def _search(self, root: int) -> None:
        entered, left = self._entered, self._left
        entered[root] = self._tick()
        stack: list[tuple[int, Iterator[int]]] = [(root, iter(self._next[root]))]
        while stack:
            node, rest = stack[-1]
            for following in rest:
                if entered[following] < 0:
                    entered[following] = self._tick()
                    stack.append((following, iter(self._next[following])))
                    break
            else:
                stack.pop()
                left[node] = self._tick()

    def _tick(self) -> int:
        self._clock += 1
        return self._clock

    @staticmethod
    def _reach(roots: Iterable[int], edges: list[list[int]]) -> set[int]:
        seen = set(roots)
        stack = list(seen)
        while stack:
            for node in edges[stack.pop()]:
                if node not in seen:
                    seen.add(node)
                    stack.append(node)
        return seen


class Sources:
    """Some nodes of one route, and what is known already about what they come before."""

    __slots__ = ("first", "no", "nodes", "yes")

    def __init__(self, nodes: set[int], first: int) -> None:
        self.nodes = nodes
        self.first = first
        self.yes: set[int] = set()
        self.no: set[int] = set()
