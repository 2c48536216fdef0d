"""The native notation as a typed tree, and its canonical form."""

from __future__ import annotations

import gc
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlines.errors import InvalidFlow
from orderlines.flow.load import from_canonical, load_data, load_text
from orderlines.flow.model import Chosen, Handler
from orderlines.flow.native import read_native
from orderlines.flow.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.flow.load import Loaded
    from orderlines.plugins import Registry

FULL = """
flow: order-intake
version: 3
vars: {region: eu, limit: 100}
types: {orders: list}
timeout: 10m
executor: gevent
on_failure: {call: lib.report, with: {node: "${error.node}", message: "${error.message}"}, timeout: 1m}
line:
  - next: 2
    call: lib.fetch
    id: fetch
    name: Fetch the orders
    with: {url: "https://shop.example/${region}"}
    set: {orders: "${result.items}"}
    types: {orders: list}
    timeout: 1m30s
    retry: {times: 3, delay: 2s, max_delay: 1m}
    on_error: ignore
    on_crash: fail
    executor: process
    grace: 500ms
    on_failure: {call: lib.report, with: null}
    enabled: true
  - id: 2
    group: [{id: 3, call: lib.add, with: {a: 1, b: 2}, on_error: {skip: 4}, enabled: false}]
  - id: both
    parallel:
      executor: process
      lines:
        eu: [{id: a, call: lib.add, with: {a: 1, b: 2}, on_error: {goto: b}}, {id: b, call: lib.echo, with: {value: 1}}]
        us: [{id: c, call: lib.add, with: {a: 3, b: 4}, on_error: raise}]
  - id: decide
    switch: [{when: "${nodes.fetch.status == 'SUCCESS' and len(orders) > limit}", goto: 2}, {else: end}]
"""


def test_the_tree(load: Callable[..., Loaded], registry: Registry) -> None:
    flow = load(FULL).flow
    assert (flow.name, flow.version, flow.timeout, flow.executor) == ("order-intake", "3", 600, "gevent")
    assert flow.on_failure is not None
    assert flow.on_failure.timeout == 60
    fetch, group, both, decide = flow.line.nodes
    assert [node.id for node in flow.line.nodes] == ["fetch", "2", "both", "decide"]
    assert [node.type for node in flow.line.nodes] == ["common", "group", "parallel", "process_control"]
    assert fetch.name == "Fetch the orders"
    assert fetch.path == ("line", 0)
    assert fetch.arguments == {"url": "https://shop.example/${region}"}
    assert (fetch.timeout, fetch.grace, fetch.on_crash, fetch.executor, fetch.next) == (90, 0.5, "fail", "process", "2")
    assert [chosen.name for chosen in fetch.strategies] == ["retry", "skip"]
    assert fetch.on_failure == Handler("lib", "report", None, None, ("line", 0, "on_failure"))
    ((_, members),) = registry.node_type("group").blocks(group.settings)
    assert [(member.id, member.enabled, member.path) for member in members.nodes] == [
        ("3", False, ("line", 1, "group", 0))
    ]
    assert [name for name, _ in registry.node_type("parallel").blocks(both.settings)] == ["eu", "us"]
    assert decide.next is None


def test_the_canonical_document_holds_no_defaults_and_no_spellings(load: Callable[..., Loaded]) -> None:
    data: Any = load(FULL).flow.data
    first = data["line"][0]
    assert list(first) == [
        "id", "name", "call", "with", "set", "types", "timeout", "retry", "on_error", "on_crash", "executor", "grace",
        "on_failure", "next",
    ]  # fmt: skip
    assert first["retry"] == {"times": 3, "delay": 2, "max_delay": 60}
    assert first["on_error"] == "skip"
    assert first["on_failure"] == {"call": "lib.report", "with": None}
    assert (data["timeout"], data["version"], first["timeout"], first["next"]) == (600, "3", 90, "2")
    assert data["line"][1] == {
        "id": "2",
        "group": [{"id": "3", "call": "lib.add", "with": {"a": 1, "b": 2}, "on_error": {"skip": 4}, "enabled": False}],
    }
    assert data["line"][2]["parallel"]["lines"]["eu"][0]["on_error"] == {"goto": "b"}
    assert "on_error" not in data["line"][2]["parallel"]["lines"]["us"][0]
    assert data["line"][3]["switch"][0]["goto"] == "2"


def test_the_digest_is_of_what_is_said_and_not_of_how(load: Callable[..., Loaded]) -> None:
    plain = load("{flow: x, line: [{id: 1, call: lib.add, with: {a: 1, b: 2}, timeout: 60}]}").flow
    other = load("""
        line: [{timeout: 1m, with: {a: 1, b: 2}, call: lib.add, id: "1", on_error: raise, enabled: true}]
        version: "1"
        flow: x
    """).flow
    assert plain.digest == other.digest
    assert len(plain.digest) == 64
    assert load("{flow: x, line: [{id: 1, call: lib.add, with: {a: 1, b: 3}}]}").flow.digest != plain.digest


def test_the_order_of_lines_is_part_of_the_digest(load: Callable[..., Loaded]) -> None:
    one, two = "eu: [{id: a, call: lib.echo, with: {value: 1}}]", "us: [{id: b, call: lib.echo, with: {value: 1}}]"
    digests = {
        load(f"{{flow: x, line: [{{id: p, parallel: {{lines: {{{lines}}}}}}}]}}").flow.digest
        for lines in (f"{one}, {two}", f"{two}, {one}")
    }
    assert len(digests) == 2


