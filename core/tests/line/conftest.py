"""A registry with one component, which no test of the line machine ever runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines.plugins import Registry
from orderlines.plugins.manager import installed

if TYPE_CHECKING:
    from collections.abc import Iterator

PLUGIN = """
from orderlines.plugins import ComponentsPlugin, hookimpl
ORDERLINES_API = 1

@hookimpl
def orderlines_components():
    return [ComponentsPlugin("steps", "line_steps.library")]
"""
LIBRARY = """
def work(a: int, c: int = 0) -> int:
    return a + c + 1

def tell(message: str) -> None:
    pass
"""


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Return a registry that knows the library ``steps``."""
    folder = tmp_path_factory.mktemp("site")
    package, info = folder / "line_steps", folder / "line_steps-1.dist-info"
    for each in (package, info):
        each.mkdir()
    (package / "__init__.py").touch()
    (package / "plugin.py").write_text(PLUGIN, encoding="ascii")
    (package / "library.py").write_text(LIBRARY, encoding="ascii")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: line-steps\nVersion: 1\n", encoding="ascii")
    (info / "entry_points.txt").write_text("[orderlines]\nmain = line_steps.plugin\n", encoding="ascii")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield Registry(installed([str(folder)]))
