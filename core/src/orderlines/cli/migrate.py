"""``orderlines migrate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orderlines.cli.options import is_there, json_option, nothing_at, open_store, store_kind, store_option
from orderlines.cli.output import show, tell
from orderlines.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orderlines.control.migrating import Migrated
    from orderlines.stores.upgrading import Upgrade


@click.command("migrate")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--no-backup", is_flag=True, help="Keeps no copy of an SQLite file beside it.")
@store_option
@json_option
def command(url: str, *, dry_run: bool, no_backup: bool, as_json: bool) -> None:
    """Upgrade a store that an older orderlines has made.

    End every program that uses the store first: while a driver lives on it, nothing is done. An SQLite file is copied
    beside itself before; of a server's data, make a backup yourself. Where the command is killed, at whatever moment,
    the next one goes on; until then nobody can open the store.
    """
    from orderlines.control.migrating import migrate, plan  # noqa: PLC0415 -- not needed to show help

    kind = store_kind(url)
    if not is_there(url):
        raise UsageError(nothing_at(url))
    upgrade: Upgrade | None = getattr(kind, "upgrade", lambda _: None)(url)
    if upgrade is None:
        raise UsageError(f"stores of {url.partition(':')[0]}:// have nothing to upgrade: their schema has no version")
    try:
        if dry_run:
            done: Migrated = plan(upgrade)
        else:
            done = migrate(upgrade, lambda: open_store(url), tell, backup=not no_backup)
    finally:
        upgrade.close()
    show({"store": upgrade.shown, **done._asdict(), "dry_run": dry_run}, _lines, as_json=as_json)


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    if document["backup"]:
        yield f"as it was, it is kept in {document['backup']}"
    if not document["steps"]:
        yield f"{document['store']} is up to date: schema version {document['needed']}"
    elif document["dry_run"]:
        yield f"{document['store']} would be upgraded from schema version {document['found']} to {document['needed']}"
    else:
        yield f"{document['store']} was upgraded from schema version {document['found']} to {document['needed']}"
