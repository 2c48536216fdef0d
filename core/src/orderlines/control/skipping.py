"""Leaving out the node at which a run stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orderlines.control.addresses import line_at
from orderlines.control.goingon import ended_at
from orderlines.errors import Refused
from orderlines.keptflows import KeptFlows
from orderlines.states import FINAL, Halt, LineStatus, RunStatus

if TYPE_CHECKING:
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

_OVER: Final = {*FINAL, LineStatus.HANDLER}
"""What a line is at whose node nothing can be left out any more."""


def skip(store: Store, run: RunRow, node: str, registry: Registry) -> RunRow:
    """Let a run leave out a node at which a line stands: it ends as SKIP with the result null, and the line goes on.

    In a run that has failed or was stopped the node is left out once it is retried.

    :param node: its id, or ``LINE/NODE`` where several lines stand at it.
    :raises Refused: no line stands there, or several do; the run has succeeded, or is to stop; the node is one that
        says where the line goes on.
    """
    if run.pruned:
        raise Refused(f"run {run.name} was pruned; only its key is kept")
    if run.status == RunStatus.SUCCESS:
        raise Refused(f"run {run.name} has succeeded; nothing is left to skip")
    flows = KeptFlows(store, run, registry)
    ended = run.status in FINAL
    lines = ended_at(store, run) if ended else [line for line in store.lines(run.id) if line.status not in _OVER]
    line, found = line_at(flows, run, lines, node)
    if found.next is None and not registry.node_type(found.type).falls_through(found.settings):
        raise Refused(f"node {found.id!r} says where the line goes on and cannot be skipped")
    if line.halt == Halt.STOP and not ended:
        raise Refused(f"{node!r} is to stop; it can be skipped once run {run.name} has ended and is retried")
    if not store.skip(line):
        raise Refused(f"run {run.name} has just gone on from {node!r}")
    return store.run(run.id) or run
