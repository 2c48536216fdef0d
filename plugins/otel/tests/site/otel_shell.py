"""The command line with a library of components, and with what the environment says about traces."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from orderlines.testing.bench import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = """
from orderlines.plugins import ComponentsPlugin, hookimpl

ORDERLINES_API = 1

@hookimpl
def orderlines_components():
    return [ComponentsPlugin("shop", "shop.library")]
"""
LIBRARY = """
import logging
import time
from pathlib import Path

def echo(value: str) -> str:
    return value

def secret(password: str) -> str:
    return password

def refuse(message: str, context, times: int = 9) -> str:
    if context.attempt <= times:
        raise LookupError(message)
    return message

def hold(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.01)

def log(text: str) -> None:
    logging.getLogger("somebody").warning(text)

def trace(context) -> list:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from orderlines_otel import attempt_context
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
    tracer = provider.get_tracer("shop")
    with tracer.start_as_current_span("inside", context=attempt_context(context)) as span:
        pass
    provider.shutdown()
    return [context.attempt]
"""


class Ran(NamedTuple):
    """How a command has ended."""

    code: int
    out: str
    err: str


class Shell:
    """The command line in a folder of its own, with the library ``shop``."""

    def __init__(self, folder: Path, site: Path) -> None:
        self.folder = folder
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "ORDERLINES_"))}
        self.environment = {**inherited, "PYTHONPATH": f"{site}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
        self._begun: list[subprocess.Popen[str]] = []

    def flow(self, text: str) -> Path:
        """Write a flow file."""
        path = self.folder / "flow.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def begin(self, *arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
        """Start a command."""
        process = subprocess.Popen(
            [sys.executable, "-m", "orderlines.cli.main", *map(str, arguments)], cwd=self.folder, text=True,
            env={**self.environment, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._begun.append(process)
        return process

    def call(self, *arguments: str | Path, **environment: str) -> Ran:
        """Run a command to its end."""
        process = self.begin(*arguments, **environment)
        out, err = process.communicate(timeout=PATIENCE)
        return Ran(process.returncode, out, err)

    def end(self) -> None:
        """End what is left."""
        for process in self._begun:
            process.kill()
            process.communicate()
