"""A run is one trace, whose spans a collector on loopback gets."""

from __future__ import annotations

import json
import socket
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from orderlines_otel.ids import trace_id

if TYPE_CHECKING:
    from otel_collector import Collector
    from otel_shell import Shell

FLOW = """
flow: order
line:
  - {id: first, call: shop.refuse, with: {message: not yet, times: 1}, retry: {times: 1, delay: 0}}
  - id: both
    parallel:
      lines:
        a: [{id: left, call: shop.echo, with: {value: one}}]
        b: [{id: right, call: shop.echo, with: {value: two}}]
  - {id: last, call: shop.refuse, with: {message: out of stock, times: 2}}
"""
SHORT = "flow: short\nline: [{id: only, call: shop.echo, with: {value: one}}]"
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_run_is_one_trace_of_its_run_lines_and_attempts(shell: Shell, collector: Collector) -> None:
    ran = shell.call("run", shell.flow(FLOW), "--json", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert ran.code == 1, ran.err
    document = json.loads(ran.out)
    spans = collector.spans()
    assert {span.trace for span in spans} == {f"{trace_id(document['run']):032x}"}
    by_id = {span.id: span for span in spans}
    tree = sorted((span.name, by_id[span.parent].name if span.parent else "") for span in spans)
    assert tree == [
        ("attempt both", "run order"),
        ("attempt first", "run order"),
        ("attempt first", "run order"),
        ("attempt last", "run order"),
        ("attempt left", "line both"),
        ("attempt right", "line both"),
        ("line both", "attempt both"),
        ("line both", "attempt both"),
        ("run order", ""),
    ]


def test_a_span_says_what_it_is_of_and_when_that_was(shell: Shell, collector: Collector) -> None:
    ran = shell.call("run", shell.flow(FLOW), "--json", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    document = json.loads(ran.out)
    (left,) = collector.named("attempt left")
    assert left.attributes == {
        "orderlines.run.id": document["run"],
        "orderlines.flow": "order",
        "orderlines.round": 1,
        "orderlines.status": "SUCCESS",
        "orderlines.line": "/both#1/a",
        "orderlines.node": "left",
        "orderlines.visit": 1,
        "orderlines.attempt": 1,
        "orderlines.executor": "inline",
        "orderlines.node.type": "common",
        "orderlines.component": "shop.echo",
    }
    (task,) = [task for task in document["tasks"] if task["node"] == "left"]
    times = [datetime.fromisoformat(moment).timestamp() for moment in (task["started"], task["finished"])]
    assert [left.started, left.finished] == pytest.approx(times, abs=1e-5)
    (run,) = collector.named("run order")
    times = [datetime.fromisoformat(moment).timestamp() for moment in (document["started"], document["finished"])]
    # A run's row is written a moment after the last task's.
    assert [run.started, run.finished] == pytest.approx(times, abs=0.5)
    (line, _) = collector.named("line both")
    assert run.started <= line.started <= line.finished <= run.finished
    assert run.resource["service.name"] == "orderlines"


def test_what_failed_is_recorded(shell: Shell, collector: Collector) -> None:
    shell.call("run", shell.flow(FLOW), OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    retried, ended = collector.named("attempt first")
    assert (retried.failed, retried.attributes["orderlines.status"]) == (True, "RETRY")
    assert (ended.failed, ended.exceptions) == (False, [])
    (run,) = collector.named("run order")
    assert (run.failed, run.told) == (True, "LookupError: out of stock")
    assert run.attributes["error.type"] == "LookupError"
    assert run.exceptions == [{"exception.type": "LookupError", "exception.message": "out of stock"}]


def test_no_argument_variable_or_result_is_sent(shell: Shell, collector: Collector) -> None:
    text = """
flow: private
vars: {token: hunter2, other: none}
line:
  - {id: login, call: shop.secret, with: {password: "${token}"}, set: {kept: "${result}"}}
  - {id: plain, call: shop.secret, with: {password: hunter3}}
"""
    ran = shell.call("run", shell.flow(text), "--var", "other=hunter4", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert ran.code == 0, ran.err
    assert len(collector.named("run private")) == 1
    assert not [body for body in collector.bodies if b"hunter" in body]


def test_a_round_has_spans_of_its_own_in_the_same_trace(shell: Shell, collector: Collector) -> None:
    name = json.loads(shell.call("run", shell.flow(FLOW), "--json", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url).out)
    shell.call("retry", name["run"], "--from", "first", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    first, second = collector.named("run order")
    assert first.trace == second.trace
    assert [first.attributes["orderlines.round"], second.attributes["orderlines.round"]] == [1, 2]
    ids = [span.id for span in collector.spans()]
    assert len(ids) == len(set(ids))
    again = [span for span in collector.named("attempt first") if span.attributes["orderlines.round"] == 2]
    assert [span.parent for span in again] == [second.id] * len(again)
    assert again


def test_every_span_has_its_parent_however_deep_it_is(shell: Shell, collector: Collector) -> None:
    (shell.folder / "sub.yaml").write_text("flow: sub\nline: [{id: below, call: shop.echo, with: {value: x}}]")
    text = """
flow: deep
line:
  - id: outer
    foreach: "${[1, 2]}"
    line:
      - id: inner
        parallel:
          lines:
            a: [{id: often, call: shop.refuse, with: {message: never}, retry: {times: 2, delay: 10ms}}]
            b: [{id: once, call: shop.echo, with: {value: x}}]
        on_error: skip
      - {id: enter, flow: sub.yaml}
  - id: net
    graph:
      nodes:
        - {id: c, delay: 10ms}
        - {id: d, call: shop.echo, with: {value: x}, after: [c]}
"""
    ran = shell.call("run", shell.flow(text), "--json", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert ran.code == 0, ran.err
    spans = {span.id: span for span in collector.spans()}
    assert len(spans) == len(collector.spans())
    assert [span.name for span in spans.values() if span.parent not in spans] == ["run deep"]
    assert len(collector.named("attempt often")) == 6
    assert len(collector.named("line net")) == 2
    assert {spans[span.parent].name for span in collector.named("attempt below")} == {"line enter"}
    for span in spans.values():
        if span.parent:
            assert spans[span.parent].started <= span.started <= span.finished <= spans[span.parent].finished, span


def test_a_run_is_linked_to_the_trace_of_who_began_it(shell: Shell, collector: Collector) -> None:
    flow = shell.flow(SHORT)
    shell.call("run", flow, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, TRACEPARENT=CALLER)
    shell.call("run", flow, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, TRACEPARENT="nonsense")
    linked, alone = collector.named("run short")
    assert linked.links == [tuple(CALLER.split("-")[1:3])]
    assert alone.links == []
    assert all(not span.links for span in collector.named("attempt only"))


def test_a_component_s_own_spans_are_children_of_its_attempt(shell: Shell, collector: Collector) -> None:
    text = """
flow: deep
line:
  - {id: here, call: shop.trace}
  - {id: there, call: shop.trace, executor: thread}
"""
    ran = shell.call("run", shell.flow(text), "--json", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert ran.code == 0, ran.err
    attempts = [*collector.named("attempt here"), *collector.named("attempt there")]
    assert [span.parent for span in collector.named("inside")] == [span.id for span in attempts]
    assert len(attempts) == 2
    assert {span.trace for span in collector.spans()} == {attempts[0].trace}


def test_the_sampler_decides_for_whole_runs(shell: Shell, collector: Collector) -> None:
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_TRACES_SAMPLER": "parentbased_traceidratio"}
    flow = shell.flow("flow: deep\nline: [{id: here, call: shop.trace}]")
    shell.call("run", flow, **asked, OTEL_TRACES_SAMPLER_ARG="0")
    assert collector.spans() == []
    shell.call("run", flow, **asked, OTEL_TRACES_SAMPLER_ARG="1")
    assert sorted(span.name for span in collector.spans()) == ["attempt here", "inside", "run deep"]


def test_the_variables_of_the_sdk_count(shell: Shell, collector: Collector) -> None:
    shell.call(
        "run", shell.flow(SHORT), OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.url}/v1/traces",
        OTEL_TRACES_EXPORTER="otlp", OTEL_SERVICE_NAME="billing", OTEL_RESOURCE_ATTRIBUTES="deployment=blue",
        OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
    )  # fmt: skip
    (run,) = collector.named("run short")
    assert (run.resource["service.name"], run.resource["deployment"]) == ("billing", "blue")


@pytest.mark.parametrize("off", [{"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}])
def test_traces_can_be_turned_off(shell: Shell, collector: Collector, off: dict[str, str]) -> None:
    assert shell.call("run", shell.flow(SHORT), OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **off).code == 0
    assert collector.bodies == []


def test_a_collector_that_is_away_fails_no_run(shell: Shell) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        ran = shell.call("run", shell.flow(SHORT), "--json", OTEL_EXPORTER_OTLP_ENDPOINT=url)
    assert (ran.code, json.loads(ran.out)["status"]) == (0, "SUCCESS")
    # Which of the two depends on whether the SDK tries again for longer than the driver waits.
    assert "could not be sent and are lost" in ran.err or "does the collector answer?" in ran.err
    assert "Traceback" not in ran.err


def test_a_collector_that_refuses_is_told_once(shell: Shell, refusing: Collector) -> None:
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": refusing.url, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"}
    ran = shell.call("run", shell.flow(FLOW), "--json", **asked)
    assert (ran.code, json.loads(ran.out)["status"]) == (1, "FAILURE")
    assert ran.err.count("1 spans could not be sent and are lost") == 1
    assert "Traceback" not in ran.err


def test_a_collector_that_hangs_holds_up_no_run(shell: Shell, hanging: Collector) -> None:
    # It is let go when the test is over, and the exporter itself would wait for an hour.
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": hanging.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "3600"}
    ran = shell.call("run", shell.flow(FLOW), "--json", **asked)
    assert (ran.code, json.loads(ran.out)["status"]) == (1, "FAILURE")
    assert "traces that are not sent after 2 s may be lost" in ran.err


def test_a_driver_that_waits_for_a_collector_keeps_its_lease(shell: Shell, hanging: Collector) -> None:
    # A second's lease is renewed ten times while it waits, and whose is gone is killed before it can say anything.
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": hanging.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "3600"}
    ran = shell.call("run", shell.flow(SHORT), ORDERLINES_LEASE="1s", **asked)
    assert ran.code == 0
    assert "traces that are not sent after 2 s may be lost" in ran.err


def test_spans_on_the_console_are_among_the_logs_that_are_json(shell: Shell) -> None:
    ran = shell.call("run", shell.flow(FLOW), "--json", "--log-format", "json", OTEL_TRACES_EXPORTER="console")
    assert json.loads(ran.out)["status"] == "FAILURE"
    told = [json.loads(line) for line in ran.err.splitlines()]
    spans = [each["span"] for each in told if each["logger"] == "orderlines.otel"]
    assert sorted(each["message"] for each in told if "span" in each) == sorted(span["name"] for span in spans)
    assert "run order" in [span["name"] for span in spans]


def test_what_is_configured_wrongly_is_told_and_fails_no_run(shell: Shell) -> None:
    ran = shell.call("run", shell.flow(SHORT), OTEL_TRACES_EXPORTER="pigeons")
    assert ran.code == 0
    assert "there is no exporter of traces 'pigeons' (there are: console, none, otlp" in ran.err
    assert "Traceback" not in ran.err
