"""A flow built in Python is the same flow as its twin in YAML."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

import orderlines
from orderlines import Flow, InvalidFlow, component
from orderlines.errors import PluginError, UsageError
from orderlines.flow.load import load_file, load_text
from orderlines.flow.model import Flow as Definition

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orderlines.plugins import Registry

OWN = "orderlines_building_own"
CORE_KEYS = (
    "start", "end", "call", "switch", "parallel", "group", "foreach", "graph", "flow", "delay", "until", "signal",
)  # fmt: skip
TWIN = """
flow: order-intake
version: "3"
vars: {region: eu, limit: 100, orders: []}
types: {orders: list}
timeout: 10m
executor: process
on_failure: {call: lib.echo, with: {value: "${error.message}"}}
line:
  - id: fetch
    name: Fetch them
    call: lib.echo
    with: {value: "${region}"}
    set: {orders: "${result}"}
    timeout: 30s
    retry: {times: 3, delay: 2s}
    on_error: {skip: []}
    on_crash: fail
  - id: both
    parallel:
      limit: 8
      executor: process
      lines:
        eu: [{id: a, call: lib.add, with: {a: 1, b: 2}}, {id: a2, call: lib.add, with: {a: 1, b: 2}}]
        us: [{id: b, call: lib.add, with: {a: 3, b: 4}}]
  - id: each
    foreach: "${orders}"
    as: order
    limit: 20
    line: [{id: price, call: lib.add, with: {a: "${order.net}", b: "${order.tax}"}}]
    set: {prices: "${result}"}
  - id: any-dag
    graph:
      nodes:
        - {id: 1, call: lib.echo, with: {value: 1}}
        - {id: 2, group: [{id: inner, call: lib.echo, with: {value: 1}}], after: [1]}
  - id: tidy
    group: [{id: g1, call: lib.add, with: {a: 1, b: 1}}, {id: g2, call: lib.echo, with: {value: [1, {x: 2}]}}]
  - id: decide
    switch: [{when: "${len(orders) > limit}", goto: big}, {else: small}]
    max_visits: 7
  - {id: big, flow: other-flow, with: {region: "${region}"}, set: {total: "${result.total}"}, next: done}
  - {id: small, delay: 5m}
  - {id: dawn, until: "2027-01-01T00:00:00+08:00", enabled: false}
  - {id: done, signal: approved, timeout: 2d}
  - {id: last, end: null}
