"""The root of the repository is not a distribution, and says so."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from configparser import ConfigParser
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("editable", [[], ["--editable"]], ids=["install", "editable"])
def test_installing_the_root_says_what_to_type(root: Path, tmp_path: Path, editable: list[str]) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-input",
        "--target",
        str(tmp_path / "into"),
        *editable,
        str(root),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    told = done.stdout + done.stderr
    assert "python -m pip install ./core" in told
    assert "Traceback" not in told


def test_what_it_says_can_be_typed(root: Path) -> None:
    said = (root / ".ci" / "not_a_distribution.py").read_text(encoding="utf-8")
    folders = [word for word in said.replace('"', " ").replace("\\n", " ").split() if word.startswith("./")]
    assert len(folders) > 1
    assert [folder for folder in folders if not (root / folder / "pyproject.toml").is_file()] == []


def test_the_settings_of_tools_do_not_make_it_one(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    assert "project" not in settings


def test_setup_cfg_holds_the_back_ends_and_nothing_else(root: Path) -> None:
    parser = ConfigParser()
    parser.read(root / "setup.cfg", encoding="utf-8")
    assert parser.sections() == ["orderlines_testing", "backends"]
    defaults = [alias.strip() for alias in parser["orderlines_testing"]["default"].split(",")]
    assert set(defaults) <= set(parser["backends"])
    assert [url for url in parser["backends"].values() if "://" not in url] == []
