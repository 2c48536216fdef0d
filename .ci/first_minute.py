"""Run the README's first command as a newcomer does: in a clean copy of the repository, with nothing installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_IN_A_CLONE = shutil.ignore_patterns(
    ".git", ".venv*", ".tox", ".*_cache", ".hypothesis", ".orderlines", "__pycache__"
)


def first_command() -> str:
    """Return what stands in the README's first block of shell commands."""
    block = re.search(
        r"^```console\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    if block is None:
        sys.exit("README.md: there is no ```console block; the first one must hold the first command")
    return block[1].strip()


def main() -> int:
    """Copy, run, and return the command's exit code."""
    command = first_command()
    print(f"$ {command}", flush=True)  # noqa: T201 - what runs is the output of this script
    with tempfile.TemporaryDirectory(prefix="first-minute-") as folder:
        clone = Path(folder, "orderlines")
        shutil.copytree(ROOT, clone, ignore=NOT_IN_A_CLONE)
        return subprocess.run(["bash", "-c", command], cwd=clone, check=False).returncode  # noqa: S603, S607 - our README


if __name__ == "__main__":
    sys.exit(main())
