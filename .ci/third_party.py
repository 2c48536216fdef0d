"""Begin a component library as its template says: copy it, rename it, run its tests, and use it in a flow."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
TEMPLATE: Final = ROOT / "contrib_components" / "_template"
NAME: Final = "acme"


def renamed(text: str) -> str:
    """Return a text, or a name of a file, with our name in the place of the template's."""
    return text.replace("template", NAME).replace("Template", NAME.title())


def copy(folder: Path) -> None:
    """Copy the template, and put our name everywhere."""
    ignored = shutil.ignore_patterns(".*", "__pycache__", "dist")
    shutil.copytree(TEMPLATE, folder, ignore=ignored)
    for path in sorted(folder.rglob("*"), reverse=True):  # What is in a folder before the folder.
        if path.is_file():
            path.write_text(renamed(path.read_text(encoding="utf-8")), encoding="utf-8")
        path.rename(path.with_name(renamed(path.name)))


def run(*command: str, folder: Path) -> str:
    """Run a command, show it, and return what it prints; end as it does where it fails."""
    print("$", *command, flush=True)  # noqa: T201 -- what runs is the output of this script
    # Not this tox's own settings, which would have the other one work in our folder.
    env = {name: value for name, value in os.environ.items() if not name.startswith("TOX_")}
    env["ORDERLINES_CORE"] = str(ROOT / "core")
    done = subprocess.run(command, cwd=folder, env=env, check=False, text=True, stdout=subprocess.PIPE)  # noqa: S603 -- ours
    print(done.stdout, flush=True)  # noqa: T201 -- as above
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def main() -> None:
    """Copy, test, look at the plugins, and run the flow of its README."""
    with tempfile.TemporaryDirectory(prefix="third-party-") as place:
        folder = Path(place, f"orderlines-{NAME}")
        copy(folder)
        run(sys.executable, "-m", "tox", "--colored", "no", "run", folder=folder)
        orderlines = str(folder / ".tox" / "py" / "bin" / "orderlines")
        plugins = json.loads(run(orderlines, "plugins", "--json", folder=folder))["plugins"]
        found = {plugin["distribution"]: plugin["status"] for plugin in plugins}
        if found.get(f"orderlines-{NAME}") != "ok":
            sys.exit(f"`orderlines plugins` does not show orderlines-{NAME} as one that works: {found}")
        readme = (folder / "README.md").read_text(encoding="utf-8")
        flow = re.search(r"^```yaml\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
        if flow is None:
            sys.exit("the template's README shows no flow")
        (folder / "flow.yaml").write_text(flow[1], encoding="utf-8")
        run(orderlines, "run", "flow.yaml", folder=folder)


if __name__ == "__main__":
    main()
