"""The flows of one run, as a store keeps them: which node a line stands at, and what nodes there are.

No component is needed for that: whoever looks at a run or controls it may not have those that it calls.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from orderlines.flow.load import from_canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.flow.model import Block, Flow, Node
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow, RunRow


class KeptFlows:
    """The flow of a run and those that it enters, each read once.

    Every method raises :class:`orderlines.errors.PluginError` where a node type that is used is not installed.
    """

    def __init__(self, store: Store, row: RunRow, registry: Registry) -> None:
        self.registry = registry
        self._store = store
        self._row = row
        self._flows: dict[str, Flow] = {}
        self._blocks: dict[str, list[Block]] = {}

    def own(self) -> Flow:
        """Return the run's own flow."""
        return self._flow(self._row.digest)

    def every(self) -> Iterator[Flow]:
        """Yield the run's flow and those that it enters, and that they enter."""
        seen: set[str] = set()
        left = [self._row.digest]
        while left:
            digest = left.pop()
            if digest not in seen:
                seen.add(digest)
                flow = self._flow(digest)
                yield flow
                left.extend(flow.data.get("flows", {}).values())

    def nodes(self, flow: Flow) -> Iterator[Node]:
        """Yield the nodes of a flow, those of nested lines behind the one that opens them."""
        left: list[Block] = [flow.line]
        while left:
            for node in left.pop().nodes:
                yield node
                left.extend(self._inside(node))

    def at(self, line: LineRow) -> Node | None:
        """Return the node that a line's cursor points at."""
        nodes = self._numbered(line.flow or self._row.digest)[line.block].nodes
        return nodes[line.cursor] if 0 <= line.cursor < len(nodes) else None

    def _flow(self, digest: str) -> Flow:
        flow = self._flows.get(digest)
        if flow is None:
            body = json.loads(self._store.flow(digest))
            flow = self._flows[digest] = from_canonical(body, self.registry, digest)
        return flow

    def _numbered(self, digest: str) -> list[Block]:
        """Return the blocks of a flow by the numbers that :func:`orderlines.plan.compile_plan` gives them."""
        blocks = self._blocks.get(digest)
        if blocks is None:
            blocks = self._blocks[digest] = [self._flow(digest).line]
            for block in blocks:  # which grows meanwhile
                for node in block.nodes:
                    blocks.extend(self._inside(node))
        return blocks

    def _inside(self, node: Node) -> list[Block]:
        return [block for _, block in self.registry.node_type(node.type).blocks(node.settings)]
