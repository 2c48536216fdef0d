"""What this distribution offers to orderlines; it imports nothing else, so that finding it costs nothing."""

from __future__ import annotations

from orderlines.plugins import ComponentsPlugin, hookimpl

ORDERLINES_API = 1


@hookimpl
def orderlines_components() -> list[ComponentsPlugin]:
    """Return the library ``template``."""
    return [ComponentsPlugin("template", "orderlines_template.library:Template")]
