"""``orderlines prune``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orderlines.cli.options import is_there, json_option, nothing_at, open_store, open_to_look, store_option
from orderlines.cli.output import show, tell
from orderlines.errors import UsageError
from orderlines.states import FINAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@click.command("prune")
@click.option("--older-than", metavar="DURATION", required=True, help="Runs that ended longer ago than that: 30d, 12h.")
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(sorted(FINAL), case_sensitive=False),
    help="Only runs that ended so.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only count the runs that would go.")
@store_option
@json_option
def command(older_than: str, statuses: tuple[str, ...], url: str, *, dry_run: bool, as_json: bool) -> None:
    """Delete runs that ended long ago, with all that belongs to them.

    They go in short transactions, so that others go on meanwhile. Their keys are kept: the same key again joins the run
    that is gone, and starts no other. Flows that no run names any more go too, but for the last of each name, and large
    values that no run names.
    """
    from orderlines.control import pruning  # noqa: PLC0415 -- not needed to show help

    age = _age(older_than)
    if is_there(url):
        store = open_to_look(url) if dry_run else open_store(url)
        try:
            before = store.now() - age
            if dry_run:
                gone = pruning.Pruned(pruning.count_prunable(store, before, statuses), 0, 0)
            else:
                gone = pruning.prune(store, before, statuses)
        finally:
            store.close()
    else:
        tell(nothing_at(url))
        gone = pruning.Pruned(0, 0, 0)
    show({**gone._asdict(), "dry_run": dry_run}, _lines, as_json=as_json)


def _age(text: str) -> float:
    from orderlines.flow.duration import SPELT, parse_duration  # noqa: PLC0415 -- as above

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--older-than {text!r}: {error}; write {SPELT}") from None


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    if document["dry_run"]:
        yield f"{_many(document['runs'], 'run')} would be deleted; nothing was"
        return
    yield f"{_many(document['runs'], 'run')} deleted"
    if document["flows"]:
        yield f"{_many(document['flows'], 'flow')} that no run names deleted"
    if document["values"]:
        yield f"{_many(document['values'], 'large value')} that no run names deleted"


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
