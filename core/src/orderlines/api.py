"""The two functions that most programs need: read a flow, and run one to its end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from orderlines.acceptance import definition
from orderlines.engine import Engine
from orderlines.errors import UsageError
from orderlines.flow.load import load_file
from orderlines.plugins import registry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from orderlines.acceptance import FlowLike
    from orderlines.engine import Run
    from orderlines.flow.model import Flow


def load(path: str | Path) -> Flow:
    """Read and check a flow file.

    :raises InvalidFlow: with every problem.
    :raises UsageError: the file cannot be read, or this is no path of one.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise UsageError(f"give the path of a flow's file, such as 'flow.yaml', and not {path!r:.80}")
    return load_file(path, registry()).flow


def run(
    flow: FlowLike,
    vars: Mapping[str, Any] | None = None,  # noqa: A002 -- the word of the flow format
    store: str | None = None,
    key: str | None = None,
    results: str | None = None,
) -> Run:
    """Run a flow to its end, in this process, and return the ended run.

    :param store: by default the one that :mod:`orderlines.settings` finds.
    :param results: the URL of the store for large values; as ``store``, and else the store itself.
    :raises InvalidFlow: with every problem.
    """
    found = definition(flow, registry())
    with Engine(store, results=results) as engine:
        started = engine.start(found, vars, key)
        started.wait()
    return started
