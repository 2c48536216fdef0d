"""Small random flows, and what they come to when they are walked one node after the other by a much simpler program."""

from __future__ import annotations

from collections import Counter
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

Node = dict[str, Any]
ROUNDS = 2


@st.composite
def flows(draw: st.DrawFn) -> dict[str, Any]:
    """Return a flow: calls, groups and parallels, walked twice by a loop, or once.

    The id of a call says how it behaves: ``ok...`` returns, ``bad...`` always raises, ``shaky...`` raises once.
    """
    numbers = count(1)
    body = draw(_line(numbers, 2))
    again: list[Node] = [
        {"id": "okround", "call": "steps.work", "with": {"a": "${round}"}, "set": {"round": "${result}"}},
        {"id": "again", "switch": [{"when": f"${{round < {ROUNDS}}}", "goto": body[0]["id"]}, {"else": "last"}]},
        {"id": "last", "call": "steps.work", "with": {"a": "${x}"}, "set": {"z": "${result}"}},
    ]
    flow: dict[str, Any] = {"flow": "random", "vars": {"x": 0, "y": 0, "z": 0, "round": 0}, "line": [*body, *again]}
    if draw(st.booleans()):
        flow["on_failure"] = {"call": "steps.tell", "with": {"message": "${error.message}"}}
    return flow


def _line(numbers: Iterator[int], depth: int) -> st.SearchStrategy[list[Node]]:
    return st.lists(_node(numbers, depth), min_size=1, max_size=3).map(_speak)


def _speak(nodes: list[Node]) -> list[Node]:
    """Let each call refer to the result of the one before, where that is sure to have one."""
    for before, node in pairwise(nodes):
        if "call" in node and before["id"].startswith("ok"):
            node["with"]["c"] = f"${{nodes.{before['id']}.result}}"
    return nodes


@st.composite
def _node(draw: st.DrawFn, numbers: Iterator[int], depth: int) -> Node:
    kind = draw(st.sampled_from(["ok", "ok", "shaky", "bad"] + ["group", "parallel"] * bool(depth)))
    name = f"{kind}{next(numbers)}"
    node: Node = {"id": name}
    if kind == "group":
        node["group"] = draw(_line(numbers, depth - 1))
        if draw(st.booleans()):
            node["set"] = {"y": "${x + y}"}
    elif kind == "parallel":
        lines = {f"l{place}": draw(_line(numbers, depth - 1)) for place in range(draw(st.integers(1, 3)))}
        node["parallel"] = {"lines": lines, "on_branch_failure": draw(st.sampled_from(["stop", "wait"]))}
        if draw(st.booleans()):
            node["parallel"]["limit"] = draw(st.integers(1, 2))
    else:
        node |= {"call": "steps.work", "with": {"a": f"${{{draw(st.sampled_from('xy'))}}}"}}
        if draw(st.booleans()):
            node["set"] = {draw(st.sampled_from("xy")): "${result}"}
    if kind == "shaky":
        node["retry"] = {"times": 9, "delay": draw(st.sampled_from([0, 1]))}
    elif kind != "ok" and draw(st.integers(0, 3)):
        node["on_error"] = {"skip": 7}
    return node


class Reference:
    """Walks a flow node after node, in the order in which it is listed."""

    def __init__(self, flow: dict[str, Any]) -> None:
        self.visits: Counter[tuple[str, str]] = Counter()
        self.results: dict[str, int] = {}
        self.tasks: set[tuple[str, str, int]] = set()
        self.variables = dict(flow["vars"])
        self.status = "SUCCESS" if self._walk(flow["line"], "", self.variables) else "FAILURE"

    def _walk(self, line: list[Node], path: str, variables: dict[str, Any]) -> bool:
        place = 0
        places = {node["id"]: number for number, node in enumerate(line)}
        while place < len(line):
            node = line[place]
            place += 1
            self.visits[path, node["id"]] += 1
            if "switch" in node:
                self._done(path, node)
                place = places[node["switch"][0]["goto"] if variables["round"] < ROUNDS else "last"]
            elif not self._node(node, path, variables) and "on_error" not in node:
                return False
        return True

    def _done(self, path: str, node: Node) -> None:
        self.tasks.add((path, node["id"], self.visits[path, node["id"]]))

    def _node(self, node: Node, path: str, variables: dict[str, Any]) -> bool:
        if "call" in node:
            good = not node["id"].startswith("bad")
            if good:
                self._call(node, variables)
        else:
            good = self._fork(node, path, variables)
        if good:
            self._done(path, node)
        return good

    def _call(self, node: Node, variables: dict[str, Any]) -> None:
        given = node["with"]
        result = variables[given["a"][2:-1]] + 1
        if "c" in given:
            result += self.results[given["c"].split(".")[1]]
        self.results[node["id"]] = result
        for name in node.get("set", ()):
            variables[name] = result

    def _fork(self, node: Node, path: str, variables: dict[str, Any]) -> bool:
        lines = {"0": node["group"]} if "group" in node else node["parallel"]["lines"]
        visit = self.visits[path, node["id"]]
        merged: dict[str, Any] = {}
        good = True
        for name, line in lines.items():
            own = _Tracked(variables)
            good &= self._walk(line, f"{path}/{node['id']}#{visit}/{name}", own)
            merged |= own.changed
        if good:
            variables.update(merged)
            for name in node.get("set", ()):
                variables[name] = variables["x"] + variables["y"]
        return good


class _Tracked(dict[str, Any]):
    """Variables that remember which of them were assigned."""

    def __init__(self, start: dict[str, Any]) -> None:
        super().__init__(start)
        self.changed: dict[str, Any] = {}

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self.changed[name] = value

    def update(self, values: dict[str, Any]) -> None:  # type: ignore[override]
        for name, value in values.items():
            self[name] = value
