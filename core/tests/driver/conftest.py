from __future__ import annotations

import random
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.errors import StoreUnavailable
from orderlines.plugins import Registry
from orderlines.plugins.manager import installed
from orderlines.stores.base import Store
from orderlines.stores.sqlite import SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PLUGIN = """\
from orderlines.plugins import *
ORDERLINES_API = 1

@hookimpl
def orderlines_components():
    return [ComponentsPlugin("acts", "faulty_acts.library")]

@hookimpl
def orderlines_node_types():
    return [NodeTypePlugin("abyss", "abyss", "faulty_acts.nodes:Abyss")]

@hookimpl
def orderlines_executors():
    return [ExecutorPlugin("far", "faulty_acts.library:far", "line", "kill", "remote")]
"""
LIBRARY = """\
import threading

gate = threading.Event()
begun = threading.Semaphore(0)
done = []

def note(text: str) -> str:
    done.append(text)
    return text

def wait(text: str) -> str:
    done.append(text)
    begun.release()
    gate.wait()
    return text

def shaky(text: str, context) -> str:
    if context.attempt == 1:
        raise ValueError("not yet")
    done.append(text)
    return text
"""
NODES = """\
from orderlines.nodes.base import NodeType

class Abyss(NodeType):
    name = key = "abyss"

    def read(self, value, path, reader):
        return {}

    def enter(self, settings, scope):
        raise RuntimeError("no way")
"""


class FaultyStore(SQLiteStore):
    """Fails now and then, before or after it has done what the driver asked for; ``odds`` is the chance of each.

    :ivar failed: the contract calls that have.
    """

    def __init__(self, url: str, seed: int, odds: float) -> None:
        super().__init__(url)
        self.failed: list[str] = []
        self._odds = odds
        self._random = random.Random(seed)  # noqa: S311 -- repeatable on purpose

    def strike(self, name: str, when: str) -> None:
        if threading.current_thread().name == "orderlines-driver" and self._random.random() < self._odds:
            self.failed.append(f"{name} {when}")
            raise StoreUnavailable(f"{name} failed {when}")


def _faulty(name: str) -> Callable[..., Any]:
    def call(self: FaultyStore, *arguments: Any, **more: Any) -> Any:
        self.strike(name, "before")
        answer = getattr(SQLiteStore, name)(self, *arguments, **more)
        self.strike(name, "after")
        return answer

    return call


for _name in Store.__abstractmethods__ - {"close", "park"}:
    setattr(FaultyStore, _name, _faulty(_name))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    """An empty store."""
    store = SQLiteStore(f"sqlite:///{tmp_path}/runs.db")
    yield store
    store.close()


@pytest.fixture
def registry(install: Callable[[str, Mapping[str, str]], Path], monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Core and a plugin whose components take note of their calls."""
    site = str(install("faulty_acts", {"plugin": PLUGIN, "library": LIBRARY, "nodes": NODES}))
    monkeypatch.syspath_prepend(site)
    return Registry(installed([site]))


@pytest.fixture
def acts(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module of those components, which is imported once for all tests."""
    library: Any = import_module("faulty_acts.library")
    library.done.clear()
    library.gate.clear()
    library.begun = threading.Semaphore(0)
    yield library
    library.gate.set()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the driver try again at once."""
    monkeypatch.setattr("orderlines.driving.patience.PAUSE", 0.0)


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[Callable[[int, float], FaultyStore]]:
    """Make a store that fails."""
    made: list[FaultyStore] = []

    def make(seed: int, odds: float) -> FaultyStore:
        made.append(FaultyStore(f"sqlite:///{tmp_path}/runs.db", seed, odds))
        return made[-1]

    yield make
    for store in made:
        store.close()
