"""Offers the library ``bench`` to orderlines; :mod:`benchmarks.plugged` makes it known."""

from __future__ import annotations

from orderlines.plugins import ComponentsPlugin, hookimpl

ORDERLINES_API = 1


@hookimpl
def orderlines_components() -> list[ComponentsPlugin]:
    """Return the library."""
    return [ComponentsPlugin("bench", "benchmarks.components")]
