"""What stands for the result of a node that is skipped, and where a variable that it sets is missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.conftest import Shell

FAILS = {"call": "demo.fail", "with": {"message": "no ${code}", "times": 9}}


def ran(shell: Shell, *nodes: dict[str, Any]) -> dict[str, Any]:
    flow = {"flow": "skips", "vars": {"code": 7, "seen": None}, "line": list(nodes)}
    return shell.call("run", "--json", shell.flow(json.dumps(flow))).document


def test_expressions_in_it_are_worked_out_when_the_node_is_skipped(shell: Shell) -> None:
    value = {"next": "${code + 1}", "why": "${error.message}", "of": "${error.node}", "plain": "$${x}"}
    seen = {"id": "b", "call": "demo.echo", "with": {"value": "${nodes.a.result}"}, "set": {"seen": "${result}"}}
    document = ran(shell, {"id": "a", **FAILS, "on_error": {"skip": value}}, seen)
    assert document["status"] == "SUCCESS"
    result = {"next": 8, "why": "no 7", "of": "a", "plain": "${x}"}
    assert [(task["status"], task["result"]) for task in document["tasks"]] == [("SKIP", result), ("SUCCESS", result)]
    assert document["variables"]["seen"] == result


def test_what_an_error_says_is_no_expression(shell: Shell) -> None:
    node = {"id": "a", "call": "demo.fail", "with": {"message": "$${code}", "times": 9}}
    (task,) = ran(shell, {**node, "on_error": {"skip": "${error.message}"}})["tasks"]
    assert task["result"] == "${code}"


def test_one_that_cannot_be_worked_out_fails_the_node_and_says_so(shell: Shell) -> None:
    document = ran(shell, {"id": "a", **FAILS, "on_error": {"skip": "${1 / (code - 7)}"}})
    assert document["status"] == "FAILURE"
    assert document["error"]["message"].startswith("no 7; and then its `on_error` failed: ")
