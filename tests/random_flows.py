"""Random flows whose nodes ask what others have come to: in loops, fan-outs and graphs, and after failed attempts."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

Node = dict[str, Any]

DEPTH = 3
SUB = {
    "flow": "sub",
    "vars": {"told": 0},
    "line": [
        {"id": "n1", "call": "demo.echo", "with": {"value": "inner n1"}},
        {"id": "n2", "group": [{"id": "n3", "call": "demo.echo", "with": {"value": "inner n3"}}]},
        {"id": "n4", "call": "demo.echo", "with": {"value": "${nodes.n3.result}"}, "set": {"told": "${result}"}},
    ],
}
"""A sub-flow, in the file ``sub.json``, whose nodes are named as those around it are."""


class Around(NamedTuple):
    """What a node stands in.

    :ivar depth: in how many others.
    :ivar counters: the variables that count the rounds of loops and the attempts around it.
    :ivar alone: whether its line is there once at a time.
    :ivar seen: the calls that it may ask about.
    """

    depth: int
    counters: tuple[str, ...]
    alone: bool
    seen: tuple[str, ...]

    def inside(self, *counters: str, seen: Iterable[str] = (), alone: bool = True) -> Around:
        """Return what a line inside of it stands in."""
        return Around(
            self.depth + 1, (*self.counters, *counters), self.alone and alone, (*self.seen, *seen)
        )  # fmt: skip


class RandomFlow:
    """One flow, made of a seed.

    It needs the variable ``folder``, a folder in which the attempts of groups are counted.

    :cvar ROOM: how many lines inside others there are, at least and at most.
    """

    ROOM: ClassVar = (6, 14)

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)  # noqa: S311 -- repeatable on purpose
        self._number = 0
        self._room = self._chance.randint(*self.ROOM)
        self._variables: dict[str, Any] = {"folder": ""}
        line, said = self._line(Around(0, (), alone=True, seen=()), loops=0.75)
        line += [self._ask([each]) for each in self._chance.sample(said, min(4, len(said)))]
        self.document: dict[str, Any] = {"flow": "random", "vars": self._variables, "line": line}

    def _id(self) -> str:
        self._number += 1
        return f"n{self._number}"

    def _variable(self, prefix: str) -> str:
        name = f"{prefix}{self._number}"
        self._variables[name] = 0
        return name

    def _line(self, around: Around, loops: float = 0.3) -> tuple[list[Node], list[str]]:
        """Return a line, walked once or two or three times, and the calls that may be asked about behind it."""
        looped = self._chance.random() < loops
        begin = [self._echo("0", self._variable("round"))] if looped else []
        counter = list(begin[0]["set"]) if looped else []
        here = around._replace(counters=(*around.counters, *counter))
        nodes: list[Node] = []
        said: list[str] = []
        for _ in range(self._chance.randint(2, 4 + 2 * (around.depth == 0))):
            node, more = self._node(here._replace(seen=(*around.seen, *said)))
            nodes.append(node)
            said += more
        nodes.append(self._echo("0"))
        self._jump(nodes, here.counters)
        if looped:
            last = self._echo("0")
            again = {"when": f"${{{counter[0]} < {self._chance.randint(2, 3)}}}", "goto": nodes[0]["id"]}
            fork = {"id": self._id(), "switch": [again, {"else": last["id"]}]}
            nodes = [*begin, *nodes, self._echo(f"{counter[0]} + 1", counter[0]), fork, last]
        return nodes, said

    def _node(self, around: Around) -> tuple[Node, list[str]]:
        made = [self._call, self._asking, self._asking, self._delay]
        if self._room > 0 and around.depth < DEPTH:
            made += [self._group, self._parallel, self._foreach, self._graph, self._sub_flow]
            made += [self._shaky] * (2 * around.alone)
        return self._chance.choice(made)(around)

    # Calls

    def _echo(self, value: str, variable: str | None = None) -> Node:
        node: Node = {"id": self._id(), "call": "demo.echo", "with": {"value": f"${{{value}}}"}}
        return node if variable is None else {**node, "set": {variable: "${result}"}}

    def _ask(self, seen: Iterable[str]) -> Node:
        """Return a call that passes on what another one came to; where that has not been walked, it says so."""
        asked = self._echo(f"nodes.{self._chance.choice(list(seen))}.result")
        return {**asked, "set": {self._variable("told"): "${result}"}, "on_error": {"skip": "missing"}}

    def _call(self, around: Around) -> tuple[Node, list[str]]:
        node = self._echo(f"[{', '.join((str(self._number), *around.counters))}]", self._variable("said"))
        return node, [node["id"]]

    def _asking(self, around: Around) -> tuple[Node, list[str]]:
        if not around.seen:
            return self._call(around)
        node = self._ask(around.seen)
        return node, [node["id"]]

    def _delay(self, around: Around) -> tuple[Node, list[str]]:
        return {"id": self._id(), "delay": "1ms" if around.alone else 0}, []

    # Lines inside

    def _inside(self, around: Around) -> tuple[list[Node], list[str]]:
        self._room -= 1
        return self._line(around)

    def _group(self, around: Around) -> tuple[Node, list[str]]:
        line, said = self._inside(around.inside())
        return {"id": self._id(), "group": line}, said

    def _parallel(self, around: Around) -> tuple[Node, list[str]]:
        made = {name: self._inside(around.inside()) for name in "abc"[: self._chance.randint(2, 3)]}
        lines = {name: line for name, (line, _) in made.items()}
        node = {"id": self._id(), "parallel": {"lines": lines, "limit": self._chance.randint(1, 3)}}
        return node, [each for _, said in made.values() for each in said]

    def _foreach(self, around: Around) -> tuple[Node, list[str]]:
        line, _ = self._inside(around.inside(alone=False))
        limit = self._chance.randint(1, 3)
        return {"id": self._id(), "foreach": list(range(limit)), "limit": limit, "line": line}, []

    def _graph(self, around: Around) -> tuple[Node, list[str]]:
        nodes: list[Node] = []
        said: dict[str, list[str]] = {}
        before: dict[str, set[str]] = {}
        for _ in range(self._chance.randint(2, 4)):
            after = [name for name in said if self._chance.random() < 0.5]
            earlier = set(after).union(*(before[name] for name in after))
            seen = [each for name in said if name in earlier for each in said[name]]
            node, more = self._member(around.inside(seen=seen))
            nodes.append({**node, "after": after} if after else node)
            said[node["id"]], before[node["id"]] = more, earlier
        graph = {"nodes": nodes, "limit": self._chance.randint(1, 4)}
        return {"id": self._id(), "graph": graph}, [each for more in said.values() for each in more]

    def _member(self, around: Around) -> tuple[Node, list[str]]:
        """Return a node of a graph."""
        return self._chance.choice([self._call, self._asking, self._group])(around)

    def _sub_flow(self, around: Around) -> tuple[Node, list[str]]:
        del around
        self._room -= 1
        return {"id": self._id(), "flow": "./sub.json", "set": {self._variable("told"): "${result}"}}, []

    def _shaky(self, around: Around) -> tuple[Node, list[str]]:
        """Return a group that fails once or twice; only every other attempt comes to its first call."""
        count = self._id()
        attempts = self._variable("attempt")
        mark, good = self._echo(f"[{', '.join((*around.counters, attempts))}]"), self._echo("0")
        line, said = self._inside(around.inside(attempts, seen=[mark["id"]]))
        bad = {"id": self._id(), "call": "demo.fail", "with": {"message": "no", "times": 9}, "next": "end"}
        times = self._chance.randint(1, 2)
        even = {"when": f"${{{attempts} % 2 == 0}}", "goto": line[0]["id"]}
        fails = {"when": f"${{{attempts} % {times + 1} != 0}}", "goto": bad["id"]}
        given = {"path": f"${{folder}}/{count}", "go": "${folder}"}
        group = [
            {"id": count, "call": "meet.begin", "with": given, "set": {attempts: "${result}"}},
            {"id": self._id(), "switch": [even, {"else": mark["id"]}]},
            mark,
            *line,
            {"id": self._id(), "switch": [fails, {"else": good["id"]}]},
            bad,
            good,
        ]
        retry = {"times": times, "delay": self._chance.choice([0, "5ms"])}
        return {"id": self._id(), "group": group, "on_error": {"retry": retry}}, [mark["id"], *said]

    def _jump(self, nodes: list[Node], counters: tuple[str, ...]) -> None:
        """Let a line leave out some of its nodes in every other round."""
        if not counters or len(nodes) < 4 or self._chance.random() < 0.4:
            return
        place = self._chance.randrange(1, len(nodes) - 2)
        target = self._chance.choice(nodes[place + 1 :])["id"]
        over = {"when": f"${{{self._chance.choice(counters)} % 2 == 1}}", "goto": target}
        nodes.insert(place, {"id": self._id(), "switch": [over, {"else": nodes[place]["id"]}]})
