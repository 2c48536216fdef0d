"""The examples come to what they say, through the command line and the embedded store."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SCRIPTS = Path(sys.executable).parent


def run(folder: Path, *words: str) -> dict[str, Any]:
    """Run ``orderlines run`` in a folder of its own and return the one JSON document that it prints."""
    command = [str(SCRIPTS / "orderlines"), "run", *words, "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    return document


def by_node(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {task["node"]: task for task in document["tasks"]}


def is_root(line: str) -> bool:
    """Tell the root line from those that a node opened, whose path is ``/NODE#VISIT/NAME``."""
    return "#" not in line


def test_documented(tmp_path: Path) -> None:
    document = run(tmp_path, str(EXAMPLES / "documented.json"))
    assert (document["status"], document["flow"], document["error"]) == ("SUCCESS", "test_parallel_with_process", None)
    assert document["variables"]["add_value"] == 123145
    tasks = by_node(document)
    assert {node: tasks[node]["result"] for node in ("1003", "1004", "1006")} == {
        "1003": {"add_value": 123144},
        "1004": {"subtraction_value": 22},
        "1006": {"subtraction_value": -2},
    }
    assert {tasks[node]["executor"] for node in ("1003", "1004", "1006")} == {"gevent"}
    assert [task["node"] for task in document["tasks"] if is_root(task["line"])] == ["1000", "1001", "1007"]
    assert (tmp_path / ".orderlines" / "orderlines.db").is_file()


@pytest.mark.parametrize(
    ("limit", "walked", "avoided", "message"),
    [(100, "half", "large", "42 is not over 100"), (10, "large-echo", "small", "42 is over 10")],
)
def test_hello(tmp_path: Path, limit: int, walked: str, avoided: str, message: str) -> None:
    document = run(tmp_path, str(EXAMPLES / "hello.yaml"), "--var", f"limit={limit}")
    tasks = by_node(document)
    assert document["status"] == "SUCCESS"
    assert document["variables"] == {"region": "eu", "limit": limit, "total": 42, "message": message}
    assert walked in tasks
    assert avoided not in tasks
    assert tasks["unsteady"]["attempt"] == 2
    assert {tasks[node]["executor"] for node in ("add", "pause")} == {"gevent"}
