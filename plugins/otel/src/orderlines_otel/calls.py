"""The span of a running attempt, as the parent of spans that its component makes, in whatever process that runs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from orderlines_otel.ids import attempt_span, trace_id

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.sampling import Sampler

    from orderlines.components.base import Context as CallContext


def attempt_context(context: CallContext) -> Context:
    """Return a context of OpenTelemetry whose current span is that of the attempt which runs.

    Spans that are begun in it are the attempt's children::

        @component
        def fetch(url: str, context: Context) -> str:
            with tracer.start_as_current_span("fetch", context=attempt_context(context)):
                ...

    The attempt's own span is made by the driver when the attempt has ended; it has the same id wherever that is worked
    out. Whether it is sampled is what ``OTEL_TRACES_SAMPLER`` says, which so must be the same here and there.

    :param context: what the component was given.
    """
    which = (context.run, context.round, context.line, context.node, context.visit, context.attempt)
    trace = trace_id(context.run)
    span = span_context(trace, attempt_span(*which), sampled=is_sampled(trace, _sampler()))
    return set_span_in_context(NonRecordingSpan(span), Context())


def is_sampled(trace: int, sampler: Sampler) -> bool:
    """Return whether the spans of a trace are to be sent, as far as they are made here."""
    return sampler.should_sample(Context(), trace, "run").decision == Decision.RECORD_AND_SAMPLE


def span_context(trace: int, span: int, *, sampled: bool = True) -> SpanContext:
    """Return what names a span to others."""
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    return SpanContext(trace, span, is_remote=True, trace_flags=flags)


@cache
def _sampler() -> Sampler:
    """Return the sampler that the environment asks for."""
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 -- slow, and only for components that trace

    return TracerProvider(shutdown_on_exit=False).sampler
