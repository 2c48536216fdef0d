"""Loops, graphs, waits and switches in the native notation: what is read, what is canonical, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orderlines.flow.load import from_canonical, load_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.errors import Problem
    from orderlines.flow.load import Loaded
    from orderlines.plugins import Registry

    Load = Callable[..., Loaded]
    Mistake = Callable[[str, str, str], Problem]

HEAD = "flow: x\nvars: {orders: [1], limit: 3}\nline:\n"
ALL = """
flow: all
vars: {orders: [{net: 1, tax: 2}], total: 0}
line:
  - id: each
    foreach: "${orders}"
    as: order
    limit: 20
    on_branch_failure: wait
    timeout: 1m
    line:
      - {id: price, call: lib.add, with: {a: "${order.net}", b: "${item.tax}"}, set: {total: "${result + index}"}}
      - id: inside
        foreach: [1, 2]
        line: [{id: deep, call: lib.echo, with: {value: ["${order}", "${item}", "${index}", "${nodes.price.result}"]}}]
    set: {prices: "${result}"}
    on_error: {skip: [1]}
  - id: any-dag
    graph:
      limit: 4
      nodes:
        - {id: z, call: lib.echo, with: {value: "${nodes.x.result + nodes.y.result + seen}"}, after: [5, y]}
        - {id: x, call: lib.echo, with: {value: 1}, set: {seen: 2}}
        - {id: y, call: lib.echo, with: {value: "${nodes.x.result}"}, after: [x], set: {seen: 3}}
        - id: 5
          after: [y]
          group: [{id: g, call: lib.echo, with: {value: "${nodes['x'].result}"}}]
  - {id: nap, delay: 5m}
  - {id: dawn, until: "2027-01-01T00:00:00+08:00"}
  - {id: asked, signal: approved, timeout: 2d, set: {by: "${result.by}"}}
  - id: again
    switch: [{when: "${total < 3 and by != 'ana'}", goto: each}, {else: end}]
    max_visits: 5
