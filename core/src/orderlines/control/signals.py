"""Sending a signal to a run, once it is clear that something in it may wait for one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from orderlines.control.addresses import address_of, parted
from orderlines.control.wishes import check_going
from orderlines.errors import Refused, UsageError
from orderlines.flow.naming import did_you_mean
from orderlines.keptflows import KeptFlows
from orderlines.states import LineStatus
from orderlines.values import encode

if TYPE_CHECKING:
    from collections.abc import Collection

    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

_OPENER: Final = re.compile(r"(.+)#[0-9]+(?:\.[0-9]+)?")


def signal(
    store: Store,
    run: RunRow,
    node: str,
    data: Any,
    key: str | None,
    registry: Registry,
    flows: KeptFlows | None = None,
) -> bool:
    """Send a signal to a node of a run, which may not wait for it yet; return whether it was not sent before.

    :param node: a node's id, one with its line (``LINE/NODE``), or what the node waits for.
    :param key: the same key again does nothing.
    :param flows: the run's, from somebody who sends it several.
    :raises UsageError: the key is empty.
    :raises Refused: the run has ended; nothing in it waits for such a signal; or several lines do.
    :raises ValueNotStorable: the data cannot be kept.
    """
    if key == "":
        raise UsageError("the key is empty; name what the signal is of, or give no key")
    check_going(run, "signalled")
    address = _addressed(flows or KeptFlows(store, run, registry), store, run, node)
    return store.signal(run.id, address, encode(data), key)


def _addressed(flows: KeptFlows, store: Store, run: RunRow, target: str) -> str:
    """Return the address under which a line may wait: documents write the path of a line with a slash before it."""
    nodes, names = _known(flows)
    if target in names or nodes.get(target):
        return target
    path, node = parted(target)
    if nodes.get(node) and _may_be_a_line(path, nodes):
        return target.lstrip("/")
    if any("${" in name for name in names):
        return target
    if path and (nodes.get(node) or node in names):
        raise Refused(f"nothing in run {run.name} can wait at {target!r}; {_how_to_write(flows, store, run)}")
    if node in nodes:
        raise Refused(f"node {node!r} of flow {run.flow!r} does not wait for signals")
    hint = did_you_mean(node, [*(name for name, waits in nodes.items() if waits), *names])
    raise Refused(f"flow {run.flow!r} has no node {node!r}; {hint or 'no node of it waits for a signal'}")


def _known(flows: KeptFlows) -> tuple[dict[str, bool], set[str]]:
    """Return the nodes' ids, each with whether its type waits for signals at all, and what they wait for."""
    nodes: dict[str, bool] = {}
    names: set[str] = set()
    for flow in flows.every():
        for node in flows.nodes(flow):
            waits = flows.registry.node_type(node.type).signals
            nodes[node.id] = waits or nodes.get(node.id, False)
            if waits and node.settings.get("signal"):
                names.add(node.settings["signal"])
    return nodes, names


def _may_be_a_line(path: str, nodes: Collection[str]) -> bool:
    """Return whether a path is made as those of lines are: who opened it, and its name, again and again."""
    steps = path.split("/") if path else []
    openers = [_OPENER.fullmatch(step) for step in steps[::2]]
    return len(steps) % 2 == 0 and all(opener is not None and opener[1] in nodes for opener in openers)


def _how_to_write(flows: KeptFlows, store: Store, run: RunRow) -> str:
    """Say what the address of a line is, with one that waits for a signal now if there is one."""
    waiting = (line for line in store.lines(run.id) if line.status == LineStatus.SIGNAL)
    example = next((address_of(line, node) for line in waiting if (node := flows.at(line))), "")
    such = f", such as {example}" if example else ""
    return f"write LINE/NODE as `orderlines status` shows them{such}"
