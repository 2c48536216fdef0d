"""Random flows that can be disturbed: what they come to does not depend on how often a call is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.random_flows import SUB, RandomFlow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.random_flows import Around, Node


class DisturbedFlow(RandomFlow):
    """A random flow in which calls fail, some of them until the run is retried, and nodes wait for signals.

    The calls are those of ``noted``, and are seen in a log.

    :param folder: where the flow, its sub-flow and the log go.
    """

    ROOM = (1, 3)

    def __init__(self, seed: int, folder: Path) -> None:
        self._spoiling = 0
        super().__init__(seed)
        log = str(folder / "log")
        self.document["on_failure"] = {"call": "demo.echo", "with": {"value": "${error.node}"}}
        self.document = _noted(self.document, log)
        self.sub = _noted(SUB, log)

    def _node(self, around: Around) -> tuple[Node, list[str]]:
        if self._chance.random() < 0.4:
            return self._chance.choice([self._flaky, self._failing, self._signal, self._count])(around)
        node, said = super()._node(around)
        if {"foreach", "group"} & node.keys() and self._chance.random() < 0.7:
            node["set"] = {self._variable("came"): "${result}"}
        return node, said

    def _member(self, around: Around) -> tuple[Node, list[str]]:
        if self._chance.random() < 0.5:
            return self._chance.choice([self._flaky, self._failing, self._signal, self._count])(around)
        return super()._member(around)

    def _call(self, around: Around) -> tuple[Node, list[str]]:
        """Return a call that says with what the run was begun, or begun anew."""
        self._variables["begun"] = 0
        node = self._echo(f"[{', '.join((str(self._number), 'begun', *around.counters))}]", self._variable("said"))
        return node, [node["id"]]

    def _count(self, around: Around) -> tuple[Node, list[str]]:
        """Return a call that reads and assigns what others do as well: what is done twice or left out, is seen."""
        self._variables["sum"] = 1
        node = self._echo(f"(sum * 7 + {self._number}) % 1009", "sum")
        return self._chance.choice([self._flake, self._break])(node, around), [node["id"]]

    def _flake(self, node: Node, around: Around) -> Node:
        """Let a call fail, and succeed in the end by itself."""
        del around
        times = self._chance.randint(1, 2)
        node["with"]["fails"] = self._chance.randint(1, times)
        return {**node, "retry": {"times": times, "delay": self._chance.choice([0, "5ms"])}}

    def _break(self, node: Node, around: Around) -> Node:
        """Let the run fail with a call, but not where a group would be tried again, or left out, because of that."""
        if not self._spoiling and not any(name.startswith("attempt") for name in around.counters):
            node["with"]["fails"] = self._chance.randint(0, 2)
        return node

    def _flaky(self, around: Around) -> tuple[Node, list[str]]:
        node, said = self._call(around)
        return self._flake(node, around), said

    def _failing(self, around: Around) -> tuple[Node, list[str]]:
        node, said = self._call(around)
        return self._break(node, around), said

    def _signal(self, around: Around) -> tuple[Node, list[str]]:
        del around
        name = f"s{self._id()}"  # those of the sub-flow are no such
        return {"id": name, "signal": f"go-{name}", "set": {self._variable("told"): "${result}"}}, [name]

    # Gateways, of which some are left out since one of their lines fails

    def _parallel(self, around: Around) -> tuple[Node, list[str]]:
        node, said = self._perhaps_spoiled(super()._parallel, around)
        self._spoil(node, self._chance.choice(list(node["parallel"]["lines"].values())), node["parallel"])
        return node, said

    def _graph(self, around: Around) -> tuple[Node, list[str]]:
        node, said = self._perhaps_spoiled(super()._graph, around)
        self._spoil(node, [], node["graph"])
        if "on_error" in node:
            member = self._chance.choice(node["graph"]["nodes"])
            member.pop("retry", None)
            member.get("with", {})["fails"] = 99
        return node, said

    def _foreach(self, around: Around) -> tuple[Node, list[str]]:
        node, said = self._perhaps_spoiled(super()._foreach, around)
        node["foreach"] = list(range(self._chance.randint(0, 4)))
        self._spoil(node, node["line"], node)
        return node, said

    def _perhaps_spoiled(
        self, make: Callable[[Around], tuple[Node, list[str]]], around: Around
    ) -> tuple[Node, list[str]]:
        spoiled = self._chance.random() < 0.35
        self._spoiling += spoiled
        node, said = make(around)
        self._spoiling -= spoiled
        return {**node, "on_error": {"skip": "spoiled"}} if spoiled else node, said

    def _spoil(self, node: Node, line: list[Node], settings: Node) -> None:
        """Let a line fail where its gateway is left out then; the others come to their ends nevertheless."""
        settings["on_branch_failure"] = "wait" if "on_error" in node else self._chance.choice(["stop", "wait"])
        if "on_error" in node:
            fails = "${99 * (index % 2)}" if settings is node else 99
            bad = {"id": self._id(), "call": "demo.echo", "with": {"value": 0, "fails": fails}}
            behind = [place for place, each in enumerate(line, 1) if not {"switch", "next"} & each.keys()]
            line.insert(self._chance.choice([0, *behind]), bad)


def _noted(document: Any, log: str) -> Any:
    """Return a document whose calls are those of ``noted``."""
    if isinstance(document, list):
        return [_noted(each, log) for each in document]
    if not isinstance(document, dict):
        return document
    made = {name: _noted(each, log) for name, each in document.items()}
    if "call" in made:
        given = {**made.get("with", {}), "log": log}
        made |= {
            "demo.echo": {"call": "noted.echo", "with": given},
            "demo.fail": {"call": "noted.echo", "with": {"log": log, "value": 0, "fails": 99}},
            "meet.begin": {"call": "noted.tried", "with": {"log": log}},
        }[made["call"]]
    return made
