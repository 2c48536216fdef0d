"""Spans among logs that are JSON: one object a line, in the shape of all the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from orderlines.jsonlines import line, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

LOGGER: Final = "orderlines.otel"
_SECOND: Final = 1_000_000_000


class JSONConsole(SpanExporter):
    """Writes spans to standard error; the SDK's own console exporter spreads each over many lines."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write spans; nobody may read them."""
        write("".join(map(_told, spans)))
        return SpanExportResult.SUCCESS


def _told(span: ReadableSpan) -> str:
    return line((span.end_time or 0) / _SECOND, "INFO", LOGGER, span.name, span=json.loads(span.to_json(indent=None)))
