"""A run's trace goes through every process that has a part in it: workers, and the children that run its calls."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from otel_collector import Collector
from otel_shell import LIBRARY, PLUGIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

FLOW = """
flow: far
line:
  - {id: first, call: shop.echo, with: {value: one}}
  - id: all
    foreach: "${[1, 2, 3]}"
    line: [{id: each, call: shop.trace}]
"""


@pytest.fixture
def collector(
    install: Callable[[str, Mapping[str, str]], Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Collector]:
    """A collector that the commands of the test send to; they have the library ``shop``."""
    collector = Collector()
    monkeypatch.setenv("PYTHONPATH", str(install("shop", {"plugin": PLUGIN, "library": LIBRARY})), prepend=os.pathsep)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    yield collector
    collector.close()


def test_what_workers_do_is_in_the_trace_of_the_run(
    collector: Collector, shell: Any, private_server: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = private_server("redis").new_database()
    monkeypatch.setenv("ORDERLINES_SIGNING_KEY", "a key of the tests")
    flow = shell.flow(FLOW)
    accepted = shell.call("run", flow, "--store", url, "--executor", "rq", "--detach", "--json")
    assert accepted.code == 0, accepted.err
    worker = shell.begin("worker", "--store", url, "--burst")
    done = shell.finish(worker)
    assert done.code == 0, done.err
    (run,) = collector.wait_for("run far")
    assert run.attributes["orderlines.run.id"] == accepted.document["run"]
    assert {span.trace for span in collector.spans()} == {run.trace}
    by_id = {span.id: span for span in collector.spans()}
    parents = sorted((span.name, by_id[span.parent].name) for span in collector.spans() if span.parent)
    assert parents == [
        ("attempt all", "run far"),
        *[("attempt each", "line all")] * 3,
        ("attempt first", "run far"),
        *[("inside", "attempt each")] * 3,
        *[("line all", "attempt all")] * 3,
    ]


@pytest.mark.parametrize("executor", ["process", "gevent"])
def test_spans_of_calls_in_children_are_in_the_trace(collector: Collector, shell: Any, executor: str) -> None:
    flow = shell.flow(f"flow: deep\nline: [{{id: here, call: shop.trace, executor: {executor}}}]")
    ran = shell.call("run", flow, "--json")
    assert ran.code == 0, ran.err
    (inside,), (attempt,) = collector.wait_for("inside"), collector.wait_for("attempt here")
    assert (inside.trace, inside.parent) == (attempt.trace, attempt.id)
    assert attempt.attributes["orderlines.executor"] == executor
    assert json.loads(ran.out)["tasks"][0]["result"] == [1]
