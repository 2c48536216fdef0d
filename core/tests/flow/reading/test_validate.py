"""Mistakes in native flows: one wrong file of each kind, with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines.errors import InvalidFlow
from orderlines.flow.load import load_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.errors import Problem
    from orderlines.flow.load import Loaded
    from orderlines.plugins import Registry

    Problems = Callable[..., list[Problem]]
    Mistake = Callable[[str, str, str], Problem]

HEAD = "flow: x\nline:\n"
OK = "{id: z, call: lib.echo, with: {value: 1}}"


def flow(*nodes: str) -> str:
    """Write a flow with one node a line of text, from line 3 on."""
    return HEAD + "".join(f"- {node}\n" for node in nodes)


def call(name: str, more: str = "", value: str = "1") -> str:
    return f"{{id: {name}, call: lib.echo, with: {{value: {value}}}{more}}}"


WRONG = [
    # (text, line, column, path, what the reason or the hint must say)
    ("just text", 1, 1, "$", "mapping"),
    ("a: 1", 1, 1, "$", "neither"),
    ("# nothing\n", 1, 1, "$", "no flow"),
    ("flow: x\n", 1, 1, "$", "'line'"),
    ("line:\n- " + OK, 1, 1, "$", "'flow'"),
    ("flow: a b\nline:\n- " + OK, 1, 7, "$.flow", "name"),
    ("flow: x\nline: []\n", 2, 1, "$.line", "empty list"),
    ("flow: x\nline: 5\n", 2, 7, "$.line", "an integer"),
    ("flow: x\ntimeuot: 3\nline:\n- " + OK, 2, 1, "$.timeuot", "'timeout'"),
    ("flow: x\nversion: 1.5\nline:\n- " + OK, 2, 10, "$.version", "quote"),
    ("flow: x\ntimeout: soon\nline:\n- " + OK, 2, 10, "$.timeout", "no duration"),
    ("flow: x\nexecutor: warp\nline:\n- " + OK, 2, 11, "$.executor", "warp"),
    ("flow: x\nvars: {class: 1}\nline:\n- " + OK, 2, 8, "$.vars.class", "class"),
    ("flow: x\nvars: {__class__: 1}\nline:\n- " + OK, 2, 8, "$.vars.__class__", "underscores"),
    ("flow: x\nvars: {nodes: 1}\nline:\n- " + OK, 2, 8, "$.vars.nodes", "already means"),
    ("flow: x\nvars: {\uff4e: 1}\nline:\n- " + OK, 2, 8, "$.vars.\uff4e", "looks like 'n'"),
    ("flow: x\nvars: {a-b: 1}\nline:\n- " + OK, 2, 8, "$.vars['a-b']", "no name"),
    ("flow: x\ntypes: {n: number}\nline:\n- " + OK, 2, 12, "$.types.n", "int"),
    ("flow: x\ntypes: {n: int}\nvars: {n: one}\nline:\n- " + OK, 3, 11, "$.vars.n", "type int"),
    ("flow: x\non_failure: {call: lib.nope}\nline:\n- " + OK, 2, 20, "$.on_failure.call", "nope"),
    ("flow: x\non_failure: {call: lib.report, with: {node: a}}\nline:\n- " + OK, 2, 32, "$.on_failure.with", "message"),
    ("flow: x\non_failure: {call: lib.echo, with: {value: '${who}'}}\nline:\n- " + OK, 2, 44,
     "$.on_failure.with.value", "who"),
    (flow("5"), 3, 3, "$.line[0]", "mapping"),
    (flow("{call: lib.echo, with: {value: 1}}"), 3, 3, "$.line[0]", "no id"),
    (flow("{id: [1], call: lib.echo, with: {value: 1}}"), 3, 4, "$.line[0].id", "id"),
    (flow("{id: a/b, call: lib.echo, with: {value: 1}}"), 3, 8, "$.line[0].id", "slash"),
    (flow("{id: '~a', call: lib.echo, with: {value: 1}}"), 3, 8, "$.line[0].id", "no ~ at its beginning"),
    (flow("{id: p, parallel: {lines: {'~a': [" + OK + "]}}}"), None, None, "$.line[0].parallel.lines['~a']", "no ~"),
    (flow("{id: a}"), 3, 3, "$.line[0]", "no type"),
    (flow("{id: a, cal: lib.echo}"), 3, 11, "$.line[0].cal", "'call'"),
    (flow("{id: a, c\u0430ll: lib.echo}"), 3, 11, "$.line[0].c\u0430ll", "CYRILLIC"),
    (flow("{id: a, call: lib.echo, with: {value: 1}, tiemout: 3}"), 3, 45, "$.line[0].tiemout", "'timeout'"),
    (flow("{id: a, call: lib.echo, with: {value: 1}, group: [" + OK + "]}"), 3, 45, "$.line[0].group", "one type"),
    (flow("{id: a, group: [" + OK + "], executor: process}"), None, None, "$.line[0].executor", "does not take"),
    (flow(call("a"), call("a")), 4, 8, "$.line[1].id", "'a' is there twice"),
    (flow(call("a", ", next: nope")), 3, 51, "$.line[0].next", "'nope'"),
    (flow(call("a", ", on_error: {goto: nope}")), 3, 62, "$.line[0].on_error.goto", "'nope'"),
    (flow("{id: a, switch: [{when: true, goto: nope}, {else: end}]}"), 3, 39, "$.line[0].switch[0].goto", "'nope'"),
    (flow("{id: a, switch: [{when: true, goto: end}, {else: nope}]}"), 3, 52, "$.line[0].switch[1].else", "'nope'"),
    (flow("{id: g, group: [" + call("i") + "]}", call("a", ", next: i")), 4, 51, "$.line[1].next", "another line"),
    (flow(call("a", ", next: c"), call("b"), call("c")), 4, 3, "$.line[1]", "nothing leads to the node 'b'"),
    (flow(call("a"), call("b", ", next: a")), 4, 3, "$.line[1]", "without an exit"),
    (flow(call("a", ", next: a")), 3, 3, "$.line[0]", "without an exit"),
    (flow("{id: a, call: 3}"), 3, 17, "$.line[0].call", "a text, not an integer"),
    (flow("{id: a, call: ''}"), 3, 17, "$.line[0].call", "an empty one"),
    (flow("{id: a, call: echo}"), 3, 17, "$.line[0].call", "LIBRARY.COMPONENT"),
    (flow("{id: a, call: nope.echo}"), 3, 17, "$.line[0].call", "nope"),
    (flow("{id: a, call: lib.ech, with: {value: 1}}"), 3, 17, "$.line[0].call", "echo"),
    (flow(call("a", ", executor: warp")), 3, 55, "$.line[0].executor", "warp"),
    (flow("{id: p, parallel: {executor: warp, lines: {a: [" + OK + "]}}}"),
     3, 32, "$.line[0].parallel.executor", "warp"),
    (flow(call("a", ", queue: g/pu")), 3, 52, "$.line[0].queue", "cannot be the name of a queue"),
    (flow(call("a", ", on_error: pray")), 3, 55, "$.line[0].on_error", "pray"),
    (flow(call("a", ", on_error: [skip]")), 3, 45, "$.line[0].on_error", "names no strategy"),
    (flow(call("a", ", on_crash: ignore")), 3, 55, "$.line[0].on_crash", "rerun"),
    (flow("{id: a, call: lib.add, with: {a: 1}}"), 3, 26, "$.line[0].with", "'b' is missing"),
    (flow("{id: a, call: lib.add}"), 3, 11, "$.line[0].call", "'a' is missing"),
    (flow("{id: a, call: lib.echo, with: {value: 1, valeu: 2}}"), 3, 44, "$.line[0].with.valeu", "'valeu'"),
    (flow("{id: a, call: lib.add, with: {a: 1, b: two}}"), 3, 42, "$.line[0].with.b", "int"),
    (flow("{id: a, call: lib.add, with: {a: true, b: 2}}"), 3, 36, "$.line[0].with.a", "int"),
    (flow("{id: a, call: lib.echo, with: [1]}"), None, None, "$.line[0].with", "mapping"),
    (flow(call("a", value='"${1 +}"')), 3, 41, "$.line[0].with.value", "expression is wrong"),
    (flow(call("a", value='"${().__class__}"')), 3, 41, "$.line[0].with.value", "expression is wrong"),
    (flow(call("a", value='"${nobody}"')), 3, 41, "$.line[0].with.value", "'nobody'"),
    (flow(call("a", value='"${result}"')), 3, 41, "$.line[0].with.value", "'result'"),
    (flow(call("a", value='"${error.node}"')), 3, 41, "$.line[0].with.value", "'error'"),
    (flow(call("a", value='"${run.nmae}"')), 3, 41, "$.line[0].with.value", "started"),
    (flow(call("a"), call("b", value='"${nodes.a.reslt}"')), 4, 41, "$.line[1].with.value", "result, status, error"),
    (flow(call("a", value='"${nodes.nope.result}"')), 3, 41, "$.line[0].with.value", "no node 'nope'"),
    (flow(call("a", value='"${nodes.b.result}"'), call("b")), 3, 41, "$.line[0].with.value", "cannot have come before"),
    (flow(call("a", value='"${nodes.a.result}"')), 3, 41, "$.line[0].with.value", "cannot have come before"),
    (flow(call("a", value='"${v}"'), call("b", ", set: {v: 1}")), 3, 41,
     "$.line[0].with.value", "can have come before"),
    (flow(call("a", ", set: {v: '${v}'}")), 3, 54, "$.line[0].set.v", "can have come before"),
    (flow(call("a", ", set: {result: 1}")), 3, 51, "$.line[0].set.result", "already means"),
    (flow(call("a", ", set: {v: 1}, types: {w: int}")), 3, 66, "$.line[0].types.w", "does not set"),
    (flow(call("a", ", types: {w: int}")), 3, 53, "$.line[0].types.w", "does not set"),
    (flow("{id: a, limit: 3, parallel: {lines: {a: [" + OK + "]}}}"), 3, 11, "$.line[0].limit", "parallel: {limit: "),
    (flow("{id: a, executor: process, graph: {nodes: [" + OK + "]}}"), 3, 11, "$.line[0].executor", "it stands inside"),
    (flow(call("a", ", after: [b]")), 3, 45, "$.line[0].after", "only the nodes of a `graph`"),
    (flow(call("a", ", on_error: goto")), 3, 55, "$.line[0].on_error", "{goto: NODE}"),
    (flow("{id: u, until: tomorrow}"), 3, 18, "$.line[0].until", "'tomorrow' is no moment"),
    (flow(call("a"), call("b", value="'${nodes[run.flow].result}'")), 4, 41, "$.line[1].with.value", "nodes.ID.result"),
    (flow(call("a"), call("b", value="'${default(nodes[run.flow].result, 0)}'")), 4, 41,
     "$.line[1].with.value", "nodes.ID.result"),
    ("flow: x\nvars:\n  a: &a {b: 1}\n  c: {<<: *a}\nline:\n- " + OK, 4, 7, "$.vars.c['<<']", "merges nothing"),
    (flow(call("a", ", timeout: -3")), 3, 54, "$.line[0].timeout", "negative"),
    (flow(call("a", ", retry: {times: 1, delay: 5x}")), 3, 70, "$.line[0].retry.delay", "no duration"),
    (flow(call("a", ", timeout: 3, executor: thread")), 3, 54, "$.line[0].timeout", "process or gevent"),
    (flow("{id: p, parallel: {executor: inline, lines: {a: [" + call("a", ", timeout: 1") + "]}}}"), 3, 103,
     "$.line[0].parallel.lines.a[0].timeout", "process or gevent"),
    (flow(call("a", ", enabled: maybe")), 3, 54, "$.line[0].enabled", "true or false"),
    (flow(call("a", ", on_failure: {call: lib.echo, with: {value: '${error.mesage}'}}")), 3, 88,
     "$.line[0].on_failure.with.value", "node, line, type, message"),
    (flow(call("a", ", on_error: {skip: '${error.kind}'}")), 3, 62, "$.line[0].on_error.skip", "error has no 'kind'"),
    (flow(call("a"), call("b", value='"${nodes.a.error.node}"')), 4, 41, "$.line[1].with.value", "type, message"),
    (flow(call("a", ", on_failure: {call: lib.nope}")), 3, 64, "$.line[0].on_failure.call", "nope"),
    (flow(call("a", ", on_failure: {call: lib.echo, wiht: {}}")), None, None, "$.line[0].on_failure.wiht", "'with'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "path", "said"), WRONG, ids=[str(n) for n in range(len(WRONG))])
def test_a_mistake_is_found_where_it_is(
    mistake: Mistake, text: str, line: int | None, column: int | None, path: str, said: str
) -> None:
    found = mistake(text, path, said)
    assert found.hint
    assert found.file == "flow.yaml"
    if line is not None:
        assert (found.line, found.column) == (line, column)


@pytest.mark.parametrize("called", ["3", "''", "[]", "null", "echo", ".echo", "lib."])
def test_what_is_no_name_of_a_component_is_said_once(problems: Problems, called: str) -> None:
    (found,) = problems(flow(f"{{id: a, call: {called}}}"))
    assert found.path == "$.line[0].call"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("flow: x\nexecutor: [process]\nline:\n- " + OK, "$.executor"),
        (flow("{id: p, parallel: {limit: 2}}"), "$.line[0].parallel"),
        (flow("{id: p, parallel: {lines: {}}}"), "$.line[0].parallel.lines"),
        (flow("{id: g, graph: {limit: 2}}"), "$.line[0].graph"),
        (flow("{id: s, switch: {when: true, goto: z}}", OK), "$.line[0].switch"),
        (flow("{id: s, switch: []}", OK), "$.line[0].switch"),
        (flow("{id: s, switch: [{when: true}]}", OK), "$.line[0].switch[0]"),
    ],
)
def test_one_mistake_is_one_problem(problems: Problems, text: str, path: str) -> None:
    (found,) = problems(text)
    assert found.path == path


def test_a_list_without_a_name_is_named_after_its_file(load: Callable[..., Loaded]) -> None:
    nodes = '[{"task_id": 1, "task_type": "start", "next_id": null}]'
    for file, name in (("my odd (flow).v2.json", "my_odd__flow_.v2"), ("a/b.c/x.json", "x"), ("n" * 300, "n" * 200)):
        assert load(nodes, file).flow.name == name
        assert load(f'{{"nodes": {nodes}}}', file).flow.name == name


def test_a_list_of_nodes_is_the_original_notation(problems: Problems) -> None:
    assert any("start" in problem.reason for problem in problems("[]"))


def test_all_mistakes_are_found_at_once_and_in_order(problems: Problems) -> None:
    found = problems("""\
        flow: x
        vars: {result: 1}
        line:
        - {id: a, call: lib.add, with: {a: 1, c: 3}, next: nope}
        - {id: a, call: lib.echo, with: {value: "${who}"}, timeout: 5x, executor: warp}
        - {id: b, cal: lib.echo}
    """)
    assert [(problem.line, problem.path) for problem in found] == [
        (2, "$.vars.result"),
        (4, "$.line[0].with"),
        (4, "$.line[0].with.c"),
        (4, "$.line[0].next"),
        (5, "$.line[1].id"),
        (5, "$.line[1].with.value"),
        (5, "$.line[1].timeout"),
        (5, "$.line[1].executor"),
        (6, "$.line[2].cal"),
    ]


def test_places_in_json(problems: Problems) -> None:
    (found,) = problems(
        '{"flow": "x",\n "line": [\n  {"id": "a", "call": "lib.add",\n   "with": {"a": 1, "b": "two"}}]}', "f.json"
    )
    assert (found.line, found.column, found.path, found.file) == (4, 26, "$.line[0].with.b", "f.json")
    assert str(found).startswith("f.json:4:26: error: $.line[0].with.b: ")


def test_one_mistake_made_often_hides_no_other(registry: Registry) -> None:
    nodes = [f"{{id: n{number}, call: nowhere.echo}}" for number in range(200)]
    with pytest.raises(InvalidFlow) as caught:
        load_text(flow(*nodes[:150], "{id: odd, call: lib.ecko, with: {value: 1}}", *nodes[150:]), registry)
    assert len(caught.value.problems) == 201
    told = str(caught.value).splitlines()
    assert [line.split(": ")[2] for line in told] == [
        "$.line[0].call", "$.line[1].call", "$.line[2].call", "$.line[150].call", "$.line[200].call",
    ]  # fmt: skip
    assert "ecko" in told[3]
    assert told[4].startswith("flow:203:")
    assert "the same here and 196 times before it: there is no component library 'nowhere'" in told[4]
    assert "orderlines validate --json" in told[4]


@pytest.mark.parametrize("count", [3, 4])
def test_a_few_of_one_mistake_are_told_in_full(registry: Registry, count: int) -> None:
    nodes = [f"{{id: n{number}, call: nowhere.echo}}" for number in range(count)]
    with pytest.raises(InvalidFlow) as caught:
        load_text(flow(*nodes), registry)
    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
    assert len(caught.value.problems) == count


def test_a_thousand_problems_are_enough(registry: Registry) -> None:
    with pytest.raises(InvalidFlow) as caught:
        load_text(flow(*(f"{{id: n{n}}}" for n in range(1500))), registry)
    assert len(caught.value.problems) == 1000


GOOD = [
    flow(call("a"), call("b", value='"${nodes.a.result} ${run.id} ${run.flow} ${run.started}"')),
    flow(call("a", ", set: {v: '${result}'}"), call("b", value='"${v}"')),
    flow(call("a", value='"${default(v, 1)}"'), call("b", ", set: {v: 1}")),
    flow(call("a"), "{id: s, switch: [{when: true, goto: a}, {else: end}]}"),
    # in a loop, what stands behind can have come before
    flow(call("a", value='"${v} ${nodes.b.result}"'), call("b", ", set: {v: 1}"),
     "{id: s, switch: [{when: true, goto: a}, {else: end}]}"),
    # either branch of a gateway
    flow("{id: s, switch: [{when: true, goto: a}, {else: b}]}", call("a", ", set: {v: 1}, next: c"),
     call("b"), call("c", value='"${v} ${nodes.b.status}"')),
    # joined lines, and lines around
    flow(call("a", ", set: {u: 1}"), "{id: g, group: ["
     + call("i", ", set: {v: 1}", '"${u} ${nodes.a.result}"') + "], set: {w: '${nodes.i.result}'}}",
         call("b", value='"${v} ${w} ${nodes.i.result} ${nodes.g.result}"')),
    flow(call("a", ", on_error: {goto: c}"), call("b", ", next: end"), call("c", value='"${nodes.a.error.message}"')),
    "flow: x\ntypes: {v: int}\nline:\n- " + call("a", value='"${v}"'),
    "flow: x\non_failure: {call: lib.report, with: null}\nline:\n- " + OK,
    ("flow: x\non_failure: {call: lib.echo, with: {value: '${error.node} ${nodes.z.status} ${v}'}}"
     "\nline:\n- {id: z, call: lib.echo, with: {value: 1}, set: {v: 1}}"),
    flow(call("a", ", on_failure: {call: lib.echo, with: {value: '${error.message}'}}")),
    flow(call("a", ", timeout: 1s"), "{id: f, call: lib.fetch, with: {url: u}, timeout: 1s, executor: gevent}"),
    flow(call("a"), "{id: e, end: null}"),
    flow(call("a", ", next: end")),
    'flow: x\nvars: {v: {"<<": 1}}\nline:\n- ' + OK,
    flow(call("a-b"), call("b", value="\"${nodes['a-b'].result}\"")),
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD, ids=[str(n) for n in range(len(GOOD))])
def test_what_is_right_is_not_found_wrong(load: Callable[..., Loaded], text: str) -> None:
    assert load(text).warnings == ()


def test_siblings_do_not_see_each_other(problems: Problems) -> None:
    lines = f"a: [{call('a', ', set: {v: 1}')}], b: [{call('b', value=chr(34) + '${v} ${nodes.a.result}' + chr(34))}]"
    found = problems(flow("{id: p, parallel: {executor: process, lines: {" + lines + "}}}"))
    assert {problem.path for problem in found} == {"$.line[0].parallel.lines.b[0].with.value"}
    assert len(found) == 2


def test_two_lines_that_set_the_same_variable_are_a_warning(load: Callable[..., Loaded]) -> None:
    lines = f"a: [{call('a', ', set: {v: 1}')}], b: [{call('b', ', set: {v: 1}')}]"
    (warning,) = load(flow("{id: p, parallel: {executor: process, lines: {" + lines + "}}}")).warnings
    assert warning.warning
    assert warning.path == "$.line[0].parallel.lines.b[0].set.v"


@pytest.mark.parametrize(
    ("executor", "warned"), [(None, True), ("inline", True), ("gevent", False), ("process", False)]
)
def test_parallel_lines_on_inline_are_a_warning(
    load: Callable[..., Loaded], executor: str | None, *, warned: bool
) -> None:
    text = flow(f"{{id: p, parallel: {{lines: {{a: [{call('a')}], b: [{call('b')}]}}}}}}")
    warnings = load(text, executor=executor).warnings
    assert [warning.path for warning in warnings] == (["$.line[0].parallel"] if warned else [])


def test_a_timeout_that_nothing_installed_can_keep(bare: Registry) -> None:
    with pytest.raises(InvalidFlow) as caught:
        load_text(flow(call("a", ", timeout: 3")), bare)
    (problem,) = caught.value.problems
    assert problem.path == "$.line[0].timeout"
    assert "orderlines-executor-process" in problem.hint


def test_a_wide_flow_and_a_long_one_are_read_in_one_go(registry: Registry) -> None:
    chain = (call(f"n{n}", ", set: {v: '${result}'}", '"${v}"' if n else "1") for n in range(3000))
    assert len(load_text(flow(*chain), registry).flow.line.nodes) == 3000
