"""Collectors, and the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from otel_collector import Collector
from otel_shell import LIBRARY, PLUGIN, Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector."""
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture
def refusing() -> Iterator[Collector]:
    """A collector that refuses what it is sent, for good."""
    collector = Collector(status=400)
    yield collector
    collector.close()


@pytest.fixture
def hanging() -> Iterator[Collector]:
    """A collector that takes requests and never answers."""
    collector = Collector(hangs=True)
    yield collector
    collector.close()


@pytest.fixture
def shell(tmp_path: Path, install: Callable[[str, Mapping[str, str]], Path]) -> Iterator[Shell]:
    """The command line in a folder of its own."""
    shell = Shell(tmp_path, install("shop", {"plugin": PLUGIN, "library": LIBRARY}))
    yield shell
    shell.end()
