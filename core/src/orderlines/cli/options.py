"""Options that several commands take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from orderlines.errors import UnknownRun, UsageError

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.stores.records import RunRow

DEFAULT_STORE: Final = "sqlite:///.orderlines/orderlines.db"

store_option = click.option(
    "--store", "url", metavar="URL", envvar="ORDERLINES_STORE", default=DEFAULT_STORE, show_default=True,
    help="Where runs are kept.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
executor_option = click.option(
    "--executor", metavar="NAME", envvar="ORDERLINES_EXECUTOR", help="Replaces the flow's default executor."
)


def open_store(url: str) -> Store:
    """Return the store of a URL.

    :raises UsageError: this is no URL.
    :raises PluginError: no plugin offers a store for its scheme.
    :raises StoreUnavailable: it cannot be reached or read.
    """
    from orderlines.plugins import registry  # noqa: PLC0415 -- not needed to show help

    scheme, colon, _ = url.partition("://")
    if not colon:
        raise UsageError(f"{url!r} is not the URL of a store; write one such as {DEFAULT_STORE}")
    store: Store = registry().store(scheme)(url)
    return store


def find_run(store: Store, name: str) -> RunRow:
    """Return a run.

    :raises UnknownRun: there is none of that name.
    """
    row = store.run(name)
    if row is None:
        raise UnknownRun(f"no run {name!r} is kept in {store.url}; `orderlines runs --store {store.url}` lists them")
    return row
