"""An exporter whose failures are told in one line, seldom, and are nobody else's."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from orderlines.logger import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

SILENCE: Final = 60.0
"""Seconds between two complaints."""


class Sending(SpanExporter):
    """Sends spans with another exporter.

    :param exporter: the other one; some of its versions raise what they could not do.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = 0
        self._next = -math.inf

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; raises nothing."""
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # noqa: BLE001 -- told; whatever it is, the spans are lost
            return self._complain(len(spans), f": {type(error).__name__}: {error}")
        return result if result is SpanExportResult.SUCCESS else self._complain(len(spans), "")

    def shutdown(self) -> None:
        """Let the other one end."""
        self._exporter.shutdown()

    def _complain(self, count: int, reason: str) -> SpanExportResult:
        self._lost += count
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + SILENCE
            lost, self._lost = self._lost, 0
            logger().warning("%d spans could not be sent and are lost%s", lost, reason)
        return SpanExportResult.FAILURE