"""


def flow(*nodes: str) -> str:
    """Write a flow with one node a line of text, from line 4 on."""
    return HEAD + "".join(f"- {node}\n" for node in nodes)


def call(name: str, more: str = "", value: str = "1") -> str:
    return f"{{id: {name}, call: lib.echo, with: {{value: {value}}}{more}}}"


def graph(*nodes: str) -> str:
    return f"{{id: dag, graph: {{nodes: [{', '.join(nodes)}]}}}}"


def test_every_construct_is_read(load: Load, registry: Registry) -> None:
    loaded = load(ALL)
    nodes = {node.id: node for node in loaded.flow.line.nodes}
    assert [node.type for node in nodes.values()] == [
        "foreach", "graph", "delay", "until", "signal", "process_control",
    ]  # fmt: skip
    each, dag = nodes["each"], nodes["any-dag"]
    ((name, line),) = registry.node_type("foreach").blocks(each.settings)
    assert (name, [node.id for node in line.nodes], line.path) == ("item", ["price", "inside"], ("line", 0, "line"))
    members = registry.node_type("graph").blocks(dag.settings)
    assert [name for name, _ in members] == ["z", "x", "y", "5"]
    assert [len(block.nodes) for _, block in members] == [1, 1, 1, 1]
    assert members[3][1].nodes[0].path == ("line", 1, "graph", "nodes", 3)
    assert registry.node_type("graph").after(dag.settings) == {0: (2, 3), 2: (1,), 3: (2,)}
    assert nodes["again"].settings["max_visits"] == 5
    assert nodes["asked"].timeout == 172800
    assert [warning.reason for warning in loaded.warnings if "set the variable" in warning.reason] == []


def test_the_canonical_form_holds_no_defaults(load: Load, registry: Registry) -> None:
    data: Any = load(ALL).flow.data
    each, dag, nap, _, asked, again = data["line"]
    assert list(each) == [
        "id", "foreach", "as", "limit", "on_branch_failure", "line", "set", "timeout", "on_error",
    ]  # fmt: skip
    assert dag["graph"]["nodes"][0]["after"] == ["5", "y"]
    assert dag["graph"]["nodes"][3] == {
        "id": "5",
        "group": [{"id": "g", "call": "lib.echo", "with": {"value": "${nodes['x'].result}"}}],
        "after": ["y"],
    }
    assert (nap["delay"], asked["timeout"], again["max_visits"]) == (300, 172800, 5)
    assert load_data(data, registry).flow == load(ALL).flow == from_canonical(data, registry)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("{id: f, foreach: [1], line: [" + call("a") + "]}",
         "{id: f, foreach: [1], as: item, limit: 100, on_branch_failure: stop, line: [" + call("a") + "]}"),
        (graph(call("a")), "{id: dag, graph: {on_branch_failure: stop, nodes: [" + call("a") + "]}}"),
        ("{id: p, parallel: {lines: {a: [" + call("a") + "]}}}",
         "{id: p, parallel: {on_branch_failure: stop, lines: {a: [" + call("a") + "]}}}"),
        ("{id: s, switch: [{else: end}]}", "{id: s, switch: [{else: end}], max_visits: 1000}"),
        ("{id: d, delay: 90}", "{id: d, delay: 1m30s}"),
    ],
)  # fmt: skip
def test_a_default_said_is_a_default_left_out(load: Load, short: str, long: str) -> None:
    assert load(flow(short)).flow.digest == load(flow(long)).flow.digest


WRONG = [
    # (text, line, column, path, what the reason or the hint must say)
    (flow("{id: f, foreach: [1]}"), 4, 3, "$.line[0]", "'line' is missing"),
    (flow("{id: f, foreach: orders, line: [" + call("a") + "]}"), 4, 20, "$.line[0].foreach", "a list, not a text"),
    (flow("{id: f, foreach: {a: 1}, line: [" + call("a") + "]}"), 4, 11, "$.line[0].foreach", "a list, not a mapping"),
    (flow("{id: f, foreach: '${nope}', line: [" + call("a") + "]}"), 4, 20, "$.line[0].foreach", "'nope'"),
    (flow("{id: f, foreach: [1], line: []}"), 4, 25, "$.line[0].line", "empty list"),
    (flow("{id: f, foreach: [1], as: a b, line: [" + call("a") + "]}"), 4, 29, "$.line[0].as", "no name"),
    (flow("{id: f, foreach: [1], as: nodes, line: [" + call("a") + "]}"), 4, 29, "$.line[0].as", "already means"),
    (flow("{id: f, foreach: [1], limit: 0, line: [" + call("a") + "]}"), 4, 32, "$.line[0].limit", "at least 1"),
    (flow("{id: f, foreach: [1], limit: -3, line: [" + call("a") + "]}"), 4, 32, "$.line[0].limit", "too small"),
    (flow("{id: f, foreach: [1], on_branch_failure: hope, line: [" + call("a") + "]}"), 4, 44,
     "$.line[0].on_branch_failure", "stop, wait"),
    (flow("{id: f, foreach: [1], lien: [], line: [" + call("a") + "]}"), 4, 25, "$.line[0].lien", "'line'"),
    (flow("{id: f, foreach: [1], executor: process, line: [" + call("a") + "]}"), 4, 25,
     "$.line[0].executor", "does not take"),
    (flow("{id: f, foreach: [1], line: [" + call("a", value="'${order}'") + "]}"), 4, 70,
     "$.line[0].line[0].with.value", "'order'"),
    (flow("{id: f, foreach: [1], as: order, line: [" + call("a") + "]}", call("b", value="'${order}'")), 5, 41,
     "$.line[1].with.value", "'order'"),
    (flow(call("a", value="'${item}'")), 4, 41, "$.line[0].with.value", "'item'"),
    (flow(call("a", value="'${index}'")), 4, 41, "$.line[0].with.value", "'index'"),
    (flow("{id: f, foreach: [1], line: [" + call("a", ", set: {index: 1}") + "]}"), 4, 80,
     "$.line[0].line[0].set.index", "already means"),
    (flow(call("a", ", as: b")), 4, 45, "$.line[0].as", "unknown key 'as'"),
    (flow(call("a", ", line: []")), 4, 45, "$.line[0].line", "unknown key 'line'"),
    (flow("{id: dag, graph: {}}"), 4, 13, "$.line[0].graph", "'nodes' is missing"),
    (flow("{id: dag, graph: []}"), 4, 13, "$.line[0].graph", "must be a mapping"),
    (flow("{id: dag, graph: {nodes: []}}"), 4, 21, "$.line[0].graph.nodes", "empty list"),
    (flow("{id: dag, graph: {nodes: [5]}}"), 4, 29, "$.line[0].graph.nodes[0]", "mapping"),
    (flow(graph(call("a", ", after: b"), call("b"))), 4, 78, "$.line[0].graph.nodes[0].after", "list of ids"),
    (flow(graph(call("a", ", after: [nope]"))), 4, 79, "$.line[0].graph.nodes[0].after[0]", "'nope'"),
    (flow(graph(call("a", ", after: [a]"))), 4, 79, "$.line[0].graph.nodes[0].after[0]", "after itself"),
    (flow(graph(call("a", ", after: [c]"), call("b", ", after: [a]"), call("c", ", after: [b]"))), 4, 71,
     "$.line[0].graph.nodes[0].after", "'a' after 'c' after 'b' after 'a'"),
    (flow(call("q"), graph(call("a", ", after: [q]"))), 5, 79, "$.line[1].graph.nodes[0].after[0]", "in this graph"),
    (flow(graph(call("a"), call("a"))), None, None, "$.line[0].graph.nodes[1].id", "twice"),
    (flow(graph(call("a", ", next: b"), call("b"))), 4, 77, "$.line[0].graph.nodes[0].next", "another line"),
    (flow(graph(call("a", value="'${nodes.b.result}'"), call("b", ", after: [a]"))), 4, 67,
     "$.line[0].graph.nodes[0].with.value", "cannot have come before"),
    (flow(graph(call("a", value="'${nodes.b.result}'"), call("b"))), 4, 67,
     "$.line[0].graph.nodes[0].with.value", "cannot have come before"),
    (flow(graph(call("a", value="'${v}'"), call("b", ", set: {v: 1}"))), 4, 67,
     "$.line[0].graph.nodes[0].with.value", "can have come before"),
    (flow("{id: p, parallel: {lines: {'a/b': [" + call("a") + "]}}}"), 4, 30,
     "$.line[0].parallel.lines['a/b']", "no slash"),
    (flow("{id: p, parallel: {lines: {'a#2': [" + call("a") + "]}}}"), 4, 30,
     "$.line[0].parallel.lines['a#2']", "are always good"),
    (flow("{id: p, parallel: {lines: {' a': [" + call("a") + "]}}}"), 4, 30,
     "$.line[0].parallel.lines[' a']", "no space around it"),
    (flow("{id: p, parallel: {lines: {'': [" + call("a") + "]}}}"), 4, 30,
     "$.line[0].parallel.lines['']", "an empty text"),
    (flow("{id: d, delay: soon}"), 4, 18, "$.line[0].delay", "no duration"),
    (flow("{id: d, delay: -5s}"), 4, 18, "$.line[0].delay", "negative"),
    (flow("{id: d, delay: '${later}'}"), 4, 18, "$.line[0].delay", "'later'"),
    (flow("{id: d, delay: 5s, timeout: 3s}"), 4, 22, "$.line[0].timeout", "does not take"),
    (flow("{id: d, delay: 5s, until: '2027-01-01T00:00:00Z'}"), 4, 22, "$.line[0].until", "one type"),
    (flow("{id: d, until: 5}"), 4, 18, "$.line[0].until", "must be a text"),
    (flow("{id: d, until: tomorrow}"), 4, 18, "$.line[0].until", "a zone"),
    (flow("{id: d, until: '2027-01-01T00:00:00'}"), 4, 18, "$.line[0].until", "no zone"),
    (flow("{id: d, signal: [a]}"), 4, 11, "$.line[0].signal", "must be a text"),
    (flow("{id: d, signal: a, timeout: never}"), 4, 31, "$.line[0].timeout", "no duration"),
    (flow("{id: s, switch: [{else: end}], max_visits: 0}"), 4, 46, "$.line[0].max_visits", "at least 1"),
    (flow("{id: s, switch: [{else: end}], max_visits: often}"), 4, 46, "$.line[0].max_visits", "integer"),
    (flow("{id: s, switch: [{when: true}]}"), 4, 20, "$.line[0].switch[0]", "'goto' is missing"),
    (flow("{id: s, switch: [{goto: end}]}"), 4, 20, "$.line[0].switch[0]", "'when' is missing"),
    (flow("{id: s, switch: [{id: q, end: null}]}"), 4, 20, "$.line[0].switch[0]", "'when' is missing"),
    (flow("{id: s, switch: [else, {else: end}]}"), 4, 20, "$.line[0].switch[0]", "must be a mapping"),
    (flow("{id: f, flow: 'a b'}"), 4, 17, "$.line[0].flow", "./other.yaml"),
    (flow("{id: f, flow: '${limit}'}"), 4, 17, "$.line[0].flow", "cannot be chosen by an expression"),
    (flow("{id: f, flow: ./nope.yaml}"), 4, 17, "$.line[0].flow", "no file ./nope.yaml"),
    (flow("{id: f, flow: other, with: {a: '${nope}'}}"), 4, 34, "$.line[0].with.a", "'nope'"),
    (HEAD.replace("line:", "flows: {other: 5}\nline:") + "- {id: f, flow: other}", 3, 16, "$.flows.other", "digest"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "path", "said"), WRONG, ids=[str(n) for n in range(len(WRONG))])
def test_a_mistake_is_found_where_it_is(
    mistake: Mistake, text: str, line: int | None, column: int | None, path: str, said: str
) -> None:
    found = mistake(text, path, said)
    if line is not None:
        assert (found.line, found.column) == (line, column)


def test_of_several_lines_that_set_one_variable_the_one_that_wins_is_named(load: Load) -> None:
    sets = ", set: {v: 1}"
    for nodes, last in [
        ([call("a", sets), call("b", sets), call("c", sets)], "c"),
        ([call("a", sets), call("c", sets + ", after: [d]"), call("b", sets), call("d", sets)], "b"),
        ([call("a", sets + ", after: [b]"), call("b", sets), call("c", sets + ", after: [b]")], "c"),
    ]:
        (warning,) = [each for each in load(flow(graph(*nodes))).warnings if "set the variable" in each.reason]
        assert warning.reason.endswith(f"that of {last!r} wins")


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        (flow(graph(call("a", ", set: {v: 1}"), call("b", ", set: {v: 1}"))), True),
        (flow(graph(call("a", ", set: {v: 1}"), call("b", ", set: {v: 1}, after: [a]"))), False),
        (flow(graph(call("b", ", set: {v: 1}, after: [m]"), call("m", ", after: [a]"), call("a", ", set: {v: 1}"))),
         False),
        (flow("{id: f, foreach: [1], line: [" + call("a", ", set: {v: 1}") + "]}"), False),
    ],
)  # fmt: skip
def test_two_lines_that_set_one_variable_are_warned_of_unless_ordered(load: Load, text: str, warned: bool) -> None:
    reasons = [warning.reason for warning in load(text).warnings]
    assert any("set the variable 'v'" in reason for reason in reasons) == warned


def test_an_item_that_hides_a_variable_is_warned_of(load: Load) -> None:
    (warning,) = load(flow("{id: f, foreach: [1], as: limit, line: [" + call("a", value="'${limit}'") + "]}")).warnings
    assert "'limit' is not the variable" in warning.reason


@pytest.mark.parametrize("size", [3_000])
def test_a_long_chain_in_a_graph_is_read_without_recursion(registry: Registry, size: int) -> None:
    nodes: list[dict[str, Any]] = [{"id": "n0", "call": "lib.echo", "with": {"value": 1}}]
    nodes += [
        {"id": f"n{n}", "call": "lib.echo", "with": {"value": f"${{nodes.n{n - 1}.result}}"}, "after": [f"n{n - 1}"]}
        for n in range(1, size)
    ]
    loaded = load_data({"flow": "x", "line": [{"id": "dag", "graph": {"nodes": nodes}}]}, registry)
    kind = registry.node_type("graph")
    assert len(kind.after(loaded.flow.line.nodes[0].settings)) == size - 1
