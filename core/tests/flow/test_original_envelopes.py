"""Envelopes, what they say about the flow, and the canvas."""

from __future__ import annotations

from typing import Any

import pytest

from orderlines.flow.original import is_original

NODES = [{"task_id": 1, "task_type": "start", "next_id": 2}, {"task_id": 2, "task_type": "end"}]
LINE = [{"id": "1", "start": {}}, {"id": "2", "end": {}}]


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (NODES, "stem"),
        ({"task_nodes": NODES}, "stem"),
        ({"process_info": None, "nodes": NODES}, "stem"),
        ({"process_info": {"process_id": 7}, "task_nodes": NODES}, "7"),
        ({"process_info": {"process_id": "7", "process_name": ""}, "process_node": NODES}, "7"),
        ({"process_info": {"process_id": "7", "process_name": "订单-1.a_b"}, "nodes": NODES}, "订单-1.a_b"),
        ({"process_id": "7", "process_name": "a name/..", "node_list": NODES}, "a_name_.."),
    ],
)
def test_every_envelope_is_opened(document: object, name: str, original: Any) -> None:
    result = original(document, "stem")
    assert result.document["flow"] == name
    assert result.document["line"] == LINE
    assert result.told.said == []
    assert is_original(document)


@pytest.mark.parametrize(
    "document", [None, 1, "x", {}, {"flow": "x", "line": []}, {"line": [], "nodes": []}, {"flow": "x", "nodes": []}]
)
def test_other_documents_are_not_in_this_notation(document: object) -> None:
    assert not is_original(document)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (None, "$"),
        ("text", "$"),
        ({}, "$"),
        ({"task_nodes": None}, "$.task_nodes"),
        ({"task_nodes": {}}, "$.task_nodes"),
        ({"task_nodes": NODES, "nodes": NODES}, "$.nodes"),
        ({"process_info": [], "task_nodes": NODES}, "$.process_info"),
        ({"process_info": {"process_name": []}, "task_nodes": NODES}, "$.process_info.process_name"),
        ({"process_info": {"process_config": 1}, "task_nodes": NODES}, "$.process_info.process_config"),
        ([*NODES, 5], "$[2]"),
        ([*NODES, {}], "$[2]"),
        ([*NODES, {"task_id": True, "task_type": "end"}], "$[2].task_id"),
        ([{**NODES[0], "next_id": [1, 2]}, NODES[1]], "$[0].next_id"),
        ({"task_nodes": NODES, "variable": {}}, "$.variable"),
        ({"task_nodes": NODES, "variable": [{"variable_key": "a b"}]}, "$.variable[0].variable_key"),
        (
            {"task_nodes": NODES, "variable": [{"variable_key": "a", "variable_type": "number"}]},
            "$.variable[0].variable_type",
        ),
        (
            {"task_nodes": NODES, "variable": [{"variable_key": "a"}, {"variable_key": "${a}"}]},
            "$.variable[1].variable_key",
        ),
    ],
)
def test_what_has_the_wrong_shape_is_refused_where_it_stands(document: object, path: str, original: Any) -> None:
    assert path in [error.path for error in original(document).told.errors]


def test_what_means_nothing_here_is_kept(original: Any) -> None:
    info: dict[str, Any] = {
        "process_id": "7",
        "process_name": "a b",
        "creator": "ana",
        "updater": None,
        "team": "x",
        "process_params": {},
    }
    result = original({"process_info": {**info, "process_config": {"timeout": 90, "new": 1}}, "task_nodes": NODES})
    assert result.document["timeout"] == 90
    assert result.document["extra"] == {"process_id": "7", "process_name": "a b", "creator": "ana", "team": "x"}
    assert result.told.warnings == [
        "the field 'team' of the flow is unknown, and ignored",
        "the field 'new' of process_config is unknown, and ignored",
    ]


