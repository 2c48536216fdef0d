"""Makes this package known as a plugin, here and in the processes that are started from here, without installing it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def enter(folder: Path) -> None:
    """Write the metadata of a distribution into ``folder`` and put that and the repository's root on the path.

    Compiled modules are kept from now on: without them every fresh process would compile again, which no user's does.
    """
    info = folder / "orderlines_benchmarks-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: orderlines-benchmarks\nVersion: 0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[orderlines]\nbenchmarks = benchmarks.plugin\n", encoding="utf-8")
    added = [str(folder), str(ROOT)]
    sys.path[:0] = added
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [*added, os.environ.get("PYTHONPATH")]))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
