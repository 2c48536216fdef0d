"""``convert``, ``schema`` and ``graph``, as a user calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from orderlines.flow.load import load_file
from orderlines.flow.report import Report
from orderlines.flow.source import read_source
from orderlines.plugins import registry

ROOT = Path(__file__).resolve().parent.parent
FLOWS = ROOT / "tests" / "flows"
CASES: list[dict[str, Any]] = json.loads((FLOWS / "index.json").read_text(encoding="utf-8"))
ORIGINAL = sorted(FLOWS / case["file"] for case in CASES if not case.get("refused", False))
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.suffix in {".yaml", ".json"})


def orderlines(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orderlines.cli.main", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    done = orderlines("schema")
    assert done.returncode == 0, done.stderr
    schema: dict[str, Any] = json.loads(done.stdout)
    return schema


def test_the_schema_is_one(schema: dict[str, Any]) -> None:
    Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("path", [*ORIGINAL, *EXAMPLES], ids=lambda path: path.name)
def test_converting_keeps_the_digest(path: Path, tmp_path: Path) -> None:
    done = orderlines("convert", path)
    assert done.returncode == 0, done.stderr
    once = tmp_path / "once.yaml"
    once.write_text(done.stdout, encoding="utf-8")
    assert orderlines("convert", once).stdout == done.stdout
    assert load_file(once, registry()).flow == load_file(path, registry()).flow


@pytest.mark.parametrize("path", [path for path in EXAMPLES if path.suffix == ".yaml"], ids=lambda path: path.name)
def test_the_native_examples_fit_the_schema(schema: dict[str, Any], path: Path) -> None:
    document = read_source(path).read(Report())
    assert [error.message for error in Draft7Validator(schema).iter_errors(document)] == []


def test_convert_writes_json_too() -> None:
    done = orderlines("convert", "--json", ROOT / "examples" / "hello.yaml")
    assert json.loads(done.stdout) == load_file(ROOT / "examples" / "hello.yaml", registry()).flow.data


@pytest.mark.parametrize(
    ("form", "first"),
    [((), "flow hello"), (("--format", "mermaid"), "flowchart TD"), (("--format", "dot"), 'digraph "hello" {')],
)
def test_graph_draws(form: tuple[str, ...], first: str) -> None:
    done = orderlines("graph", ROOT / "examples" / "hello.yaml", *form)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == first
    assert "unsteady" in done.stdout


@pytest.mark.parametrize("command", ["convert", "graph"])
def test_an_invalid_flow_is_refused(command: str) -> None:
    done = orderlines(command, FLOWS / "refuse_bad_strategy.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "pray" in done.stderr


def test_a_flow_that_only_a_store_could_know_is_named_and_makes_no_store(tmp_path: Path) -> None:
    path = tmp_path / "flow.yaml"
    path.write_text("flow: x\nline: [{id: e, flow: other}]\n", encoding="utf-8")
    checked = orderlines("validate", path)
    assert (checked.returncode, checked.stdout) == (
        0, f"{path}: flow 'x' is valid, where the store of the run has a flow 'other'\n",
    )  # fmt: skip
    done = orderlines("run", path, "--store", f"sqlite:///{tmp_path}/runs.db")
    assert done.returncode == 2
    assert "$.line[0].flow: flow 'x' enters the flow 'other'" in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["flow.yaml"]
