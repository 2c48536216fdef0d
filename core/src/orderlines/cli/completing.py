"""What a shell completes of a store, the one that is named on the line or the default: runs, nodes, flows, schedules.

Nothing where the store would have to be made. What else goes wrong is raised; :mod:`.completion` tells nobody.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from click.shell_completion import CompletionItem

    from orderlines.flow.model import Node
    from orderlines.keptflows import KeptFlows
    from orderlines.stores.base import Store

_MANY: Final = 100
_RECENT: Final = 1000
"""Runs whose flows are offered."""
_LARGE: Final = 1_000_000
"""Characters of a flow that is not read for its nodes: nobody waits so long for a completion."""


@contextmanager
def _readable(context: click.Context) -> Iterator[Store | None]:
    """Yield the store, or ``None`` where there is none yet."""
    from orderlines.cli.options import is_there, store_kind  # noqa: PLC0415 -- only while a line is completed
    from orderlines.settings import default_store  # noqa: PLC0415 -- as above

    url = context.params.get("url") or default_store()
    if not is_there(url):
        yield None
        return
    store = store_kind(url)(url)
    try:
        yield store
    finally:
        store.close()


def complete_runs(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the newest runs whose names begin so, and what stands for the last one, where it does."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 -- only while a line is completed

    from orderlines.cli.options import LAST  # noqa: PLC0415 -- as above
    from orderlines.stores.records import RunFilter  # noqa: PLC0415 -- as above

    with _readable(context) as store:
        if store is None:
            return []
        last = store.runs(1) if LAST.startswith(incomplete) else []
        rows = store.runs(_MANY, wanted=RunFilter(prefix=incomplete))
    return [
        *(CompletionItem(LAST, help=f"{row.name} {row.flow} {row.status}") for row in last),
        *(CompletionItem(row.name, help=f"{row.flow} {row.status}") for row in rows),
    ]


def complete_flows(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names of flows that recent runs have and that begin so."""
    with _readable(context) as store:
        return [] if store is None else _words((row.flow for row in store.runs(_RECENT)), incomplete)


def complete_schedules(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the schedules whose names begin so."""
    with _readable(context) as store:
        return [] if store is None else _words((row.schedule.name for row in store.schedules()), incomplete)


def _words(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """Return those that begin so, each once; not those with blanks, which a shell would take for several words."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 -- only while a line is completed

    found = (name for name in dict.fromkeys(names) if name.startswith(incomplete) and name.split() == [name])
    return [CompletionItem(name) for name in islice(found, _MANY)]


def complete_nodes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the nodes of the run that is named on the line whose ids begin so."""
    return _nodes(context, incomplete, _every)


def complete_first_line(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return those of them that are on the run's first line."""
    return _nodes(context, incomplete, lambda flows: iter(flows.own().line.nodes))


def complete_signals(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return those of them that may wait for a signal."""
    return _nodes(
        context,
        incomplete,
        lambda flows: (node for node in _every(flows) if flows.registry.node_type(node.type).signals),
    )


def _every(flows: KeptFlows) -> Iterator[Node]:
    for flow in flows.every():
        yield from flows.nodes(flow)


def _nodes(
    context: click.Context, incomplete: str, choose: Callable[[KeptFlows], Iterator[Node]]
) -> list[CompletionItem]:
    # Behind an option that has no value yet, click leaves the arguments as they stand.
    run = context.params.get("run") or next(iter(context.args), None)
    with _readable(context) as store:
        if store is None or not isinstance(run, str):
            return []
        return _words((node.id for node in choose(_flows(store, run))), incomplete)


def _flows(store: Store, run: str) -> KeptFlows:
    """Return the flows of a run.

    :raises OrderlinesError: there is no such run, or its flow is not one to be read in passing.
    """
    from orderlines.cli.options import find_run  # noqa: PLC0415 -- only while a line is completed
    from orderlines.errors import OrderlinesError  # noqa: PLC0415 -- as above
    from orderlines.keptflows import KeptFlows  # noqa: PLC0415 -- as above
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    row = find_run(store, run)
    if row.pruned or len(store.flow(row.digest)) > _LARGE:
        raise OrderlinesError("its nodes are not listed")
    return KeptFlows(store, row, registry())


run_argument = click.argument("run", shell_complete=complete_runs)
