"""The examples of docs/flow-format.md are flows, fit the schema, and show every construct."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft7Validator

from orderlines.flow.load import load_file
from orderlines.flow.report import Report
from orderlines.flow.schema import native_schema
from orderlines.flow.source import read_source
from orderlines.plugins import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orderlines.flow.model import Block

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "flow-format.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^```yaml\n# (\S+\.yaml)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    for name, text in EXAMPLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def types(block: Block) -> Iterator[str]:
    for node in block.nodes:
        yield node.type
        for _, inner in registry().node_type(node.type).blocks(node.settings):
            yield from types(inner)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_a_valid_flow(folder: Path, name: str) -> None:
    assert load_file(folder / name, registry()).warnings == ()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_fits_the_schema(folder: Path, name: str) -> None:
    schema, _ = native_schema(registry())
    document = read_source(folder / name).read(Report())
    assert [error.message for error in Draft7Validator(schema).iter_errors(document)] == []


def test_no_example_is_left_out() -> None:
    assert len(EXAMPLES) == PAGE.count("```yaml\n")
    assert len(PYTHON) == PAGE.count("```python\n") == 1


def test_every_type_of_node_is_shown(folder: Path) -> None:
    shown = {kind for name in EXAMPLES for kind in types(load_file(folder / name, registry()).flow.line)}
    assert set(registry().node_types()) - shown == {"start", "end"}
    assert [key for key in registry().node_keys() if f"`{key}`" not in PAGE] == []


def test_the_flow_in_python_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "orderlines_documented_flow.py"
    path.write_text(PYTHON[0], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module(path.stem)
    monkeypatch.delitem(sys.modules, path.stem)
    assert module.definition.data["line"][0]["line"][0]["call"] == "orderlines_documented_flow.discount"
    assert {"foreach", "parallel", "graph", "process_control", "delay"} <= set(types(module.definition.line))
