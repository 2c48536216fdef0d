"""Which lines have to know which outcomes: worked out once for a plan, so that a line reads no more than that."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orderlines.plan import PlannedBlock, PlannedNode


class Passing:
    """Follows each reference ``nodes.ID`` from where it stands to the node.

    :ivar at: the number of the block that is being compiled.
    """

    def __init__(self) -> None:
        self.at = 0
        self._openers: dict[int, tuple[int, PlannedNode, int]] = {}
        self._asked: set[tuple[int, str]] = set()

    def opened(self, block: int, opener: PlannedNode, place: int) -> None:
        """Take note that a node of the present block opens another one, which is its line at ``place``."""
        self._openers[block] = (self.at, opener, place)

    def asked(self, node: str) -> None:
        """Take note that an expression in the present block asks for the outcome of a node."""
        self._asked.add((self.at, node))

    def work_out(self, blocks: Sequence[PlannedBlock]) -> None:
        """Tell blocks and the nodes that open them what is asked of them."""
        if not self._asked:
            return
        homes = {planned.node.id: number for number, block in enumerate(blocks) for planned in block.nodes}
        again = {number for number, block in enumerate(blocks) if _goes_back(block)}
        for at, node in self._asked:
            home = homes.get(node)
            if home is not None:
                self._follow(blocks, again, at, node, home)

    def _follow(self, blocks: Sequence[PlannedBlock], again: set[int], at: int, node: str, home: int) -> None:
        """Follow one reference: up to the block from which on both ends are known, and down to the node."""
        asking, answering = self._way_up(at), self._way_up(home)
        shared = 1
        while asking[-shared - 1 :] == answering[-shared - 1 :] and shared < min(len(asking), len(answering)):
            shared += 1
        inmost = shared
        # A line that comes to a node again remembers what came out of it before, and so do lines that it opens then.
        while shared > 1 and not again.isdisjoint(asking[-shared + 1 :]):
            shared -= 1
        up, down = asking[: len(asking) - shared + 1], answering[: len(answering) - shared + 1]
        for block in (*up, *down):
            blocks[block].needs.add(node)
        openers = [self._openers[block] for block in down[:-1]]
        if inmost < min(len(asking), len(answering)):
            beside, (_, opener, place) = asking[-inmost - 1], self._openers[answering[-inmost - 1]]
            if self._openers[beside][1] is opener:
                blocks[beside].beside[node] = place
                if shared == inmost:
                    # What one line of a graph passes to another does not leave the node that opens them.
                    openers.pop()
        for block, opener, _ in openers:
            opener.exports.add(node)
            blocks[block].inside[opener.node.id] = opener.exports

    def _way_up(self, block: int) -> list[int]:
        way = [block]
        while block in self._openers:
            block = self._openers[block][0]
            way.append(block)
        return way


def _goes_back(block: PlannedBlock) -> bool:
    """Return whether a line may come to one of the block's nodes again."""
    return any(block.place(name) in range(place + 1) for place, name in _leads(block))


def _leads(block: PlannedBlock) -> Iterator[tuple[int, str]]:
    for place, planned in enumerate(block.nodes):
        node = planned.node
        if node.next is not None:
            yield place, node.next
        for name, _ in planned.kind.targets(node.settings, ()):
            yield place, name
        for strategy, settings, _ in planned.strategies:
            for name, _ in strategy.targets(settings, ()):
                yield place, name
