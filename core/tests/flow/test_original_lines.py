"""Linked lists turned into lines."""

from __future__ import annotations

from typing import Any

import pytest


def ids(line: list[dict[str, Any]]) -> list[str]:
    return [node["id"] for node in line]


def nexts(line: list[dict[str, Any]]) -> dict[str, str]:
    return {node["id"]: node["next"] for node in line if "next" in node}


def gate(task: Any, task_id: object, *targets: object, **fields: Any) -> dict[str, Any]:
    conditions = [
        {"task_id": target, "condition": [{"condition": "${n}", "sign": "=", "target": i}]}
        for i, target in enumerate(targets)
    ]
    return dict(task(task_id, "process_control", method_kwargs={"conditions": conditions}, **fields))


def test_nodes_stand_in_the_order_in_which_they_lead_to_each_other(task: Any, original: Any) -> None:
    nodes = [task("b", next_id="c"), task("c", "end"), task("s", "start", "b")]
    result = original(nodes)
    assert ids(result.document["line"]) == ["s", "b", "c"]
    assert nexts(result.document["line"]) == {}
    assert result.told.said == []


@pytest.mark.parametrize(("first", "second"), [(1, "1"), ("1", 1)])
def test_ids_are_compared_as_text(first: object, second: object, task: Any, original: Any) -> None:
    result = original([task("s", "start", first), task(second)])
    assert ids(result.document["line"]) == ["s", "1"]
    assert result.told.said == []


def test_a_flow_may_end_at_any_node(task: Any, original: Any) -> None:
    result = original([task("s", "start", "g"), gate(task, "g", "a", "b"), task("a"), task("b")])
    assert ids(result.document["line"]) == ["s", "g", "a", "b"]
    assert nexts(result.document["line"]) == {"a": "end"}


def test_branches_of_a_gateway_join_again(task: Any, original: Any) -> None:
    nodes = [
        task("s", "start", "g"),
        gate(task, "g", "a", "b"),
        task("a", next_id="z"),
        task("b", next_id="z"),
        task("z"),
    ]
    line = original(nodes).document["line"]
    assert ids(line) == ["s", "g", "a", "b", "z"]
    assert nexts(line) == {"a": "z"}


def test_a_gateway_may_lead_back(task: Any, original: Any) -> None:
    nodes = [task("s", "start", "a"), task("a", next_id="g"), gate(task, "g", "a", "z"), task("z")]
    result = original(nodes)
    assert ids(result.document["line"]) == ["s", "a", "g", "z"]
    assert result.told.said == []


def test_a_loop_keeps_its_next(task: Any, original: Any) -> None:
    line = original([task("s", "start", "a"), task("a", next_id="b"), task("b", next_id="a")]).document["line"]
    assert nexts(line) == {"b": "a"}


def parallel(result: Any) -> dict[str, list[dict[str, Any]]]:
    lines = result.document["line"][1]["parallel"]["lines"]
    assert isinstance(lines, dict)
    return lines


