"""Inside core, imports run downwards only, and never in a circle."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"testing"}),  # may import everything, and nothing imports it
    frozenset({""}),  # orderlines/__init__.py: exports
    frozenset({"cli"}),
    frozenset({"api", "drawing", "building", "doctor"}),
    frozenset({"engine", "waiting"}),
    frozenset({"supervision"}),
    frozenset({"draining", "hosting"}),
    frozenset({"driver", "scheduling"}),
    frozenset({"driving", "bells", "handing", "unplanned", "acceptance", "views", "control"}),
    frozenset({"keptflows"}),
    frozenset({"opening"}),
    frozenset({"leases", "settings", "redisurl"}),
    frozenset({"line"}),
    frozenset({"nodes", "strategies"}),
    frozenset({"plan", "outcomes", "asking"}),
    frozenset({"flow"}),
    frozenset({"expression"}),
    frozenset({"plugins"}),
    frozenset({"executors", "stores", "schedulers", "components"}),
    frozenset({"capture"}),
    frozenset({"processes"}),
    frozenset({"values"}),
    frozenset({"errors", "states", "paths", "folder", "logger", "commands", "runnames", "sizes", "jsonlines"}),
)
"""From the top to the bottom. Modules of one layer may import from each other, but not in a circle; what is needed for
typing only is free."""

RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
SOURCE = Path(__file__).resolve().parent.parent / "core" / "src" / "orderlines"
MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))
NAMES = {path: ".".join(("orderlines", *path.with_suffix("").parts)).removesuffix(".__init__") for path in MODULES}
KNOWN = frozenset(NAMES.values())


class Import(NamedTuple):
    """A module of core that another one imports when it runs."""

    line: int
    module: str


def layer_of(module: str) -> str:
    """Name the layer of ``orderlines``, ``orderlines.errors``, ``orderlines.stores.sqlite``."""
    return module.partition(".")[2].partition(".")[0]


def is_for_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def running(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what can run: functions too (a late import is still an import), but nothing under TYPE_CHECKING."""
    yield node
    children = node.orelse if isinstance(node, ast.If) and is_for_typing(node) else ast.iter_child_nodes(node)
    for child in children:
        yield from running(child)


def from_import(module: str, name: str) -> str:
    """Name what is imported: ``from orderlines import errors`` imports a module, not what ``__init__.py`` exports."""
    return f"{module}.{name}" if f"{module}.{name}" in KNOWN else module


def core_imports(source: str, package: str) -> Iterator[Import]:
    """Yield what a module of ``package`` imports from core."""
    for node in running(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: -node.level + 1 or None] if node.level else [])
            module = ".".join(filter(None, [base, node.module]))
            names = list(dict.fromkeys(from_import(module, alias.name) for alias in node.names))
        else:
            continue
        yield from (Import(node.lineno, name) for name in names if name.partition(".")[0] == "orderlines")


def package_of(path: Path) -> str:
    return ".".join(("orderlines", *path.parent.parts))


def upward(path: Path) -> Iterator[str]:
    own = path.parts[0].removesuffix(".py") if path != Path("__init__.py") else ""
    for found in core_imports((SOURCE / path).read_text(encoding="utf-8"), package_of(path)):
        other = layer_of(found.module)
        if RANK.get(other, RANK[""]) < RANK[own]:
            yield f"core/src/orderlines/{path}:{found.line}: {own} imports {found.module}, which is above it"


def circle(sources: Mapping[Path, str]) -> list[str]:
    """Return modules each of which is imported by the next, the last being the first; empty where there are none."""
    graph = {
        NAMES[path]: {found.module for found in core_imports(source, package_of(path))} - {NAMES[path]}
        for path, source in sources.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_module_is_in_a_layer() -> None:
    names = {path.parts[0].removesuffix(".py") for path in MODULES} - {"__init__", "__main__"}
    assert names - RANK.keys() == set(), "add it to LAYERS, where its imports put it"


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "__main__.py"], ids=str)
def test_imports_run_downwards(path: Path) -> None:
    assert list(upward(path)) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import orderlines.engine", ["orderlines.engine"]),
        ("from orderlines.engine import Engine", ["orderlines.engine"]),
        ("from orderlines import engine", ["orderlines.engine"]),
        ("def late():\n    from orderlines.engine import Engine", ["orderlines.engine"]),
        ("from .records import Row", ["orderlines.stores.records"]),
        ("from ..engine import Engine", ["orderlines.engine"]),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import orderlines.engine", []),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import orderlines.engine", ["orderlines.engine"]),
        ("import orderlines_demo", []),
        ("import json", []),
    ],
)
def test_an_import_is_seen_wherever_it_runs(source: str, expected: list[str]) -> None:
    assert [found.module for found in core_imports(source, "orderlines.stores")] == expected


def test_no_imports_run_in_a_circle() -> None:
    assert circle({path: (SOURCE / path).read_text(encoding="utf-8") for path in MODULES}) == []


@pytest.mark.parametrize(
    ("source", "closed"),
    [
        ("from orderlines.values.encoding import encode", True),
        ("from orderlines.values import encoding", True),
        ("from orderlines.values import encode", True),
        ("from . import encode", True),
        ("def late():\n    from orderlines.values.encoding import encode", True),
        ("if TYPE_CHECKING:\n    from orderlines.values.encoding import encode", False),
        ("from orderlines.values.format import TAG", False),
    ],
)
def test_a_circle_is_seen(source: str, closed: bool) -> None:
    one, other, package = Path("values/encoding.py"), Path("values/decoding.py"), Path("values/__init__.py")
    imports = "from orderlines.values.encoding import encode"
    found = circle({package: imports, one: "from orderlines.values.decoding import decode", other: source})
    assert ({NAMES[one], NAMES[other]} <= set(found)) is closed
    assert bool(found) is closed
