"""The JSON Schema of the native notation agrees with the reader, as far as a schema can."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator

from orderlines.flow.load import load_data, load_text
from orderlines.flow.report import Report
from orderlines.flow.schema import native_schema
from orderlines.flow.source import Source

if TYPE_CHECKING:
    from orderlines.plugins import Registry

INNER = '{id: z, call: lib.add, with: {a: 1, b: "${x}"}}'
VALID = [
    "id: a, call: lib.echo, with: {value: [1, '${x}', {b: null}]}, set: {x: '${result}'}, types: {x: int}, timeout: 1m",
    "id: 5, call: lib.fetch, with: {url: u}, retry: {times: 1, delay: 500ms, on: [timeout]}, on_error: ignore",
    "id: a, name: A, call: lib.add, with: {a: 1, b: '${x}'}, on_error: {skip: [1]}, on_crash: fail, executor: process",
    "id: a, call: lib.echo, with: {value: 1}, on_failure: {call: lib.report, with: null, timeout: 5}, grace: 0.5",
    "id: a, call: lib.echo, with: {value: 1}, on_error: {goto: end}, enabled: false",
    f"id: a, group: [{INNER}], set: {{x: 1}}",
    f"id: a, parallel: {{executor: gevent, limit: 2, on_branch_failure: wait, lines: {{l: [{INNER}]}}}}",
    f"id: a, foreach: '${{[x]}}', as: order, limit: 3, line: [{INNER}]",
    f"id: a, foreach: [1, 2], line: [{INNER}]",
    "id: a, graph: {limit: 1, nodes: [{id: p, start: null}, {id: q, end: {}, after: [p]}]}",
    "id: a, flow: other, with: {n: '${x}'}, set: {x: '${result.n}'}, timeout: 1h",
    "id: a, delay: 5m",
    "id: a, delay: '${x}'",
    "id: a, until: '2027-01-01T00:00:00+08:00'",
    "id: a, until: '20270101T000000Z'",
    "id: a, until: '2027-W01-1T00:00:00Z'",
    "id: a, signal: approved, timeout: 2d",
    "id: a, switch: [{when: '${x > 1}', goto: end}, {when: true, goto: end}, {else: end}], max_visits: 5",
]
INVALID = [
    "call: lib.echo, with: {value: 1}",
    "id: a",
    "id: a, call: lib.nope",
    "id: a, call: lib.echo",
    "id: a, call: lib.echo, with: {value: 1, more: 2}",
    "id: a, call: lib.add, with: {a: 1, b: two}",
    "id: a, call: lib.add, with: {a: 1, b: true}",
    "id: a, call: lib.echo, with: {value: 1}, timeout: soon",
    "id: a, call: lib.echo, with: {value: 1}, retry: {times: -1}",
    "id: a, call: lib.echo, with: {value: 1}, retry: {tiems: 1}",
    "id: a, call: lib.echo, with: {value: 1}, on_error: pray",
    "id: a, call: lib.echo, with: {value: 1}, on_error: goto",
    "id: a, call: lib.echo, with: {value: 1}, on_crash: hope",
    "id: a, call: lib.echo, with: {value: 1}, executor: warp",
    "id: a, call: lib.echo, with: {value: 1}, after: []",
    "id: a, call: lib.echo, with: {value: 1}, delay: 5",
    "id: a/b, delay: 5",
    "id: a, group: []",
    "id: a, parallel: {lines: {}}",
    "id: a, parallel: {lines: {l: [{id: b, end: null}]}, on_branch_failure: hope}",
    "id: a, foreach: [1]",
    "id: a, foreach: x, line: [{id: b, end: null}]",
    "id: a, foreach: [1], limit: 0, line: [{id: b, end: null}]",
    "id: a, graph: {nodes: [{id: b, end: null, after: b}]}",
    "id: a, parallel: {lines: {'b/c': [{id: b, end: null}]}}",
    "id: a, parallel: {limit: 1000000001, lines: {b: [{id: b, end: null}]}}",
    "id: a, delay: -5",
    "id: a, until: tomorrow",
    "id: a, signal: ''",
    "id: a, switch: [{when: maybe, goto: end}]",
    "id: a, switch: [{else: end}], max_visits: 0",
    "id: a, end: {x: 1}",
]


@pytest.fixture(scope="module")
def schema(registry: Registry) -> dict[str, Any]:
    schema, problems = native_schema(registry)
    assert problems == []
    return schema


def written(node: str) -> str:
    return f"{{flow: x, vars: {{x: 1}}, line: [{{{node}}}]}}"


def errors(schema: dict[str, Any], document: Any) -> list[str]:
    return [error.message for error in Draft7Validator(schema).iter_errors(document)]


def test_it_is_a_schema(schema: dict[str, Any]) -> None:
    Draft7Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize("node", VALID)
def test_a_valid_flow_fits(schema: dict[str, Any], registry: Registry, node: str) -> None:
    text = written(node)
    assert errors(schema, Source(text, "x.yaml").read(Report())) == []
    assert errors(schema, load_text(text, registry, file="x.yaml").flow.data) == []


@pytest.mark.parametrize("node", INVALID)
def test_an_invalid_flow_does_not(schema: dict[str, Any], node: str) -> None:
    assert errors(schema, Source(written(node), "x.yaml").read(Report())) != []


@pytest.mark.parametrize(
    ("key", "value", "fits"),
    [
        ("version", 3, True), ("version", 1.5, False), ("timeout", "10m", True), ("timeout", -1, False),
        ("executor", "gevent", True), ("executor", "warp", False), ("types", {"x": "int"}, True),
        ("types", {"x": "number"}, False), ("on_failure", {"call": "lib.report"}, False),
        ("on_failure", {"call": "lib.report", "with": {"node": "a", "message": "${error.message}"}}, True),
        ("tiemout", 3, False), ("flows", {"other": "0" * 64}, True), ("flows", {"other": "x"}, False),
    ],
)  # fmt: skip
def test_what_a_flow_says_of_itself(schema: dict[str, Any], key: str, value: Any, fits: bool) -> None:
    document = {"flow": "x", "line": [{"id": "a", "flow": "other"}], key: value}
    assert (errors(schema, document) == []) == fits


def test_what_a_translation_holds_fits(schema: dict[str, Any], registry: Registry) -> None:
    node = {"id": "a", "call": "lib.add", "with": {"a": 1, "b": 1}, "extra": {"creator": "ana"}}
    loaded = load_data({"flow": "x", "line": [node], "lenient": True, "extra": {"updater": None}}, registry)
    assert errors(schema, loaded.flow.data) == []


def test_what_only_the_original_notation_lets_pass_is_left_to_validation(schema: dict[str, Any]) -> None:
    document = {"flow": "x", "line": [{"id": "a", "call": "lib.add", "with": {"a": "1", "b": 1}}]}
    assert errors(schema, document) != []
    assert errors(schema, {**document, "lenient": True}) == []
    assert errors(schema, {**document, "lenient": True, "lien": []}) != []


def resolved(schema: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    """Merge what an item refers to into it, as editors do."""
    name = item.get("$ref", "").rpartition("/")[2]
    return {**schema["definitions"][name], **item} if name else item


def test_what_editors_offer_says_what_it_is(schema: dict[str, Any]) -> None:
    kinds = schema["definitions"]["node"]["anyOf"] + schema["definitions"]["graphNode"]["anyOf"]
    for place in (schema, *kinds):
        for key, item in place["properties"].items():
            assert resolved(schema, item).get("description"), f"{key} of {place['title']}"


def test_a_kind_of_node_goes_by_its_key_and_what_it_calls_by_its_name(schema: dict[str, Any]) -> None:
    titles = [kind["title"] for kind in schema["definitions"]["node"]["anyOf"]]
    assert {"call", "switch", "flow", "delay"} <= set(titles)
    assert len(set(titles)) == len(titles)
    calls = schema["definitions"]["calls"]
    called = calls["properties"]["call"]
    assert [case["then"]["properties"]["with"]["title"] for case in calls["allOf"]] == called["enum"]
    texts = dict(zip(called["enum"], called["enumDescriptions"], strict=True))
    assert texts["BuiltIn.start"] == "Do nothing: a run has begun."