def test_declared_variables_have_types_and_may_have_values(original: Any) -> None:
    variables = [
        {"variable_key": "a", "variable_type": "int", "variable_value": 3, "variable_desc": "x"},
        {"variable_key": "${b}", "variable_type": "Dict"},
        {"variable_key": "c", "variable_value": "text"},
        {"variable_key": "class", "variable_value": None},
    ]
    result = original({"task_nodes": NODES, "variable": variables})
    assert result.document["vars"] == {"a": 3, "c": "text"}
    assert result.document["types"] == {"a": "int", "b": "dict"}
    assert len(result.told.warnings) == 1
    assert result.origin(("vars", "a")) == ("variable", 0, "variable_value")


def node(task_id: str, kind: str, **properties: Any) -> dict[str, Any]:
    return {
        "id": task_id,
        "type": kind,
        "x": 1,
        "y": 2,
        "properties": properties,
        "text": {"x": 1, "y": 2, "value": task_id.upper()},
    }


def edges(*pairs: str) -> list[dict[str, Any]]:
    return [
        {"id": pair, "type": "flow-link", "sourceNodeId": pair[0], "targetNodeId": pair[1], "pointsList": []}
        for pair in pairs
    ]


TEST_ADD = {"class_name": "Test", "method_name": "test_add", "version": "1.0.0.1", "ui": "orderlines-node"}


def test_a_canvas_is_ordered_by_its_edges(original: Any) -> None:
    gate = {
        "pc_type": "result",
        "conditions": [
            {"task_id": "c", "condition": [{"condition": "${n}", "sign": "=", "target": 1}]},
            {"task_id": "p", "condition": [{"condition": "${n}", "sign": "!=", "target": 1}]},
        ],
    }
    nodes = [
        node("e", "end-node", class_name="BuiltIn", method_name="end"),
        node("s", "start-node"),
        node("g", "process-control-node", method_kwargs=gate),
        node("c", "function-node", **TEST_ADD, method_kwargs={"a": 1, "b": "${n}+1"}, task_config={"timeout": 3}),
        node("p", "parallel-node", method_kwargs={"parallel_task_ids": ["h", "d"]}),
        node("h", "group-node", method_kwargs={"group_ids": ["f"]}),
        node("d", "function-node", **TEST_ADD),
        node("f", "function-node", **TEST_ADD),
    ]
    result = original({"nodes": nodes, "edges": edges("sg", "gc", "gp", "ce", "pe", "ph", "pd", "de")}, "canvas")
    line = result.document["line"]
    assert result.document["flow"] == "canvas"
    assert [each["id"] for each in line] == ["s", "g", "c", "p", "e"]
    assert line[2]["next"] == "e"
    assert (line[2]["name"], line[2]["with"], line[2]["timeout"]) == ("C", {"a": 1, "b": "${n + 1}"}, 3)
    assert list(line[3]["parallel"]["lines"]) == ["h", "d"]
    assert result.origin(("line", 2, "with", "a")) == ("nodes", 3, "properties", "method_kwargs", "a")
    assert result.origin(("line", 2, "call")) == ("nodes", 3, "properties", "method_name")
    assert result.told.said == []


@pytest.mark.parametrize(
    ("nodes", "links", "path"),
    [
        ([node("s", "start-node"), {"type": "end-node"}], [], "$.nodes[1]"),
        ([node("s", "start-node"), node("e", "wobbly-node")], edges("se"), "$.nodes[1].type"),
        ([node("s", "start-node"), 1], [], "$.nodes[1]"),
        ([node("s", "start-node")], [1], "$.edges[0]"),
        ([node("s", "start-node")], edges("sx"), "$.edges[0].targetNodeId"),
        ([node("s", "start-node")], {}, "$.edges"),
        (
            [node("s", "start-node"), node("e", "end-node"), node("f", "end-node")],
            edges("se", "sf"),
            "$.edges[1].targetNodeId",
        ),
    ],
)
def test_a_canvas_that_is_wrong_is_refused_where_it_stands(nodes: Any, links: Any, path: str, original: Any) -> None:
    assert [error.path for error in original({"nodes": nodes, "edges": links}).told.errors] == [path]
