"""What this distribution observes: nothing, at no cost, where the environment asks for neither traces nor metrics."""

from __future__ import annotations

import os

from orderlines.plugins import hookimpl

ORDERLINES_API = 1

TRACES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER")
"""Any of these variables asks for traces."""
METRICS = "ORDERLINES_METRICS_PORT"
"""This one asks for metrics."""


def wants_traces() -> bool:
    """Return whether the environment asks for traces."""
    off = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    none = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"
    return not off and not none and any(os.environ.get(name) for name in TRACES)


if wants_traces() or os.environ.get(METRICS):

    @hookimpl
    def orderlines_driver_begun() -> None:
        """Begin to import what is needed, in a thread."""
        from orderlines_otel.pipeline import pipeline  # noqa: PLC0415 -- nothing of it is needed to list plugins

        pipeline()

    @hookimpl
    def orderlines_run_changed(
        run: str, flow: str, status: str, error: str | None, round: int, started: float | None, finished: float | None  # noqa: A002 -- likewise
    ) -> None:  # fmt: skip
        """Pass on that a run has begun or ended."""
        from orderlines_otel.pipeline import RunChanged, pipeline  # noqa: PLC0415 -- as above

        pipeline().put(RunChanged(run, flow, status, error, round, started, finished))

    @hookimpl
    def orderlines_line_ended(  # noqa: PLR0913, PLR0917 -- the hook's
        run: str, flow: str, line: str, status: str, started: float | None, finished: float, error: str | None,
        round: int,  # noqa: A002 -- likewise
    ) -> None:  # fmt: skip
        """Pass on that a line has ended."""
        from orderlines_otel.pipeline import LineEnded, pipeline  # noqa: PLC0415 -- as above

        pipeline().put(LineEnded(run, flow, line, status, started, finished, error, round))

    @hookimpl
    def orderlines_task_changed(  # noqa: PLR0913, PLR0917 -- the hook's
        run: str, flow: str, line: str, node: str, visit: int, status: str, attempt: int, executor: str | None,
        started: float | None, finished: float | None, error: str | None, round: int, type: str | None,  # noqa: A002 -- likewise
        component: str | None,
    ) -> None:  # fmt: skip
        """Pass on that an attempt has ended."""
        if started is None or finished is None or attempt == 0:  # It goes on, or nothing was tried.
            return
        from orderlines_otel.pipeline import AttemptEnded, pipeline  # noqa: PLC0415 -- as above

        ended = AttemptEnded(
            run, flow, line, node, visit, status, attempt, executor, started, finished, error, round, type, component
        )
        pipeline().put(ended)

    @hookimpl
    def orderlines_driver_ended() -> None:
        """Send what is not sent yet, and tell what is wrong with the variables, for a limited time."""
        from orderlines_otel.pipeline import pipeline  # noqa: PLC0415 -- as above

        pipeline().flush()
