"""orderlines: a plugin-based workflow engine. Importing it starts nothing and patches nothing."""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` itself takes as long to import as everything else that --version needs
if TYPE_CHECKING:
    from orderlines.api import load, run
    from orderlines.building.expressions import ref
    from orderlines.building.flow import Flow
    from orderlines.components.base import Context, component
    from orderlines.engine import Engine, Run
    from orderlines.errors import InvalidFlow, OrderlinesError

__all__ = ["Context", "Engine", "Flow", "InvalidFlow", "OrderlinesError", "Run", "component", "load", "ref", "run"]

_HOMES = {
    "Context": "orderlines.components.base",
    "Engine": "orderlines.engine",
    "Flow": "orderlines.building.flow",
    "InvalidFlow": "orderlines.errors",
    "OrderlinesError": "orderlines.errors",
    "Run": "orderlines.engine",
    "component": "orderlines.components.base",
    "load": "orderlines.api",
    "ref": "orderlines.building.expressions",
    "run": "orderlines.api",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use: a command line that shows its version needs none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module 'orderlines' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 -- see above

    return getattr(import_module(_HOMES[name]), name)
