"""A new round of a run that has failed or was stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.acceptance import checked
from orderlines.control.goingon import ended_at
from orderlines.driving.plans import Plans
from orderlines.errors import PluginError, Refused, ValueNotStorable
from orderlines.expression import compile_template
from orderlines.flow.naming import did_you_mean
from orderlines.handing import home_of
from orderlines.keptflows import KeptFlows
from orderlines.states import FINAL, RunStatus
from orderlines.stores.records import Reopening, Rewind
from orderlines.values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.flow.model import Node
    from orderlines.plugins import Registry
    from orderlines.stores.base import Store
    from orderlines.stores.records import KeptTask, RunRow


def retry(store: Store, run: RunRow, from_: str | None, given: Mapping[str, Any], registry: Registry) -> RunRow:
    """Begin a new round of a run; somebody has to drive it then.

    What has succeeded is kept. Without ``from_`` each line goes on at the node at which it failed or was stopped.

    :param from_: a node that the first line has visited: variables are what they were when it was last entered, and
        all that came of it, and later, is void.
    :param given: variables that win over what the run had.
    :raises Refused: the run has succeeded, or goes on; there is nothing to go on from; something that it needs is not
        installed here.
    :raises UsageError: a variable is not declared, or not of the type that it is declared with.
    """
    if run.status not in FINAL:
        raise Refused(f"run {run.name} is {run.status}, and only one that has failed or was stopped can be retried")
    if run.pruned:
        raise Refused(f"run {run.name} was pruned; only its key is kept")
    if run.status == RunStatus.SUCCESS:
        raise Refused(f"run {run.name} has succeeded; there is nothing to do again")
    flows = KeptFlows(store, run, registry)
    flow = flows.own()
    checked(flow, given)
    root = store.lines(run.id)[0]
    tasks = [kept for kept in store.tasks(run.id) if not kept.line] if from_ is not None or given else []
    back = None if from_ is None else _rewind(flows, run, tasks, from_)
    values = None
    if back is not None:
        values = _kept(run, {**_variables_at(store, run, tasks, back.tasks), **given})
    elif given:
        _check_items(flows, store, run, given)
        values = _kept(run, {**_variables_at(store, run, tasks, root.tasks), **given})
    _check_plan(store, run, registry)
    return store.reopen(Reopening(run.id, run.round, flow.timeout, back, values))


def _kept(run: RunRow, variables: Mapping[str, Any]) -> str:
    """Return the variables that a run goes on with as they are kept.

    :raises Refused: all together they cannot be.
    """
    try:
        return encode(variables)
    except ValueNotStorable as error:
        raise Refused(
            f"the variables of run {run.name} cannot be kept together: {error}; give what is smaller with `--var`, or"
            " retry it without `--from` and `--var`"
        ) from error


def _check_plan(store: Store, run: RunRow, registry: Registry) -> None:
    """See to it that a run which no worker drives can be driven here: once reopened it would stand still.

    :raises Refused: it cannot.
    """
    if home_of(store, run) is not None:
        return
    try:
        Plans(store, registry).of(run.digest, run.executor)
    except PluginError as error:
        raise Refused(f"run {run.name} is left as it is, for it cannot be driven on here: {error}") from error


def _rewind(flows: KeptFlows, run: RunRow, tasks: list[KeptTask], node: str) -> Rewind:
    """Return where the last visit to a node began."""
    ids = [each.id for each in flows.own().line.nodes]
    if node not in ids:
        raise Refused(f"the first line of flow {run.flow!r} has no node {node!r}; {did_you_mean(node, ids)}")
    visits = [kept.ordinal for kept in tasks if kept.task.node == node]
    if not visits:
        raise Refused(f"run {run.name} has not been at {node!r} yet; `retry` without `--from` goes on to it")
    return Rewind(max(visits), ids.index(node))


def _variables_at(store: Store, run: RunRow, tasks: list[KeptTask], moment: int) -> dict[str, Any]:
    """Return the root line's variables as they were after so many of its tasks."""
    given = [over for over in store.rounds(run.id) if over.vars is not None and over.tasks <= moment]
    text, since = (given[-1].vars, given[-1].tasks) if given else (None, 0)
    variables: dict[str, Any] = decode(store.whole(text or run.vars))
    for kept in sorted(tasks, key=lambda kept: kept.ordinal):
        if since <= kept.ordinal < moment and kept.task.assigned is not None:
            variables.update(decode(store.whole(kept.task.assigned)))
    return variables


def _check_items(flows: KeptFlows, store: Store, run: RunRow, given: Mapping[str, Any]) -> None:
    """See to it that no variable changes the items of a `foreach` that is only half done, on whatever line it is.

    :raises Refused: one does.
    """
    lines = [line for line in ended_at(store, run) if line.flow is None]  # A sub-flow has variables of its own.
    parents = {line.parent for line in lines}
    first = flows.at(lines[0])
    for line in lines:
        node = flows.at(line) if line.id in parents else None
        changed = [] if node is None else sorted(set(given) & _names(flows, node))
        if changed and node is not None and first is not None:
            raise Refused(
                f"variable {changed[0]!r} says what lines node {node.id!r} opens, and some of them are done;"
                f" begin {'it' if node is first else repr(first.id)} anew with `--from {first.id}`"
            )


def _names(flows: KeptFlows, node: Node) -> set[str]:
    """Return the variables that a node itself, not the nodes in its lines, asks for before it opens them."""
    templates = flows.registry.node_type(node.type).templates(node.settings, ())
    return {name[0] for value, _ in templates for name in compile_template(value).names}
