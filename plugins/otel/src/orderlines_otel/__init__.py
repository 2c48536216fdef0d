"""Traces of runs for OpenTelemetry, and metrics for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderlines_otel.calls import attempt_context

__all__ = ["attempt_context"]


def __getattr__(name: str) -> Any:
    """Return what is exported, imported when it is asked for: what imports the plugin needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from orderlines_otel.calls import attempt_context  # noqa: PLC0415 -- see above

    return attempt_context
