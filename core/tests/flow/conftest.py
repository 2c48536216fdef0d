"""What the tests of the original notation share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from orderlines.flow.original import translate
from orderlines.paths import json_path

if TYPE_CHECKING:
    from collections.abc import Callable

FLOWS = Path(__file__).resolve().parents[3] / "tests" / "flows"


class Said(NamedTuple):
    """A problem as it was reported."""

    path: str
    reason: str
    warning: bool


class Told:
    """A report that remembers."""

    def __init__(self) -> None:
        self.said: list[Said] = []

    def problem(self, path: tuple[str | int, ...], reason: str, hint: str = "", *, warning: bool = False) -> None:
        self.said.append(Said(json_path(path), reason, warning))

    @property
    def errors(self) -> list[Said]:
        return [said for said in self.said if not said.warning]

    @property
    def warnings(self) -> list[str]:
        return [said.reason for said in self.said if said.warning]


class Result(NamedTuple):
    """A translation and what was said about it."""

    document: dict[str, Any]
    told: Told
    origin: Callable[[tuple[str | int, ...]], tuple[str | int, ...]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give ``flow_case`` each entry of the index of flow files."""
    if "flow_case" in metafunc.fixturenames:
        cases = json.loads((FLOWS / "index.json").read_text("utf-8"))
        metafunc.parametrize("flow_case", cases, ids=[case["file"] for case in cases])


@pytest.fixture(scope="session")
def original() -> Callable[..., Result]:
    """Translate a document and say what was reported."""

    def run(document: object, name: str = "flow") -> Result:
        told = Told()
        translation = translate(document, told, name)
        return Result(translation.document, told, translation.origin)

    return run


@pytest.fixture(scope="session")
def flow_file() -> Callable[[str], Any]:
    """Read one of the flow files."""

    def read(name: str) -> Any:
        return json.loads((FLOWS / name).read_text("utf-8"))

    return read


@pytest.fixture(scope="session")
def task() -> Callable[..., dict[str, Any]]:
    """Make a node of a linked list."""

    def make(task_id: object, task_type: str = "common", next_id: object = None, **fields: Any) -> dict[str, Any]:
        named = {"task_module": "Test", "method_name": "test_add"} if task_type == "common" else {}
        return {"task_id": task_id, "task_type": task_type, "next_id": next_id, **named, **fields}

    return make


@pytest.fixture(scope="session")
def flow_names() -> list[str]:
    """Return the names of the flow files."""
    return sorted(path.name for path in FLOWS.glob("*.json") if path.name != "index.json")
