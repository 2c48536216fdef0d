"""Which line of a run somebody means, who names a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines.errors import Refused
from orderlines.flow.naming import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orderlines.flow.model import Node
    from orderlines.keptflows import KeptFlows
    from orderlines.stores.records import LineRow, RunRow


def line_at(flows: KeptFlows, run: RunRow, lines: Iterable[LineRow], target: str) -> tuple[LineRow, Node]:
    """Return the one of some lines that stands at a node, and the node.

    :param target: the node's id, or ``LINE/NODE`` where several lines stand at it.
    :raises Refused: no line stands there, or several do.
    """
    wanted = target.lstrip("/")  # documents write the path of a line with a slash before it
    found = [(line, node) for line in lines if (node := flows.at(line)) and wanted in {node.id, address_of(line, node)}]
    if len(found) > 1:
        names = ", ".join(address_of(line, node) for line, node in found[:5])
        raise Refused(f"{len(found)} lines of run {run.name} stand at {target!r}; name one of them: {names}")
    if not found:
        check_known(flows, run, target)
        raise Refused(f"no line of run {run.name} stands at {target!r}: it has not begun there, or has gone on")
    return found[0]


def check_known(flows: KeptFlows, run: RunRow, target: str) -> None:
    """Refuse a node that no flow of a run has.

    :param target: the node's id, or ``LINE/NODE``.
    :raises Refused: there is none.
    """
    ids = {node.id for flow in flows.every() for node in flows.nodes(flow)}
    name = parted(target)[1]
    if name not in ids:
        raise Refused(f"flow {run.flow!r} has no node {name!r}; {did_you_mean(name, ids)}")


def parted(address: str) -> tuple[str, str]:
    """Return the path of LINE/NODE, without a slash before it and empty on the first line, and the node's id."""
    path, _, node = address.lstrip("/").rpartition("/")
    return path, node


def address_of(line: LineRow, node: Node) -> str:
    """Return LINE/NODE: the node alone on the first line."""
    return f"{line.path}/{node.id}".lstrip("/")
