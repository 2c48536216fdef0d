"""What this distribution offers to orderlines."""

from __future__ import annotations

from orderlines.plugins import ComponentsPlugin, hookimpl

ORDERLINES_API = 1


@hookimpl
def orderlines_components() -> list[ComponentsPlugin]:
    """Return the libraries ``demo`` and ``Test``."""
    return [
        ComponentsPlugin("demo", "orderlines_demo.functions"),
        ComponentsPlugin("Test", "orderlines_demo.library:Test"),
    ]
