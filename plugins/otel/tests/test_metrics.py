"""Prometheus fetches counts and durations from the processes that drive runs."""

from __future__ import annotations

import json
import socket
import urllib.request
from functools import partial
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from orderlines.testing.bench import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_shell import Shell

FLOW = """
flow: busy
line:
  - {id: first, call: shop.refuse, with: {message: not yet, times: 1}, retry: {times: 1, delay: 0}}
  - id: two
    parallel: {lines: {a: [{id: left, call: shop.echo, with: {value: one}}]}}
  - {id: held, call: shop.hold, with: {path: "GO"}}
"""

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    """Two free ports, the one after the other."""
    for _ in range(100):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
        yield port, port + 1
        return
    pytest.fail("no two ports in a row are free")


def scraped(port: int) -> Samples:
    """Return what is served; empty while nothing is."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(one.name, frozenset(one.labels.items())): one.value for one in found}


def count(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0.0)


def has_begun(port: int) -> bool:
    return count(scraped(port), "orderlines_runs_started_total", flow="busy") == 1


def busy(shell: Shell) -> str:
    text = FLOW.replace("GO", str(shell.folder / "go"))
    return str(shell.flow(text))


def test_runs_and_attempts_are_counted(shell: Shell, ports: tuple[int, int]) -> None:
    process = shell.begin("run", busy(shell), ORDERLINES_METRICS_PORT=str(ports[0]))
    what = {"flow": "busy", "type": "common", "component": "shop.refuse", "executor": "inline"}
    gate = {"flow": "busy", "type": "parallel", "component": "", "executor": "", "status": "SUCCESS"}
    until(lambda: count(scraped(ports[0]), "orderlines_attempts_total", **gate) == 1, "the join has been counted")
    samples = scraped(ports[0])
    assert count(samples, "orderlines_runs_started_total", flow="busy") == 1
    assert count(samples, "orderlines_attempts_total", **what, status="RETRY") == 1
    assert count(samples, "orderlines_attempts_total", **what, status="SUCCESS") == 1
    assert count(samples, "orderlines_attempt_duration_seconds_count", **what) == 2
    assert count(samples, "orderlines_runs_total", flow="busy", status="SUCCESS") == 0
    (shell.folder / "go").touch()
    assert process.wait(20) == 0


def test_ended_runs_are_counted_with_how_long_they_took(shell: Shell, ports: tuple[int, int]) -> None:
    flow = shell.flow("flow: brief\nline: [{id: a, delay: 10ms}]")
    shell.call("schedule", "add", flow, "--name", "s", "--every", "1s")
    shell.begin("scheduler", ORDERLINES_METRICS_PORT=str(ports[0]))
    ended = {"flow": "brief", "status": "SUCCESS"}
    until(lambda: count(scraped(ports[0]), "orderlines_runs_total", **ended) >= 1, "a run has ended")
    samples = scraped(ports[0])
    assert count(samples, "orderlines_run_duration_seconds_count", flow="brief") >= 1
    assert 0.01 <= count(samples, "orderlines_run_duration_seconds_sum", flow="brief") < 20


def test_no_label_is_a_run_a_line_or_a_node(shell: Shell, ports: tuple[int, int]) -> None:
    process = shell.begin("run", busy(shell), ORDERLINES_METRICS_PORT=str(ports[0]))
    gate = {"flow": "busy", "type": "parallel", "component": "", "executor": "", "status": "SUCCESS"}
    until(lambda: count(scraped(ports[0]), "orderlines_attempts_total", **gate) == 1, "the join has been counted")
    labels = {pair for _, pairs in scraped(ports[0]) for pair in pairs}
    assert {name for name, _ in labels} == {"flow", "type", "component", "executor", "status", "le"}
    (shell.folder / "go").touch()
    assert process.wait(20) == 0


def test_processes_share_out_the_ports(shell: Shell, ports: tuple[int, int]) -> None:
    environment = {"ORDERLINES_METRICS_PORT": f"{ports[0]}-{ports[1]}"}
    flow = busy(shell)
    processes = [shell.begin("run", flow, **environment) for _ in range(2)]
    for port in ports:
        until(partial(has_begun, port), "each serves what it does itself")
    (shell.folder / "go").touch()
    assert [process.wait(20) for process in processes] == [0, 0]


def test_a_port_that_is_taken_is_told_and_fails_no_run(shell: Shell) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        flow = shell.flow("flow: short\nline: [{id: a, delay: 0}]")
        ran = shell.call("run", flow, "--json", ORDERLINES_METRICS_PORT=str(port))
    assert (ran.code, json.loads(ran.out)["status"]) == (0, "SUCCESS")
    assert f"no metrics are served by this process: ORDERLINES_METRICS_PORT is {port}" in ran.err
    assert f"such as ORDERLINES_METRICS_PORT={port}-{port + 15}" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("wrong", ["lots", "0", "9-8", "70000", "9464-"])
def test_a_port_that_is_none_is_told(wrong: str, shell: Shell) -> None:
    ran = shell.call("run", shell.flow("flow: short\nline: [{id: a, delay: 0}]"), ORDERLINES_METRICS_PORT=wrong)
    assert ran.code == 0
    assert f"ORDERLINES_METRICS_PORT is {wrong!r}" in ran.err
    assert "Traceback" not in ran.err