def split(task: Any, members: list[object], *nodes: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    gateway = task("p", "parallel", "z", method_kwargs={"parallel_task_ids": members}, **fields)
    return [task("s", "start", "p"), gateway, *nodes, task("z", "end")]


def test_plain_members_are_split_into_chains(task: Any, original: Any) -> None:
    nodes = split(task, ["b", "a", "c", "d"], task("a", next_id="b"), task("b"), task("c"), task("d", prev_id="c"))
    result = original(nodes)
    assert {name: ids(line) for name, line in parallel(result).items()} == {"a": ["a", "b"], "c": ["c", "d"]}
    assert result.told.said == []


def test_a_chain_ends_where_the_gateway_goes_on(task: Any, original: Any) -> None:
    result = original(split(task, ["a", "b"], task("a", next_id="b"), task("b", next_id="z")))
    assert {name: ids(line) for name, line in parallel(result).items()} == {"a": ["a", "b"]}
    assert result.told.said == []


def test_a_chain_that_leads_out_ends_with_a_warning(task: Any, original: Any) -> None:
    result = original(split(task, ["a", "b"], task("a", next_id="s"), task("b")))
    assert {name: ids(line) for name, line in parallel(result).items()} == {"a": ["a"], "b": ["b"]}
    assert result.told.warnings == ["next_id of a leads to s, out of node p; the line ends at a"]


def test_what_only_a_branch_leads_to_belongs_to_it(task: Any, original: Any) -> None:
    nodes = split(task, ["a", "b"], gate(task, "a", "x", "y"), task("x", next_id="w"), task("y"), task("w"), task("b"))
    result = original(nodes)
    lines = parallel(result)
    assert {name: ids(line) for name, line in lines.items()} == {"a": ["a", "x", "w", "y"], "b": ["b"]}
    assert nexts(lines["a"]) == {"w": "end"}
    assert result.told.said == []


def test_a_gateway_inside_a_branch_joins_there(task: Any, original: Any) -> None:
    nodes = [task("x", next_id="w"), task("y", next_id="w"), task("w")]
    result = original(split(task, ["a", "x", "y", "w"], gate(task, "a", "x", "y"), *nodes))
    lines = parallel(result)
    assert {name: ids(line) for name, line in lines.items()} == {"a": ["a", "x", "y", "w"]}
    assert nexts(lines["a"]) == {"x": "w"}


def test_members_in_a_circle_are_one_line(task: Any, original: Any) -> None:
    result = original(split(task, ["a", "b"], task("a", next_id="b"), task("b", next_id="a")))
    assert nexts(parallel(result)["a"]) == {"b": "a"}


def test_a_group_runs_its_members_in_order(task: Any, original: Any) -> None:
    group = task("g", "group", method_kwargs={"group_ids": ["b", "a"]})
    result = original([task("s", "start", "g"), group, task("a", next_id="b"), task("b")])
    assert ids(result.document["line"][1]["group"]) == ["b", "a"]
    assert nexts(result.document["line"][1]["group"]) == {}
    assert result.told.warnings == ["next_id of a names b, but the order of node g's members decides"]


def test_a_gateway_inside_a_group_decides(task: Any, original: Any) -> None:
    group = task("g", "group", method_kwargs={"group_ids": ["c", "a", "b", "z"]})
    members = [gate(task, "c", "a", "b"), task("a", next_id="z"), task("b"), task("z")]
    line = original([task("s", "start", "g"), group, *members]).document["line"][1]["group"]
    assert ids(line) == ["c", "a", "b", "z"]
    assert nexts(line) == {"a": "z"}


def test_groups_and_parallels_may_stand_inside_each_other(task: Any, original: Any) -> None:
    outer = task("g", "group", method_kwargs={"group_ids": ["p"]})
    inner = task("p", "parallel", method_kwargs={"parallel_task_ids": ["h", "x"]})
    deepest = task("h", "group", method_kwargs={"group_ids": ["y"]})
    result = original([task("s", "start", "g"), outer, inner, deepest, task("x"), task("y")])
    lines = result.document["line"][1]["group"][0]["parallel"]["lines"]
    assert ids(lines["h"][0]["group"]) == ["y"]
    assert ids(lines["x"]) == ["x"]
    assert result.told.said == []


REFUSED = {
    "on the flow's line and in a group": (
        [("s", "start", "a"), ("a", "common", "g"), ("g", "group", None)],
        {"g": {"group_ids": ["a"]}},
        "$[2].method_kwargs.group_ids[0]",
        "node a is on the flow's own line",
    ),
    "in two groups": (
        [("s", "start", "g"), ("g", "group", "h"), ("h", "group", None), ("a", "common", None)],
        {"g": {"group_ids": ["a"]}, "h": {"group_ids": ["a"]}},
        "$[2].method_kwargs.group_ids[0]",
        "node a is on a line of node g",
    ),
    "in two branches": (
        [
            ("s", "start", "p"),
            ("p", "parallel", None),
            ("a", "common", "c"),
            ("b", "common", "c"),
            ("c", "common", None),
        ],
        {"p": {"parallel_task_ids": ["a", "b", "c"]}},
        "$[3].next_id",
        "node c is on a line of node p",
    ),
    "twice in one group": (
        [("s", "start", "g"), ("g", "group", None), ("a", "common", None)],
        {"g": {"group_ids": ["a", "a"]}},
        "$[1].method_kwargs.group_ids[1]",
        "names a twice",
    ),
    "inside itself": (
        [("s", "start", "g"), ("g", "group", None)],
        {"g": {"group_ids": ["g"]}},
        "$[1].method_kwargs.group_ids[0]",
        "node g is on the flow's own line",
    ),
    "no members": (
        [("s", "start", "g"), ("g", "group", None)],
        {"g": None},
        "$[1].method_kwargs.group_ids",
        "must be a list",
    ),
    "no start": ([("a", "common", None)], {}, "$", "no node of type start"),
    "an unknown next": ([("s", "start", "nowhere")], {}, "$[0].next_id", "names nowhere, and no node has that id"),
    "an unknown member of a group nothing leads to": (
        [("s", "start", None), ("g", "group", None)],
        {"g": {"group_ids": [4242]}},
        "$[1].method_kwargs.group_ids[0]",
        "names 4242, and no node has that id",
    ),
    "an unknown type": ([("s", "start", "a"), ("a", "wobble", None)], {}, "$[1].task_type", "type 'wobble' of node a"),
    "an id used twice": (
        [("s", "start", "a"), ("a", "common", None), ("a", "common", None)],
        {},
        "$[2].task_id",
        "the id a is used twice: here and at $[1].task_id",
    ),
}


@pytest.mark.parametrize(("nodes", "kwargs", "path", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_a_line_is_refused(
    nodes: list[tuple[str, str, str | None]], kwargs: dict[str, Any], path: str, reason: str, task: Any, original: Any
) -> None:
    document = [task(*node, **({"method_kwargs": kwargs[node[0]]} if node[0] in kwargs else {})) for node in nodes]
    errors = original(document).told.errors
    assert [error.path for error in errors] == [path]
    assert reason in errors[0].reason


def test_a_gateway_may_not_lead_out_of_its_line(task: Any, original: Any) -> None:
    errors = original(split(task, ["a", "b"], gate(task, "a", "s", "b"), task("b"))).told.errors
    assert [error.path for error in errors] == ["$[2].method_kwargs.conditions[0].task_id"]
    assert "node a leads to s" in errors[0].reason


def test_a_gateway_inside_a_line_may_lead_to_what_follows_that_line(task: Any, original: Any) -> None:
    result = original(split(task, ["a", "b"], gate(task, "a", "z", "b"), task("b", next_id="z")))
    switch = parallel(result)["a"][0]["switch"]
    assert [case["goto"] for case in switch] == ["end", "b"]
    assert result.told.said == []


def test_a_line_cannot_end_beside_a_node_that_is_called_end(task: Any, original: Any) -> None:
    nodes = [task("s", "start", "g"), gate(task, "g", "a", "end"), task("a"), task("end", "end")]
    result = original(nodes)
    assert [error.path for error in result.told.errors] == ["$[2]"]


def test_a_node_may_be_called_end(task: Any, original: Any) -> None:
    nodes = [task("s", "start", "g"), gate(task, "g", "a", "b"), task("a", next_id="end"), task("b", next_id="end")]
    result = original([*nodes, task("end", "end")])
    assert nexts(result.document["line"]) == {"a": "end"}
    assert result.told.said == []


def test_gateways_nested_too_deep_are_refused(task: Any, original: Any) -> None:
    groups = [task(i, "group", method_kwargs={"group_ids": [i + 1]}) for i in range(3_000)]
    errors = original([task("s", "start", 0), *groups, task(3_000)]).told.errors
    assert ["nested in more than 20" in error.reason for error in errors] == [True]


PREVIOUS = {
    "itself": ("b", ["prev_id of b names itself"]),
    "an unknown node": ("nowhere", ["prev_id of b names nowhere, and no node has that id"]),
    "a node that leads elsewhere": ("c", ["prev_id of b names c, which does not lead to it"]),
    "one wrong of several": (["a", "c"], ["prev_id of b names c, which does not lead to it"]),
    "no id": ({}, ["prev_id of b is no node's id"]),
    "the right one": ("a", []),
    "the right one in a list": (["a"], []),
    "nothing": (None, []),
    "an empty list": ([], []),
}


@pytest.mark.parametrize(("prev", "warnings"), PREVIOUS.values(), ids=PREVIOUS)
def test_prev_id_only_warns(prev: object, warnings: list[str], task: Any, original: Any) -> None:
    nodes = [task("s", "start", "a"), task("a", next_id="b"), task("b", next_id="c", prev_id=prev), task("c")]
    result = original(nodes)
    assert ids(result.document["line"]) == ["s", "a", "b", "c"]
    assert (result.told.warnings, result.told.errors) == (warnings, [])


def test_a_node_that_nothing_leads_to_is_a_warning_and_checked_all_the_same(task: Any, original: Any) -> None:
    result = original([task("s", "start"), task("a", method_kwargs={"a": "${x}+"})])
    assert result.told.warnings == ["nothing leads to node a"]
    assert [error.path for error in result.told.errors] == ["$[1].method_kwargs.a"]


@pytest.mark.parametrize("task_type", ["end", "process_control"])
def test_a_next_that_has_no_effect_is_a_warning(task_type: str, task: Any, original: Any) -> None:
    last = gate(task, "a", "s") if task_type == "process_control" else task("a", "end")
    told = original([task("s", "start", "a"), {**last, "next_id": "s"}]).told
    assert len(told.warnings) == 1
    assert told.warnings[0].startswith("next_id of a has no effect")


def test_a_hundred_thousand_nodes_are_one_line(task: Any, original: Any) -> None:
    count = 100_000
    nodes = [task(i, next_id=i + 1, prev_id=i - 1) for i in range(1, count)]
    result = original([task(0, "start", 1), *nodes, task(count, "end")])
    assert len(result.document["line"]) == count + 1
    assert result.told.said == []


def test_a_hundred_thousand_members_are_a_hundred_thousand_lines(task: Any, original: Any) -> None:
    count = 100_000
    result = original(split(task, list(range(count)), *(task(i) for i in range(count))))
    assert len(parallel(result)) == count
    assert result.told.said == []
