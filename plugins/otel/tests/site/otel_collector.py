"""A collector of OTLP over HTTP."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Span(NamedTuple):
    """A span as the collector has it; ids are hexadecimal."""

    name: str
    trace: str
    id: str
    parent: str
    attributes: Mapping[str, Any]
    started: float
    finished: float
    failed: bool
    told: str
    exceptions: Sequence[Mapping[str, Any]]
    links: Sequence[tuple[str, str]]
    resource: Mapping[str, Any]


class Collector:
    """An HTTP server on loopback that takes spans.

    :ivar bodies: what was sent, as it came.
    """

    def __init__(self, *, hangs: bool = False, status: int = 200) -> None:
        self.bodies: list[bytes] = []
        self._spans: list[Span] = []
        self._released = threading.Event()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                if hangs:
                    collector._released.wait()
                    return
                collector._take(gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def spans(self) -> list[Span]:
        """Return what has come, in the order of its beginning."""
        return sorted(self._spans, key=lambda span: span.started)

    def named(self, name: str) -> list[Span]:
        """Return the spans of a name."""
        return [span for span in self.spans() if span.name == name]

    def wait_for(self, name: str, count: int = 1) -> list[Span]:
        """Return the spans of a name, once so many have come."""
        until(lambda: len(self.named(name)) >= count, f"{count} spans {name!r} have come")
        return self.named(name)

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, body: bytes) -> None:
        self.bodies.append(body)
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = _values(group.resource.attributes)
            self._spans.extend(_span(one, resource) for scope in group.scope_spans for one in scope.spans)


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def _span(one: Any, resource: Mapping[str, Any]) -> Span:
    return Span(
        one.name, one.trace_id.hex(), one.span_id.hex(), one.parent_span_id.hex(), _values(one.attributes),
        one.start_time_unix_nano / 1e9, one.end_time_unix_nano / 1e9, one.status.code == one.status.STATUS_CODE_ERROR,
        one.status.message, [_values(event.attributes) for event in one.events],
        [(link.trace_id.hex(), link.span_id.hex()) for link in one.links], resource,
    )  # fmt: skip
