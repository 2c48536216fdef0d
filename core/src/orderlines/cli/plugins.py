"""``orderlines plugins``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from orderlines.cli.options import json_option
from orderlines.cli.output import show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@click.command("plugins")
@json_option
def command(as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """List the installed plugins, what they offer and what is wrong with them.

    With ORDERLINES_PLUGINS_STRICT=1 what they offer is imported as well; the exit code is 2 where anything is wrong.
    """
    from orderlines.plugins.manager import Registry, installed, is_strict  # noqa: PLC0415 -- not needed to show help
    from orderlines.plugins.trying import is_wrong, tried  # noqa: PLC0415 -- as above

    strict = is_strict()
    found = Registry(installed())
    plugins = tried(found) if strict else found.plugins()
    show({"plugins": [info._asdict() for info in plugins]}, _lines, as_json=as_json)
    sys.exit(2 if strict and any(map(is_wrong, plugins)) else 0)


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    for plugin in document["plugins"]:
        api = f"  API {plugin['api']}" if plugin["api"] is not None else ""
        yield f"{plugin['distribution']} {plugin['version']}  {plugin['status']}  ({plugin['entry_point']}){api}"
        for kind, names in plugin["provides"].items():
            yield f"  {kind}: {', '.join(names)}"
        for line in (plugin["error"] or "").splitlines():
            yield f"  {line}"
