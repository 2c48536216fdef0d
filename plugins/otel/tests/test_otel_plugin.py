from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

from orderlines.plugins import API
from orderlines_otel import plugin

if TYPE_CHECKING:
    from otel_shell import Shell

RUN = """
import sys, orderlines
from orderlines.plugins import registry
run = orderlines.run("flow.yaml")
assert run.status == "SUCCESS"
print([one.distribution for one in registry().observers()])
print(sorted({name.partition(".")[0] for name in sys.modules} & {"opentelemetry", "prometheus_client", "requests"}))
print(sorted(name for name in sys.modules if name.startswith("orderlines_otel")))
"""


def told(shell: Shell, **environment: str) -> list[str]:
    shell.flow("flow: short\nline: [{id: a, call: shop.echo, with: {value: one}}]")
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=shell.folder, env={**shell.environment, **environment}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_it_is_found_by_its_entry_point() -> None:
    [found] = entry_points(group="orderlines", name="otel")
    assert found.load() is plugin
    assert plugin.ORDERLINES_API == API


def test_where_nothing_is_configured_nothing_listens_and_nothing_is_imported(shell: Shell) -> None:
    assert told(shell) == ["[]", "[]", "['orderlines_otel', 'orderlines_otel.plugin']"]


@pytest.mark.parametrize(
    ("variable", "value", "imported"),
    [
        ("OTEL_TRACES_EXPORTER", "console", "['opentelemetry']"),
        ("ORDERLINES_METRICS_PORT", "none", "['prometheus_client']"),
    ],
)
def test_what_is_not_asked_for_is_not_imported(shell: Shell, variable: str, value: str, imported: str) -> None:
    listening, modules, _ = told(shell, **{variable: value})[-3:]
    assert (listening, modules) == ("['orderlines-otel']", imported)
