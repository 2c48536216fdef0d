"""The two functions that most programs need: read a flow, and run one to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orderlines.engine import DEFAULT_STORE, Engine
from orderlines.flow.load import load_file
from orderlines.plugins import registry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from orderlines.engine import Run
    from orderlines.flow.model import Flow


def load(path: str | Path) -> Flow:
    """Read and check a flow file.

    :raises InvalidFlow: with every problem.
    """
    return load_file(path, registry()).flow


def run(
    flow: str | Path | Flow,
    vars: Mapping[str, Any] | None = None,  # noqa: A002 -- the word of the flow format
    store: str = DEFAULT_STORE,
    key: str | None = None,
) -> Run:
    """Run a flow to its end, in this process, and return the ended run."""
    definition = load(flow) if not isinstance(flow, tuple) else flow
    with Engine(store) as engine:
        started = engine.start(definition, vars, key)
        started.wait()
    return started
