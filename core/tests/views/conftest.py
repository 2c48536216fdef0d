from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

BEGAN = "2026-01-01T00:00:00+00:00"
ENDED = "2026-01-01T00:00:01.500000+00:00"
GOING = {"RUNNING", "RETRY", "WAITING"}


def make_task(line: str, node: str, status: str = "SUCCESS", **more: Any) -> dict[str, Any]:
    return {
        "line": line, "node": node, "name": None, "type": "common", "component": None, "status": status, "attempt": 1,
        "visit": 1, "executor": "inline", "started": BEGAN, "finished": None if status in GOING else ENDED,
        "result": None, "error": None, **more,
    }  # fmt: skip


def make_document(tasks: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "run": "r1", "flow": "f", "status": "RUNNING", "started": BEGAN, "finished": None, "duration": None,
        "variables": None, "error": None, "tasks": tasks, **more,
    }  # fmt: skip


@pytest.fixture(scope="session")
def task() -> Callable[..., dict[str, Any]]:
    """Makes a task of a document: ``task(line, node, status, **other_keys)``."""
    return make_task


@pytest.fixture(scope="session")
def document() -> Callable[..., dict[str, Any]]:
    """Makes the document of a run: ``document(tasks, **other_keys)``."""
    return make_document
