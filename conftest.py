"""The same in every distribution: how thoroughly properties are tested, who asserts, how plugins are installed."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# The suites of the kit assert as tests do; pytest shows the values of what it rewrites.
pytest.register_assert_rewrite("orderlines.testing")
# The back ends of setup.cfg, for the suite of stores.
pytest_plugins = ["orderlines.testing.backends"]

# A shell starts what is in the background with SIGINT ignored, nohup with SIGHUP, and that is inherited: no test could
# press Ctrl-C then, or hang up.
for _number, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _usual)

# No deadline: a machine that is busy with something else is no failure. The `chaos` environment asks for more examples.
settings.register_profile("usual", deadline=None, max_examples=60)
settings.register_profile("chaos", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile("chaos" if os.environ.get("ORDERLINES_CHAOS") else "usual")


@pytest.fixture
def install(tmp_path: Path) -> Callable[[str, Mapping[str, str]], Path]:
    """Install a distribution with the plugin ``PACKAGE.plugin``, as pip lays it out; return the folder for the path."""
    site = tmp_path / "site"

    def write(package: str, modules: Mapping[str, str]) -> Path:
        home, info = site / package, site / f"{package}-1.0.dist-info"
        for made in (home, info):
            made.mkdir(parents=True)
        for name, source in {**modules, "__init__": ""}.items():
            (home / f"{name}.py").write_text(source, encoding="utf-8")
        metadata = f"Metadata-Version: 2.1\nName: {package.replace('_', '-')}\nVersion: 1.0\n"
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[orderlines]\nmain = {package}.plugin\n", encoding="utf-8")
        return site

    return write
