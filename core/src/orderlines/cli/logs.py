"""``orderlines logs RUN``."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import click

from orderlines.cli.completing import complete_nodes, run_argument
from orderlines.cli.options import json_option, opened_run, store_option
from orderlines.cli.output import write_text
from orderlines.cli.pieces import write_list
from orderlines.errors import PluginError, Refused, StoreUnavailable, UnknownRun
from orderlines.states import FINAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.stores.base import Store
    from orderlines.stores.records import KeptLog, RunRow

_LOOK: Final = 0.1
"""Seconds between two looks at whether somebody has written."""


@click.command("logs")
@run_argument
@click.option("--node", metavar="NODE", shell_complete=complete_nodes, help="Shows only what was said at this node.")
@click.option("--follow", is_flag=True, help="Shows what is said until the run is over.")
@store_option
@json_option
def command(run: str, node: str | None, url: str, *, follow: bool, as_json: bool) -> None:
    """Show what the calls of RUN printed and logged, in order of time."""
    from orderlines.views import log_documents  # noqa: PLC0415 -- not needed to show help

    # Whoever reads may have seen enough.
    with opened_run(url, run) as (store, row), suppress(BrokenPipeError):
        _check_node(store, row, node)
        at, line = _place(node)
        if line is not None and not follow:
            _check_line(store, row, line)
        kept = _followed(store, row, at, line) if follow else store.logs(row.id, at, line)
        documents = log_documents(kept)
        if as_json:
            write_list(f'{{"run": {json.dumps(row.name)}, "logs": [', documents)
            return
        for text in _plain(documents):
            write_text(text)


def _check_node(store: Store, row: RunRow, node: str | None) -> None:
    """Refuse a node that the run does not have.

    :raises Refused: it has none of that id.
    """
    from orderlines.control.addresses import check_known  # noqa: PLC0415 -- not needed to show help
    from orderlines.keptflows import KeptFlows  # noqa: PLC0415 -- as above
    from orderlines.plugins import registry  # noqa: PLC0415 -- as above

    if node is None or row.pruned:
        return
    with suppress(PluginError):  # Whoever only looks need not have what the flow is made of.
        check_known(KeptFlows(store, row, registry()), row, node.removesuffix(":on_failure"))


def _place(address: str | None) -> tuple[str | None, str | None]:
    """Return the node that is meant by LINE/NODE, and its line's path; ``None`` where it is any."""
    if address is None:
        return None, None
    from orderlines.control.addresses import parted  # noqa: PLC0415 -- not needed to show help

    path, node = parted(address)
    return node, f"/{path}" if path else None


def _check_line(store: Store, row: RunRow, path: str) -> None:
    """Refuse a line that the run does not have.

    :raises Refused: it has none with that path.
    """
    if not row.pruned and all(line.path != path for line in store.lines(row.id)):
        raise Refused(f"run {row.name} has no line {path[1:]!r}; `orderlines status {row.name}` shows its lines")


def _followed(store: Store, row: RunRow, node: str | None, line: str | None) -> Iterator[KeptLog]:
    """Yield what is kept, and what is written until the run is final; a store that is away is waited for.

    :raises UnknownRun: the store does not have it any more.
    """
    from orderlines.cli.outage import Outage  # noqa: PLC0415 -- only to follow

    outage, last = Outage(), 0
    while True:
        try:
            version = store.version()
            final = _is_final(store, row.name)  # asked first: the last step writes the last lines, too
            for kept in store.logs(row.id, node, line, after=last):
                last = max(last, kept.id)
                yield kept
            outage.over()
            if final:
                return
            while store.version() == version:
                time.sleep(_LOOK)
        except StoreUnavailable as error:
            outage.bear(error)


def _is_final(store: Store, name: str) -> bool:
    row = store.run(name)
    if row is None:
        raise UnknownRun(f"no run {name!r} is kept in {store.shown} any more")
    return row.status in FINAL


def _plain(documents: Iterator[dict[str, Any]]) -> Iterator[str]:
    from orderlines.views import log_line  # noqa: PLC0415 -- not needed to show help

    yield from (f"{log_line(document)}\n" for document in documents)
