"""Counts and durations of runs and attempts, for Prometheus to fetch from a port of this process."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import MetricsHandler

from orderlines.logger import logger
from orderlines_otel.pipeline import AttemptEnded, RunChanged
from orderlines_otel.plugin import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from orderlines_otel.pipeline import Event

HOST: Final = "ORDERLINES_METRICS_HOST"
LOOPBACK: Final = "127.0.0.1"
SECONDS: Final = (0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400)
"""Upper bounds of the histograms."""
LARGEST: Final = 65_535


class Metrics:
    """Counts what has happened. No label is a run's, a line's or a node's: there is no end of those."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self._begun = Counter("orderlines_runs_started", "Runs that have begun.", ["flow"], registry=own)
        self._runs = Counter("orderlines_runs", "Rounds of runs that have ended.", ["flow", "status"], registry=own)
        self._lasted = Histogram(
            "orderlines_run_duration_seconds", "From the beginning of a run to the end of its round.", ["flow"],
            registry=own, buckets=SECONDS,
        )  # fmt: skip
        what = ["flow", "type", "component", "executor"]
        self._attempts = Counter(
            "orderlines_attempts", "Attempts that have ended; RETRY: another one follows.", [*what, "status"],
            registry=own,
        )  # fmt: skip
        self._took = Histogram(
            "orderlines_attempt_duration_seconds", "From the beginning of an attempt to its end.", what,
            registry=own, buckets=SECONDS,
        )  # fmt: skip
        self._lost = Counter("orderlines_otel_events_dropped", "What was too much to be counted.", registry=own)

    @classmethod
    def served(cls, environment: Mapping[str, str]) -> Self:
        """Return one that can be fetched where the environment says; it counts even where that cannot be."""
        metrics = cls()
        host = environment.get(HOST) or LOOPBACK
        try:
            serve(metrics.registry, host, ports_of(environment[METRICS]))
        except (OSError, ValueError) as error:
            logger().warning("no metrics are served by this process: %s", error)
        return metrics

    def take(self, event: Event) -> None:
        """Take note of what has happened."""
        if isinstance(event, AttemptEnded):
            labels = (event.flow, event.type or "on_failure", event.component or "", event.executor or "")
            self._attempts.labels(*labels, event.status).inc()
            self._took.labels(*labels).observe(event.finished - event.started)
        elif isinstance(event, RunChanged):
            self._run(event)

    def flush(self) -> None:
        """Do nothing: they are fetched."""

    def lost(self, count: int) -> None:
        """Take note that so many events were dropped."""
        self._lost.inc(count)

    def _run(self, event: RunChanged) -> None:
        if event.finished is None:
            self._begun.labels(event.flow).inc()
            return
        self._runs.labels(event.flow, event.status).inc()
        if event.started is not None:
            self._lasted.labels(event.flow).observe(event.finished - event.started)


def ports_of(text: str) -> range:
    """Return the ports that ``9464`` or ``9464-9479`` names.

    :raises ValueError: it names none.
    """
    first, dash, last = text.strip().partition("-")
    last = last if dash else first
    if not all(number.isascii() and number.isdigit() for number in (first, last)):
        raise ValueError(f"{METRICS} is {text!r}; write a port such as 9464, or several such as 9464-9479")
    ports = range(int(first), int(last) + 1)
    if not ports or ports[0] < 1 or ports[-1] > LARGEST:
        raise ValueError(f"{METRICS} is {text!r}; ports are from 1 to {LARGEST}, the smaller one first")
    return ports


class _Server(ThreadingHTTPServer):
    """Serves metrics. Two processes *must never* share a port: each would be asked now and then."""

    allow_reuse_port = False
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind, without looking up the host's name, which may take long."""
        TCPServer.server_bind(self)
        host, self.server_port = self.server_address[:2]
        self.server_name = str(host)


def serve(registry: CollectorRegistry, host: str, ports: range) -> int:
    """Serve metrics on the first of some ports that is free, in threads; return which.

    :raises OSError: none can be had.
    """
    reason = ""
    for port in ports:
        try:
            server = _Server((host, port), MetricsHandler.factory(registry))
        except OSError as error:
            reason = error.strerror or str(error)
            continue
        threading.Thread(target=server.serve_forever, daemon=True, name="orderlines-metrics").start()
        return port
    shown = f"{ports[0]}" if len(ports) == 1 else f"{ports[0]}-{ports[-1]}"
    raise OSError(
        f"{METRICS} is {shown}, and no such port of {host} can be had ({reason}): each process that drives runs takes "
        f"one, so name as many as there are, such as {METRICS}={ports[0]}-{ports[0] + 15}"
    )