@pytest.mark.parametrize("names", ["with: {NAMES}", "with: {value: {NAMES}}", "with: {value: 1}, set: {NAMES}"])
def test_the_order_of_names_is_part_of_the_digest(names: str, load: Callable[..., Loaded]) -> None:
    """A component sees the order of its arguments, if it takes any (`**`), and of what is in them."""
    call = "lib.add" if names.startswith("with: {NAMES") else "lib.echo"
    digests = {
        load(f"{{flow: x, line: [{{id: a, call: {call}, {names.replace('NAMES', order)}}}]}}").flow.digest
        for order in ("a: 1, b: 2", "b: 2, a: 1")
    }
    assert len(digests) == 2


_IDS = st.sampled_from(["a", "b-c", "ä", "7"])
_CALLS = st.fixed_dictionaries(
    {"call": st.just("lib.echo"),
     "with": st.fixed_dictionaries({"value": st.integers() | st.text("ab$") | st.just("${v}")})},
    optional={
        "timeout": st.sampled_from([1, 2.0, 0.5, "90s", "1h30m", "100ms"]),
        "grace": st.sampled_from(["3s", 0]),
        "retry": st.fixed_dictionaries({"times": st.integers(1, 3)}, optional={"delay": st.sampled_from(["1s", 2])}),
        "on_error": st.sampled_from(["raise", "skip", "ignore", {"skip": [1]}, {"skip": None}]),
        "on_crash": st.sampled_from(["rerun", "fail"]),
        "executor": st.sampled_from(["process", "gevent"]),
        "enabled": st.booleans(),
        "set": st.dictionaries(st.sampled_from(["v", "w"]), st.just("${result}")),
        "name": st.text("ab", min_size=1),
    },
)  # fmt: skip


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    line = st.lists(inner, min_size=1, max_size=3)
    return st.fixed_dictionaries({"group": line}) | st.fixed_dictionaries(
        {"parallel": st.fixed_dictionaries({"lines": st.dictionaries(_IDS, line, min_size=1, max_size=2)})}
    )


def _numbered(value: Any, counter: list[int]) -> Any:
    """Give every node an id, texts and integers in turn."""
    if isinstance(value, list):
        return [_numbered(item, counter) for item in value]
    if not isinstance(value, dict):
        return value
    made = {}
    if {"call", "group", "parallel"} & value.keys():
        counter[0] += 1
        made["id"] = counter[0] if counter[0] % 2 else f"n{counter[0]}"
    return {
        **made,
        **{key: value[key] if key in {"with", "on_error"} else _numbered(value[key], counter) for key in value},
    }


@given(st.lists(st.recursive(_CALLS, _nested, max_leaves=6), min_size=1, max_size=4), st.sampled_from([1, "2", None]))
def test_reading_the_canonical_document_gives_the_same_flow(
    registry: Registry, line: list[Any], version: object
) -> None:
    document = {"flow": "x", "vars": {"v": 1}, "line": _numbered(line, [0])}
    if version is not None:
        document["version"] = version
    flow = load_data(document, registry).flow
    again = json.loads(json.dumps(flow.data))
    assert load_data(again, registry).flow == flow
    assert from_canonical(again, registry) == flow


def test_a_bare_strategy_and_one_with_null_are_the_same(load: Callable[..., Loaded]) -> None:
    text = "{{flow: x, line: [{{id: a, call: lib.echo, with: {{value: 1}}, on_error: {}}}]}}"
    flows = [load(text.format(said)).flow for said in ("skip", "ignore", "{skip: null}", "{ignore: null}")]
    assert len({flow.digest for flow in flows}) == 1
    assert isinstance(flows[0].line.nodes[0].strategies[0], Chosen)


@pytest.mark.parametrize("name", ["a/b", "a#1", "", " a", "a" * 201])
def test_the_name_of_a_line_is_part_of_paths_and_must_fit_in(name: str, registry: Registry) -> None:
    lines = {name: [{"id": "a", "call": "lib.echo", "with": {"value": 1}}]}
    with pytest.raises(InvalidFlow, match="id"):
        load_data({"flow": "f", "line": [{"id": "p", "parallel": {"lines": lines}}]}, registry)


def test_lines_cannot_stand_inside_each_other_without_end(registry: Registry) -> None:
    line: Any = [{"id": "x", "call": "lib.echo", "with": {"value": 1}}]
    for level in range(120):
        line = [{"id": f"g{level}", "group": line}]
    report = Report()
    read_native({"flow": "x", "line": line}, registry, report)
    assert ["deeper than 100" in found.reason for found in report.found] == [True]


def test_what_the_translation_keeps_is_read_but_ignored(registry: Registry) -> None:
    node = {"id": "a", "call": "lib.add", "with": {"a": "x", "b": 1}, "extra": {"creator": "ana"}}
    loaded = load_data({"flow": "x", "line": [node], "lenient": True, "extra": {"updater": None}}, registry)
    assert loaded.flow.lenient
    assert loaded.flow.data["extra"] == {"updater": None}
    assert [problem.warning for problem in loaded.warnings] == [True]
    assert from_canonical(loaded.flow.data, registry) == loaded.flow


@pytest.mark.parametrize("collects", [True, False])
@pytest.mark.parametrize(
    "text", ["[", '{"flow": "x", "line": [{"id": "a", "call": "lib.echo", "with": {"value": 1}}]}']
)
def test_the_garbage_collector_is_left_as_it_was(text: str, registry: Registry, *, collects: bool) -> None:
    before = gc.isenabled()
    (gc.enable if collects else gc.disable)()
    try:
        with suppress(InvalidFlow):
            load_text(text, registry)
        assert gc.isenabled() == collects
    finally:
        (gc.enable if before else gc.disable)()
