"""The command line takes its defaults from a file, then from variables, then from options."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Orderlines = Callable[..., subprocess.CompletedProcess[str]]

IMPORTED = """
import sys
from orderlines.cli.main import main
sys.argv = ["orderlines", *{arguments}]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
sys.stderr.write("\\n".join(sys.modules))
"""


@pytest.fixture
def below(tmp_path: Path) -> Path:
    """A folder below one whose ``orderlines.yaml`` names a store."""
    (tmp_path / "orderlines.yaml").write_text("store: sqlite:///file.db\n", encoding="utf-8")
    folder = tmp_path / "below"
    folder.mkdir()
    return folder


def without_defaults() -> dict[str, str]:
    variables = {"ORDERLINES_STORE", "ORDERLINES_EXECUTOR"}
    return {name: value for name, value in os.environ.items() if name not in variables}


def called(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orderlines.cli.main", *arguments]
    return subprocess.run(
        command, cwd=folder, env=without_defaults() | variables, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    ("arguments", "variables", "made"),
    [
        ([], {}, "file.db"),
        ([], {"ORDERLINES_STORE": "sqlite:///variable.db"}, "below/variable.db"),
        (["--store", "sqlite:///option.db"], {"ORDERLINES_STORE": "sqlite:///variable.db"}, "below/option.db"),
    ],
)
def test_the_strongest_wins(arguments: list[str], variables: dict[str, str], made: str, below: Path) -> None:
    (below / "flow.yaml").write_text("flow: x\nline: [{id: a, end: }]\n", encoding="utf-8")
    done = called(below, "run", "flow.yaml", *arguments, **variables)
    assert done.returncode == 0, done.stderr
    assert [str(path.relative_to(below.parent)) for path in below.parent.rglob("*.db")] == [made]


def test_the_executor_is_a_default_too(below: Path) -> None:
    (below / "orderlines.yaml").write_text("executor: nowhere\n", encoding="utf-8")
    (below / "flow.yaml").write_text("flow: short\nline:\n  - {id: one, start: {}}\n", encoding="utf-8")
    refused = called(below, "validate", "flow.yaml")
    assert refused.returncode == 2
    assert "'nowhere'" in refused.stderr
    assert called(below, "validate", "flow.yaml", ORDERLINES_EXECUTOR="inline").returncode == 0


def test_a_wrong_file_is_the_users_to_mend(below: Path) -> None:
    (below / "orderlines.yaml").write_text("executor: inline\nstor: x\n", encoding="utf-8")
    done = called(below, "runs")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {below / 'orderlines.yaml'}:2:1: ")
    assert "did you mean 'store'?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["--version"], ["plugins"]])
def test_what_needs_no_defaults_reads_none(arguments: list[str], below: Path) -> None:
    (below / "orderlines.yaml").write_text("[", encoding="utf-8")
    done = called(below, *arguments)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("with_file", "imported"), [(False, False), (True, True)])
def test_yaml_is_imported_only_for_a_file(with_file: bool, imported: bool, tmp_path: Path) -> None:
    if with_file:
        (tmp_path / "orderlines.yaml").write_text("store: sqlite:///file.db\n", encoding="utf-8")
    script = IMPORTED.format(arguments=["runs"])
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=without_defaults(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ("yaml" in done.stderr.splitlines()) is imported
