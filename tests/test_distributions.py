"""Each distribution builds a wheel that holds what it needs and nothing else, and declares what it imports."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from configparser import ConfigParser, RawConfigParser
from email.parser import Parser
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import ZipFile

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = ("core/pyproject.toml", "plugins/[!_]*/pyproject.toml", "contrib_components/[!_]*/pyproject.toml")
FOLDERS = [path.parent for pattern in PROJECTS for path in sorted(ROOT.glob(pattern))]
MODULES_OF = {
    "opentelemetry-api": "opentelemetry",
    "opentelemetry-exporter-otlp-proto-http": "opentelemetry",
    "opentelemetry-sdk": "opentelemetry",
    "pyyaml": "yaml",
}
"""What a distribution is imported as, where that is not its name."""

STANDARD = sys.stdlib_module_names | {"annotationlib"}
"""The standard library, with what later versions than the oldest supported one have and our sources ask for."""


class Wheel(NamedTuple):
    """A built distribution."""

    folder: Path
    project: dict[str, Any]
    contents: dict[str, bytes]

    @property
    def package(self) -> str:
        return str(self.project["name"]).replace("-", "_")

    def info(self, name: str) -> str:
        """Return the text of a file of the wheel's metadata."""
        (path,) = (path for path in self.contents if re.fullmatch(rf"[^/]+\.dist-info/{re.escape(name)}", path))
        return self.contents[path].decode()

    @property
    def metadata(self) -> Message:
        return Parser().parsestr(self.info("METADATA"))


def project_of(folder: Path) -> dict[str, Any]:
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert isinstance(project, dict)
    return project


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.relative_to(ROOT).as_posix())
def wheel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Wheel:
    folder: Path = request.param
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "-w"]
    done = subprocess.run([*command, str(out), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = out.iterdir()
    with ZipFile(path) as file:
        contents = {name: file.read(name) for name in file.namelist()}
    return Wheel(folder, project_of(folder), contents)


def test_it_holds_the_package_and_nothing_else(wheel: Wheel) -> None:
    source = wheel.folder / "src"
    expected = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file() and is_source(path)}
    assert {path for path in wheel.contents if ".dist-info/" not in path} == expected
    assert {path.partition("/")[0] for path in expected} == {wheel.package}
    assert f"{wheel.package}/py.typed" in expected


def is_source(path: Path) -> bool:
    return not any(part == "__pycache__" or part.endswith("_cache") for part in path.parts)


def test_it_names_no_place_of_the_machine_that_built_it(wheel: Wheel) -> None:
    places = [str(place).encode() for place in (ROOT, sys.prefix)]
    assert [(path, place) for path, data in wheel.contents.items() for place in places if place in data] == []
    assert [path for path in wheel.contents if path.startswith("/") or ".." in path] == []


def test_its_metadata_is_complete(wheel: Wheel) -> None:
    metadata = wheel.metadata
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert len(str(metadata.get_payload())) > 200, "README.md says what it is and how to use it"
    assert metadata["Summary"]
    assert {"Typing :: Typed", "Programming Language :: Python :: 3.11"} <= set(metadata.get_all("Classifier", []))
    assert wheel.info("licenses/LICENSE") == (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_all_are_released_under_one_version(wheel: Wheel) -> None:
    assert wheel.project["version"] == project_of(ROOT / "core")["version"]


def test_its_entry_points_are_in_it(wheel: Wheel) -> None:
    parser = ConfigParser(delimiters=("=",))
    parser.read_string(wheel.info("entry_points.txt"))
    modules = [value.partition(":")[0].replace(".", "/") for section in parser.values() for value in section.values()]
    assert [module for module in modules if not {f"{module}.py", f"{module}/__init__.py"} & wheel.contents.keys()] == []
    assert "orderlines" in parser


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def name_of(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return match[0].lower()


def test_it_declares_what_it_imports_and_no_more(wheel: Wheel) -> None:
    texts = [data for path, data in wheel.contents.items() if path.endswith(".py")]
    used = {name for text in texts for name in imported(ast.parse(text))} - STANDARD - {wheel.package}
    optional = [text for texts in wheel.project.get("optional-dependencies", {}).values() for text in texts]
    names = {name_of(requirement) for requirement in (*wheel.project["dependencies"], *optional)}
    assert used == {MODULES_OF.get(name, name.replace("-", "_")) for name in names}


def lower_bounds() -> dict[str, str]:
    """Return the oldest version of each third-party dependency that the distributions allow."""
    requirements = [text for folder in FOLDERS for text in project_of(folder)["dependencies"]]
    return {name_of(text): same(text.partition(">=")[2]) for text in requirements if name_of(text) != "orderlines"}


def test_the_oldest_versions_are_the_tested_ones() -> None:
    parser = RawConfigParser()
    parser.read(ROOT / "tox.ini", encoding="utf-8")
    pins = (line.lower().split("==") for line in parser["testenv:lowest"]["deps"].splitlines() if "==" in line)
    assert {name: same(version) for name, version in pins} == lower_bounds()


def same(version: str) -> str:
    """Write versions in one way: 8.1 is 8.1.0."""
    return re.sub(r"(\.0)+$", "", version)


def test_the_others_need_a_core_of_their_age(wheel: Wheel) -> None:
    bounds = [text for text in wheel.project["dependencies"] if name_of(text) == "orderlines"]
    assert bounds == ([] if wheel.package == "orderlines" else ["orderlines>=0.1"])
