"""What a run's flow says about its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orderlines.flow.model import Flow, Node
    from orderlines.nodes.base import NodeType
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow, RunRow


class KnownFlow:
    """The flow of a run and those that it enters: each read once, however often the run is looked at."""

    def __init__(self, store: Store, row: RunRow, registry: Registry | None) -> None:
        """Read the flow of a run.

        :raises PluginError: a node type that it uses is not installed any more.
        """
        if registry is None:
            from orderlines.plugins import registry as installed  # noqa: PLC0415 -- only where none is given

            registry = installed()
        from orderlines.keptflows import KeptFlows  # noqa: PLC0415 -- a list of runs needs no flow

        self._flows = KeptFlows(store, row, registry)
        self._nodes: dict[str | None, dict[str, Node]] = {None: self._nodes_of(self._flows.own())}

    def at(self, line: LineRow) -> Node | None:
        """Return the node at a line's cursor."""
        return self._flows.at(line)

    def node(self, line: LineRow, id_: str) -> Node | None:
        """Return a node of the flow that a line walks; what ``on_failure`` of a whole flow calls is none."""
        if line.flow not in self._nodes:
            self._nodes.update((flow.digest, self._nodes_of(flow)) for flow in self._flows.every())
        return self._nodes[line.flow].get(id_)

    def kind(self, node: Node) -> NodeType:
        """Return a node's type."""
        return self._flows.registry.node_type(node.type)

    def _nodes_of(self, flow: Flow) -> dict[str, Node]:
        return {node.id: node for node in self._flows.nodes(flow)}
