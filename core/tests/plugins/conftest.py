from __future__ import annotations

import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from orderlines.plugins import Registry
from orderlines.plugins.manager import installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = """
from __future__ import annotations
from orderlines.plugins import *
ORDERLINES_API = 1
"""


class Site:
    """A folder on the path that distributions are installed into, as pip lays them out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, name: str, source: str, version: str = "1.0", head: str = HEAD) -> str:
        """Install a distribution with one plugin module; return the package's name."""
        package = name.replace("-", "_")
        home = self.folder / package
        home.mkdir(parents=True)
        (home / "__init__.py").write_text("")
        (home / "plugin.py").write_text(head + dedent(source))
        self.describe(name, f"[orderlines]\nmain = {package}.plugin\n", version)
        return package

    def describe(self, name: str, entry_points: str, version: str = "1.0") -> None:
        """Write a distribution's metadata alone."""
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nText\n")
        (info / "entry_points.txt").write_text(entry_points)

    def module(self, package: str, name: str, source: str) -> None:
        """Add a module to an installed package."""
        (self.folder / package / f"{name}.py").write_text(dedent(source))

    def registry(self) -> Registry:
        """Return a registry of what is installed here, and of nothing else but core."""
        return Registry(installed([str(self.folder)]))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for variable in ("ALLOW", "DENY", "STRICT"):
        monkeypatch.delenv(f"ORDERLINES_PLUGINS_{variable}", raising=False)
    before = set(sys.modules)
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield Site(folder)
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