"""


def built() -> Flow:
    flow = Flow(
        "order-intake",
        version="3",
        vars={"region": "eu", "limit": 100, "orders": []},
        types={"orders": "list"},
        timeout="10m",
        executor="process",
        on_failure={"call": "lib.echo", "with": {"value": "${error.message}"}},
    )
    flow.call(
        "fetch",
        "lib.echo",
        with_={"value": "${region}"},
        set={"orders": "${result}"},
        name="Fetch them",
        timeout=30,
        retry={"times": 3, "delay": 2},
        on_error={"skip": []},
        on_crash="fail",
    )
    with flow.parallel("both", executor="process", limit=8) as both:
        both.line("eu").call("a", "lib.add", with_={"a": 1, "b": 2}).call("a2", "lib.add", with_={"a": 1, "b": 2})
        both.line("us").call("b", "lib.add", with_={"a": 3, "b": 4})
    with flow.foreach("each", "${orders}", as_="order", limit=20, set={"prices": "${result}"}) as each:
        each.call("price", "lib.add", with_={"a": "${order.net}", "b": "${order.tax}"})
    with flow.graph("any-dag", on_branch_failure="stop") as dag:
        dag.call(1, "lib.echo", with_={"value": 1})
        dag.group(2, after=(1,)).call("inner", "lib.echo", with_={"value": 1})
    flow.group("tidy").call("g1", "lib.add", with_={"a": 1, "b": 1}).call(
        "g2", "lib.echo", with_={"value": (1, {"x": 2})}
    )
    flow.switch("decide", [{"when": "${len(orders) > limit}", "goto": "big"}, {"else": "small"}], max_visits=7)
    flow.flow("big", "other-flow", with_={"region": "${region}"}, set={"total": "${result.total}"}, next="done")
    flow.delay("small", "5m").until("dawn", "2027-01-01T00:00:00+08:00", enabled=False)
    return flow.signal("done", "approved", timeout="2d").node("last", end=None)


def test_there_is_a_method_for_each_key(registry: Registry) -> None:
    assert [key for key in CORE_KEYS if not callable(getattr(Flow("x"), key, None))] == []
    marked = Flow("x").start("a").call("b", "lib.echo", with_={"value": 1}).end("c")
    twin = "flow: x\nline: [{id: a, start: null}, {id: b, call: lib.echo, with: {value: 1}}, {id: c, end: null}]"
    assert marked.build(registry).digest == load_text(twin, registry).flow.digest


def test_every_construct_has_the_digest_of_its_twin(registry: Registry) -> None:
    flow, twin = built().build(registry), load_text(TWIN, registry).flow
    assert flow.data == twin.data
    assert flow.digest == twin.digest


def test_a_problem_names_its_place(registry: Registry) -> None:
    flow = Flow("x", vars={"n": 1})
    flow.foreach("each", [1]).call("a", "lib.add", with_={"a": 1})
    flow.delay("d", "soon")
    with pytest.raises(InvalidFlow) as caught:
        flow.build(registry)
    assert [problem.path for problem in caught.value.problems] == ["$.line[1].delay", "$.line[0].line[0].with"]


def test_what_is_built_does_not_change(registry: Registry) -> None:
    flow = Flow("x").call("a", "lib.echo", with_={"value": 1})
    first = flow.build(registry)
    assert isinstance(first, Definition)
    assert flow.build(registry) == first
    flow.call("b", "lib.echo", with_={"value": 1})
    assert [node.id for node in first.line.nodes] == ["a"]
    assert [node.id for node in flow.build(registry).line.nodes] == ["a", "b"]


def test_a_flow_enters_one_that_is_built_too(registry: Registry, tmp_path: Path) -> None:
    inner = Flow("inner", vars={"n": 1}).call("a", "lib.echo", with_={"value": "${n}"})
    flow = Flow("outer").flow("one", inner, with_={"n": 2}).flow("two", inner).build(registry)
    (tmp_path / "inner.yaml").write_text(
        "{flow: inner, vars: {n: 1}, line: [{id: a, call: lib.echo, with: {value: '${n}'}}]}", encoding="utf-8"
    )
    twin = tmp_path / "outer.yaml"
    twin.write_text(
        "{flow: outer, line: [{id: one, flow: inner, with: {n: 2}}, {id: two, flow: inner}]}", encoding="utf-8"
    )
    assert flow == load_file(twin, registry).flow
    definition = inner.build(registry)
    assert Flow("outer").flow("one", definition, with_={"n": 2}).flow("two", definition).build(registry) == flow
    assert Flow("outer").flow("s", tmp_path / "inner.yaml").build(registry).flows.keys() == {
        str(tmp_path / "inner.yaml")
    }


def test_two_subflows_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="two sub-flows are called 'inner'"):
        Flow("outer").flow("one", Flow("inner")).flow("two", Flow("inner"))


def test_a_flow_cannot_contain_itself(registry: Registry) -> None:
    flow = Flow("x")
    flow.flow("again", Flow("y").flow("back", flow))
    with pytest.raises(UsageError, match="'x' contains itself"):
        flow.build(registry)


@pytest.mark.parametrize("other", [3, None, ["a"]])
def test_what_is_no_flow_cannot_be_entered(other: Any) -> None:
    with pytest.raises(UsageError, match="a node enters a flow"):
        Flow("x").flow("a", other)


def test_flows_that_are_built_are_nested_no_deeper_than_others(registry: Registry) -> None:
    flow = Flow("f1").start("a")
    for level in range(2, 21):
        flow = Flow(f"f{level}").flow("a", flow)
    flow.build(registry)
    with pytest.raises(InvalidFlow, match="deeper than 20 levels"):
        Flow("f21").flow("a", flow).build(registry)


ITSELF: list[Any] = []
ITSELF.append(ITSELF)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (ITSELF, "holds itself"),
        (10**5000, "too many digits"),
        (range(3), r"not range \(write it as a list\)"),
        (b"x", r"not bytes \(write it as a text\)"),
    ],
    ids=["itself", "digits", "range", "bytes"],
)
def test_what_a_flow_cannot_hold_is_refused(registry: Registry, value: object, said: str) -> None:
    with pytest.raises(InvalidFlow, match=said):
        Flow("x").call("a", "lib.echo", with_={"value": value}).build(registry)


@pytest.mark.parametrize("branches", [3, "x", None])
def test_a_switch_of_no_branches_is_a_problem_with_its_place(registry: Registry, branches: Any) -> None:
    with pytest.raises(InvalidFlow, match=r"\$\.line\[0\]\.switch: a switch is a list of branches"):
        Flow("x").switch("s", branches).build(registry)


@pytest.mark.parametrize("what", [3, int])
def test_only_functions_can_be_declared_components(what: Any) -> None:
    with pytest.raises(UsageError, match="before a function or a method"):
        component(what)


def test_two_lines_of_one_name_are_refused() -> None:
    both = Flow("x").parallel("both")
    both.line("eu")
    with pytest.raises(UsageError, match="a line 'eu' already"):
        both.line("eu")


def test_a_function_of_an_installed_library_is_called_as_flows_call_it(registry: Registry) -> None:
    add: Callable[..., Any] = vars(sys.modules["orderlines_building_library"])["add"]
    document = Flow("x", on_failure={"call": add}).call("a", add, with_={"a": 1, "b": 2}).document(registry)
    assert (document["line"][0]["call"], document["on_failure"]["call"]) == ("lib.add", "lib.add")


def test_a_function_becomes_a_component_with_a_decorator(registry: Registry) -> None:
    mine = vars(sys.modules[OWN])["mine"]
    flow = Flow("x").call("a", mine, with_={"value": 1}).build(registry)
    assert flow.data["line"][0]["call"] == f"{OWN}.mine"
    found = registry.component(OWN, "mine")
    assert (found.call, found.cooperative, found.target) == (mine, True, OWN)
    with pytest.raises(InvalidFlow, match="does not fit"):
        Flow("x").call("a", mine, with_={"value": "one"}).build(registry)


def test_a_function_that_is_defined_anew_is_the_one_that_is_called(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = registry.component(OWN, "mine")

    @component
    def mine(value: int) -> int:
        return value

    mine.__module__ = OWN
    monkeypatch.setattr(sys.modules[OWN], "mine", mine)
    assert registry.component(OWN, "mine").call is mine
    assert first.call is not mine


def test_only_what_is_declared_can_be_called(registry: Registry) -> None:
    with pytest.raises(UsageError, match=r"plain is no component; put @orderlines\.component before it"):
        Flow("x").call("a", vars(sys.modules[OWN])["plain"]).document(registry)
    for library, name in ((OWN, "plain"), ("os", "system"), (OWN, "nope"), ("not_imported", "x")):
        with pytest.raises(PluginError):
            registry.component(library, name)


def test_a_function_inside_a_function_cannot_be_found_again(registry: Registry) -> None:
    @component
    def hidden() -> None:
        """Exist only here."""

    with pytest.raises(UsageError, match="define it at the top of a module"):
        Flow("x").call("a", hidden).document(registry)


def test_it_is_exported() -> None:
    assert orderlines.Flow is Flow
