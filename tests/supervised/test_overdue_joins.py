"""The timeout of what opens lines holds over inline calls: `orderlines run` ends them, as a stop does."""

from __future__ import annotations

from typing import Any

import pytest

CALL = "{id: x, call: acts.%s, with: {log: LOG}%s}"
SHAPES = {
    "group": "group: [CALL]",
    "parallel": "parallel: {lines: {l: [CALL]}}",
    "graph": "graph: {nodes: [CALL]}",
    "foreach": "foreach: [1], as: i, line: [CALL]",
    "sub-flow": "flow: ./sub.yaml",
    "nested": "group: [{id: q, parallel: {lines: {l: [{id: r, group: [CALL]}]}}}]",
}


def begin(shell: Any, shape: str, call: str, more: str = "") -> Any:
    (shell.folder / "sub.yaml").write_text(f"flow: sub\nline:\n  - {call}\n".replace("LOG", str(shell.log)), "utf-8")
    node = SHAPES[shape].replace("CALL", call)
    return shell.flow(f"flow: late\nline:\n  - {{id: p, timeout: 1, {node}{more}}}\n")


def told(document: Any) -> dict[str, str]:
    return {task["node"]: task["status"] for task in document["tasks"]}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_timeout_ends_the_inline_call_below_it(shape: str, shell: Any) -> None:
    document = shell.read("run", begin(shell, shape, CALL % ("spin", "")))
    assert (document["status"], document["error"]["type"]) == ("FAILURE", "Timeout")
    assert (told(document)["p"], told(document)["x"]) == ("FAILURE", "STOP")
    assert shell.lines() == ["spin"]


@pytest.mark.parametrize(("call", "lines"), [("ignore", ["ignore"]), ("obey", ["obey", "obeyed"])])
def test_a_call_that_handles_its_end_has_its_grace(call: str, lines: list[str], shell: Any) -> None:
    document = shell.read("run", begin(shell, "group", CALL % (call, ", grace: 1")))
    assert (document["error"]["type"], told(document)) == ("Timeout", {"p": "FAILURE", "x": "STOP"})
    assert shell.lines() == lines


def test_the_line_goes_on_as_the_node_says(shell: Any) -> None:
    more = ", on_error: {skip: late}}\n  - {id: z, call: acts.append, with: {log: LOG, line: z}"
    document = shell.read("run", begin(shell, "group", CALL % ("spin", ""), more))
    assert (document["status"], told(document)) == ("SUCCESS", {"p": "SKIP", "x": "STOP", "z": "SUCCESS"})
    assert shell.lines() == ["spin", "z"]


@pytest.mark.parametrize(
    ("line", "begun"),
    [
        pytest.param("LINGER", {}, id="it has not begun"),
        pytest.param("{id: g, group: [LINGER]}", {"g": "SUCCESS"}, id="it waits for the thread"),
    ],
)
def test_a_call_of_another_line_is_not_ended_for_one_that_waits_behind_it(
    line: str, begun: dict[str, str], shell: Any
) -> None:
    linger = "{id: a, call: acts.linger, with: {log: LOG, seconds: 4}}"
    late = "{id: b, timeout: 1, on_error: {skip: late}, group: [CALL]}".replace("CALL", CALL % ("spin", ", grace: 0"))
    lines = f"a: [{line.replace('LINGER', linger)}], b: [{late}]"
    document = shell.read("run", shell.flow(f"flow: two\nline:\n  - {{id: p, parallel: {{lines: {{{lines}}}}}}}\n"))
    assert (document["status"], told(document)) == ("SUCCESS", {"p": "SUCCESS", "a": "SUCCESS", "b": "SKIP", **begun})
    assert shell.lines() == ["linger"]
