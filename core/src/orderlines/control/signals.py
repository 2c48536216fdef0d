"""Sending a signal to a run, once it is clear that something in it may wait for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.control.wishes import check_going
from orderlines.errors import Refused
from orderlines.flow.naming import did_you_mean
from orderlines.keptflows import KeptFlows
from orderlines.values import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow


def signal(store: Store, run: RunRow, node: str, data: Any, key: str | None, registry: Registry) -> bool:
    """Send a signal to a node of a run, which may not wait for it yet; return whether it was not sent before.

    :param node: a node's id, one with its line (``LINE/NODE``), or what the node waits for.
    :param key: the same key again does nothing.
    :raises Refused: the run has ended; nothing in it waits for such a signal; or several lines do.
    :raises ValueNotStorable: the data cannot be kept.
    """
    check_going(run, "signalled")
    _check_address(KeptFlows(store, run, registry), run, node)
    return store.signal(run.id, node, encode(data), key)


def _check_address(flows: KeptFlows, run: RunRow, target: str) -> None:
    known = dict(_addresses(flows))
    name = target if target in known else target.rpartition("/")[2]
    waits = known.get(name)
    if waits or (waits is None and any("${" in address for address in known)):
        return
    if waits is not None:
        raise Refused(f"node {name!r} of flow {run.flow!r} does not wait for signals")
    hint = did_you_mean(name, [address for address, waiting in known.items() if waiting])
    raise Refused(f"flow {run.flow!r} has no node {name!r}; {hint or 'no node of it waits for a signal'}")


def _addresses(flows: KeptFlows) -> Iterator[tuple[str, bool]]:
    """Yield each node's id, and what it waits for, each with whether its type waits for signals at all."""
    waiting: list[str] = []
    for flow in flows.every():
        for node in flows.nodes(flow):
            if flows.registry.node_type(node.type).signals:
                waiting += filter(None, (node.id, node.settings.get("signal")))
            else:
                yield node.id, False
    yield from ((name, True) for name in waiting)
