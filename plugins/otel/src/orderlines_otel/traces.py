"""Spans of runs, lines and attempts, sent as the ``OTEL_*`` variables say."""

from __future__ import annotations

import json
import os
import socket
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event as SpanEvent
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, Status, StatusCode, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from orderlines.jsonlines import as_json
from orderlines_otel.calls import is_sampled, span_context
from orderlines_otel.console import JSONConsole
from orderlines_otel.ids import attempt_span, line_span, opener, opener_span, run_span, trace_id
from orderlines_otel.pipeline import AttemptEnded, LineEnded
from orderlines_otel.sending import Sending

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import SpanContext

    from orderlines_otel.pipeline import Event, RunChanged

_GROUP: Final = "opentelemetry_traces_exporter"
_PROTOCOLS: Final = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
_SPANS: Final = 10_000
"""Spans that may wait to be sent, where the environment says nothing else: the SDK's 2,048 are soon too few."""
_TOGETHER: Final = 128
"""Spans that are sent at once, likewise: while the SDK's 512 are encoded, a driver waits."""
_SCOPE: Final = InstrumentationScope("orderlines")
_FAILED: Final = frozenset({"FAILURE", "RETRY"})


class Traces:
    """Makes a span of each attempt, line and run once it has ended.

    :param exporter: where they go, in batches, from a thread of the SDK's.
    :param caller: the context in which this process was started.
    """

    def __init__(self, exporter: SpanExporter, caller: Mapping[str, str]) -> None:
        waiting = None if "OTEL_BSP_MAX_QUEUE_SIZE" in os.environ else _SPANS
        together = None if "OTEL_BSP_MAX_EXPORT_BATCH_SIZE" in os.environ else _TOGETHER
        self._processor = BatchSpanProcessor(exporter, waiting, max_export_batch_size=together)
        self._sampler = TracerProvider(shutdown_on_exit=False).sampler
        self._resource = _resource()
        self._links = _links(caller)

    @classmethod
    def configured(cls) -> Self:
        """Return one as the environment says.

        :raises ValueError: an exporter is named that is not installed.
        """
        return cls(Sending(_exporter(os.environ)), os.environ)

    def take(self, event: Event) -> None:
        """Take note of what has happened."""
        if isinstance(event, AttemptEnded):
            self._attempt(event)
        elif isinstance(event, LineEnded):
            self._line(event)
        elif event.finished is not None:
            self._run(event, event.finished)

    def flush(self) -> None:
        """Send what is not sent yet."""
        self._processor.force_flush()

    def lost(self, count: int) -> None:
        """Do nothing: the metrics say so."""

    def _attempt(self, event: AttemptEnded) -> None:
        which = (event.run, event.round, event.line)
        own = attempt_span(*which, event.node, event.visit, event.attempt)
        more: dict[str, str | int | None] = {
            "orderlines.line": event.line or "/", "orderlines.node": event.node, "orderlines.visit": event.visit,
            "orderlines.attempt": event.attempt, "orderlines.executor": event.executor,
            "orderlines.node.type": event.type, "orderlines.component": event.component,
        }  # fmt: skip
        times = (event.started, event.finished)
        self._span(event, f"attempt {event.node}", _Place(own, line_span(*which)), times, more)

    def _line(self, event: LineEnded) -> None:
        which = (event.run, event.round, event.line)
        times = (event.finished if event.started is None else event.started, event.finished)
        place = _Place(line_span(*which), opener_span(*which))
        self._span(event, f"line {opener(event.line)[1]}", place, times, {"orderlines.line": event.line})

    def _run(self, event: RunChanged, finished: float) -> None:
        times = (finished if event.started is None else event.started, finished)
        self._span(event, f"run {event.flow}", _Place(run_span(event.run, event.round), None), times, {})

    def _span(
        self, event: Event, name: str, place: _Place, times: tuple[float, float],
        more: Mapping[str, str | int | None],
    ) -> None:  # fmt: skip
        """Have a span sent, if its trace is to be: the SDK's own way to make one takes several times as long."""
        trace = trace_id(event.run)
        if not is_sampled(trace, self._sampler):
            return
        started, finished = map(_nanoseconds, times)
        error = None if event.error is None else json.loads(event.error)
        attributes = {
            "orderlines.run.id": event.run, "orderlines.flow": event.flow, "orderlines.round": event.round,
            "orderlines.status": event.status, **more, "error.type": None if error is None else error["type"],
        }  # fmt: skip
        span = ReadableSpan(
            name, span_context(trace, place.span), _in_trace(trace, place.parent), self._resource, _given(attributes),
            () if error is None else (_exception(error, finished),), self._links if place.parent is None else (),
            status=_status(event.status, error), start_time=started, end_time=finished, instrumentation_scope=_SCOPE,
        )  # fmt: skip
        self._processor.on_end(span)


class _Place(NamedTuple):
    """The id of a span in its trace, and that of its parent; ``None``: it is the root."""

    span: int
    parent: int | None


def _in_trace(trace: int, span: int | None) -> SpanContext | None:
    return None if span is None else span_context(trace, span)


def _exception(error: Mapping[str, str], moment: int) -> SpanEvent:
    told = {"exception.type": error["type"], "exception.message": error["message"]}
    return SpanEvent("exception", told, moment)


def _status(status: str, error: Mapping[str, str] | None) -> Status:
    if error is None or status not in _FAILED:
        return Status()
    return Status(StatusCode.ERROR, f"{error['type']}: {error['message']}")


def _given(attributes: Mapping[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in attributes.items() if value is not None}


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1_000_000) * 1_000


def _resource() -> Resource:
    """Return what the environment says of this process, with a name of the service where it says none."""
    found = Resource.create()
    own: dict[str, str] = {}
    if str(found.attributes.get("service.name", "")).startswith("unknown_service"):
        own["service.name"] = "orderlines"
    if "service.instance.id" not in found.attributes:
        own["service.instance.id"] = f"{socket.gethostname()}:{os.getpid()}"
    return found.merge(Resource(own))


def _links(caller: Mapping[str, str]) -> tuple[Link, ...]:
    """Return a link to the span in which this process was started, as ``TRACEPARENT`` names it."""
    carrier = {name: caller[name.upper()] for name in ("traceparent", "tracestate") if name.upper() in caller}
    context = get_current_span(TraceContextTextMapPropagator().extract(carrier, Context())).get_span_context()
    return (Link(context),) if context.is_valid else ()


def _exporter(environment: Mapping[str, str]) -> SpanExporter:
    """Return the exporter that is asked for: ``otlp`` unless another one is named.

    :raises ValueError: it is not installed.
    """
    name = environment.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    if name == "otlp":
        protocol = (
            environment.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
            or environment.get("OTEL_EXPORTER_OTLP_PROTOCOL")
            or "http/protobuf"
        )
        name = _PROTOCOLS.get(protocol.strip(), protocol)
    found = entry_points(group=_GROUP, name=name)
    if not found:
        known = ", ".join(sorted({"otlp", "none", *entry_points(group=_GROUP).names}))
        raise ValueError(f"there is no exporter of traces {name!r} (there are: {known}); install the one that you name")
    make: Any = next(iter(found)).load()
    exporter: SpanExporter = make()
    return JSONConsole() if as_json() and isinstance(exporter, ConsoleSpanExporter) else exporter
