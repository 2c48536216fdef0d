"""``orderlines components [NAME]``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from orderlines.cli.offering import complete_components
from orderlines.cli.options import import_option, json_option
from orderlines.cli.output import show, tell
from orderlines.errors import PluginError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orderlines.components.base import Component
    from orderlines.plugins import Registry


@click.command("components")
@click.argument("name", required=False, shell_complete=complete_components)
@import_option
@json_option
def command(name: str | None, as_json: bool) -> None:  # noqa: FBT001 -- a flag of the command line
    """Show the components, those of the library NAME, or the one component NAME (LIBRARY.COMPONENT)."""
    from orderlines.plugins import registry  # noqa: PLC0415 -- not needed to show help

    found = _all(registry()) if name is None else _named(registry(), name)
    document = {"components": [{"name": f"{each.library}.{each.name}", "schema": each.schema()} for each in found]}
    show(document, _lines if name is None or len(found) != 1 else _schema, as_json=as_json)


def _all(registry: Registry) -> list[Component]:
    """Return every component; a library that cannot be loaded is named on standard error."""
    found: list[Component] = []
    for library in registry.libraries():
        try:
            found.extend(registry.components(library))
        except PluginError as error:
            tell(f"warning: {error}", "WARNING")
    return found


def _named(registry: Registry, name: str) -> list[Component]:
    library, _, component = name.rpartition(".")
    return [registry.component(library, component)] if library else registry.components(name)


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    for component in document["components"]:
        schema = component["schema"]
        required = schema.get("required", ())
        arguments = ", ".join(key if key in required else f"[{key}]" for key in schema["properties"])
        yield f"{component['name']}({arguments})  {schema.get('description', '')}".rstrip()


def _schema(document: Mapping[str, Any]) -> Iterator[str]:
    for component in document["components"]:
        yield json.dumps(component["schema"], indent=2, ensure_ascii=False)
