"""Flows of many shapes, whose calls are seen in a log: what a kill must neither lose nor repeat.

Each function takes the path of the log and returns the flow's line in YAML. The components are those of ``demo``, and
those of :mod:`orderlines.testing.witness` as a library ``seen``, which a plugin of the tests has to offer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def node(log: Path, name: str, more: str = "") -> str:
    """Return a node that is seen in a log."""
    return f"{{id: {name}, call: seen.act, with: {{log: {log}, text: {name}}}{more}}}"


def chain(log: Path) -> str:
    """Return three nodes in a row."""
    return f"[{node(log, 'a')}, {node(log, 'b')}, {node(log, 'c')}]"


def parallel(log: Path) -> str:
    """Return a gateway one of whose lines waits for the other."""
    lines = f"{{x: [{node(log, 'x1')}, {node(log, 'x2')}], y: [{node(log, 'y1')}]}}"
    return f"[{node(log, 'a')}, {{id: p, parallel: {{limit: 1, lines: {lines}}}}}, {node(log, 'z')}]"


def group(log: Path) -> str:
    """Return a group."""
    return f"[{{id: g, group: [{node(log, 'a')}, {node(log, 'b')}]}}, {node(log, 'z')}]"


def switch(log: Path) -> str:
    """Return a branch."""
    branch = "{id: s, switch: [{when: '${1 > 2}', goto: b}, {else: c}]}"
    return f"[{node(log, 'a')}, {branch}, {node(log, 'b', ', next: end')}, {node(log, 'c')}]"


def retry(log: Path) -> str:
    """Return a node that fails once."""
    shaky = "{id: shaky, call: demo.fail, with: {message: no, times: 1}, retry: {times: 5, delay: 10ms}}"
    return f"[{node(log, 'a')}, {shaky}, {node(log, 'z')}]"


def rounds(log: Path) -> str:
    """Return a flow that fails once at one node, and always at another one, which has to be skipped."""
    shaky = "{id: shaky, call: demo.fail, with: {message: no, times: 1}}"
    never = "{id: never, call: demo.fail, with: {message: no, times: 999}}"
    lines = f"{{x: [{node(log, 'x1')}, {shaky}, {node(log, 'x2')}], y: [{node(log, 'y1')}, {never}]}}"
    settings = f"{{limit: 1, on_branch_failure: wait, lines: {lines}}}"
    return f"[{node(log, 'a')}, {{id: p, parallel: {settings}}}, {node(log, 'z')}]"


def foreach(log: Path) -> str:
    """Return a node for each of three items."""
    return f"[{{id: f, foreach: [1, 2, 3], limit: 2, line: [{node(log, 'i')}]}}, {node(log, 'z')}]"


def nested(log: Path) -> str:
    """Return gateways in a loop over items."""
    lines = f"{{x: [{node(log, 'x')}], y: [{{id: g, group: [{node(log, 'y')}]}}]}}"
    return f"[{{id: f, foreach: [1, 2], line: [{{id: p, parallel: {{lines: {lines}}}}}]}}, {node(log, 'z')}]"


def graph(log: Path) -> str:
    """Return a graph of four nodes."""
    nodes = [node(log, "a"), node(log, "b", ", after: [a]"), node(log, "c", ", after: [a]")]
    return f"[{{id: dag, graph: {{limit: 2, nodes: [{', '.join(nodes)}, {node(log, 'd', ', after: [b, c]')}]}}}}]"


def loop(log: Path) -> str:
    """Return a loop over three visits."""
    count = "{id: inc, call: demo.add, with: {a: '${n}', b: 1}, set: {n: '${result}'}}"
    again = "{id: again, switch: [{when: '${n < 3}', goto: inc}, {else: z}]}"
    return f"[{count}, {node(log, 'i')}, {again}, {node(log, 'z')}]"


def asking(log: Path) -> str:
    """Return a loop with a graph and items, in which nodes ask what others have come to, on other lines as well."""

    def told(name: str, text: str) -> str:
        return f'{{id: {name}, call: seen.act, with: {{log: {log}, text: "{text}"}}}}'

    count = "{id: inc, call: demo.add, with: {a: '${n}', b: 1}, set: {n: '${result}'}}"
    nodes = [
        f"{{id: g, group: [{told('deep', 'd')}]}}",
        told("b", "${nodes.deep.result}b")[:-1] + ", after: [g]}",
        told("c", "${nodes.deep.result}${nodes.b.result}c")[:-1] + ", after: [b]}",
    ]
    inner = f"[{told('i', '${str(index)}')}, {told('j', '${nodes.i.result}${nodes.c.result}')}]"
    again = "{id: again, switch: [{when: '${n < 2}', goto: inc}, {else: check}]}"
    check = "{id: check, switch: [{when: \"${nodes.j.result + nodes.deep.result == '1ddbcd'}\", goto: z}]}"
    lines = f"{{id: dag, graph: {{nodes: [{', '.join(nodes)}]}}}}, {{id: f, foreach: [1, 2], line: {inner}}}"
    return f"[{count}, {lines}, {again}, {check}, {node(log, 'z')}]"


def sub_flow(log: Path) -> str:
    """Return a flow that enters another one."""
    (log.parent / "sub.yaml").write_text(f"flow: sub\nline: [{node(log, 'i')}, {node(log, 'j')}]\n", encoding="utf-8")
    return f"[{node(log, 'a')}, {{id: s, flow: ./sub.yaml}}, {node(log, 'z')}]"


def times(log: Path) -> str:
    """Return nodes that wait for a time."""
    return f"[{node(log, 'a')}, {{id: d, delay: 10ms}}, {{id: u, until: '2020-01-01T00:00:00Z'}}, {node(log, 'z')}]"


def handler(log: Path) -> str:
    """Return a group that fails, and what is done then."""
    told = f"on_failure: {{call: seen.act, with: {{log: {log}, text: told}}}}"
    bad = f"{{id: bad, call: demo.fail, with: {{message: no, times: 9}}, {told}}}"
    return f"[{{id: g, group: [{node(log, 'a')}, {bad}], on_error: skip}}, {node(log, 'z')}]"


def signal(log: Path) -> str:
    """Return a node that waits for a signal."""
    return f"[{node(log, 'a')}, {{id: s, signal: go}}, {node(log, 'z')}]"


def stopped(log: Path) -> str:
    """Return a flow that is stopped as soon as it has begun, and retried."""
    return f"[{node(log, 'a')}, {{id: d, delay: 50ms}}, {node(log, 'z')}]"


LARGE: Final = 70_000
"""Characters of a value that is kept outside its row."""


def large(log: Path) -> str:
    """Return a flow whose values are kept outside the rows: each variable, result and snapshot."""
    write = f"call: seen.act, with: {{log: {log}, text: "
    echo = f"{{id: e, call: demo.echo, with: {{value: '{'v' * LARGE}'}}, set: {{n: '${{result}}'}}}}"
    inside = f'{{id: i, {write}\'${{"i" if len(n) == {LARGE} and len(item) == {LARGE} else "bad"}}\'}}}}'
    items = f"['{'a' * LARGE}', '{'b' * LARGE}']"
    last = f'{{id: z, {write}\'${{"z" if len(nodes.e.result) == {LARGE} else "bad"}}\'}}}}'
    return f"[{node(log, 'a')}, {echo}, {{id: f, foreach: {items}, line: [{inside}]}}, {{id: d, delay: 10ms}}, {last}]"


SHAPES: Final[dict[str, Callable[[Path], str]]] = {
    "chain": chain, "parallel": parallel, "group": group, "switch": switch, "retry": retry, "rounds": rounds,
    "foreach": foreach, "nested": nested, "graph": graph, "loop": loop, "sub_flow": sub_flow, "times": times,
    "handler": handler, "signal": signal, "stopped": stopped,
    "large": large, "asking": asking,
}  # fmt: skip
