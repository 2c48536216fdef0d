"""A plugin's type of node takes what core's own take: keys of its own, lines, sub-flows, every action."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from jsonschema import Draft7Validator

from orderlines.errors import InvalidFlow
from orderlines.flow.load import from_canonical, load_data
from orderlines.flow.schema import native_schema
from orderlines.nodes.base import Each, Enter, NodeType, Wait
from orderlines.plugins import NodeTypePlugin, Registry, hookimpl
from orderlines.plugins.manager import given

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from orderlines.flow.model import Block, Path
    from orderlines.flow.reader import Reader
    from orderlines.nodes.base import Action

HOME = "orderlines_approval_types"


class Approval(NodeType):
    """Asks several people at once."""

    name = "approval"
    key = "approve"
    fields = frozenset({"timeout", "set"})
    more = ("people", "ask", "patience")
    needs = ("ask",)
    defaults: ClassVar[Mapping[str, Any]] = {"people": 2}

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        return {"what": reader.text(value, path)}

    def read_more(self, key: str, value: object, path: Path, reader: Reader) -> Any:
        if key == "people":
            return reader.integer(value, path, 1)
        return reader.duration(value, path) if key == "patience" else reader.block(value, path)

    def blocks(self, settings: Mapping[str, Any]) -> Sequence[tuple[str, Block]]:
        return (("ask", settings["ask"]),) if "ask" in settings else ()

    def names(self, settings: Mapping[str, Any]) -> Collection[str]:
        return ("person",)

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        return Each(list(range(settings.get("people", 2))), 1, stop_on_failure=False, name="person")


class Delegate(NodeType):
    """Enters a flow, or waits where there is none."""

    name = "delegate"
    key = "delegate"
    fields = frozenset({"with"})

    def read(self, value: object, path: Path, reader: Reader) -> Mapping[str, Any]:
        return {} if value is None else {"to": reader.flow(value, path)}

    def flows(self, settings: Mapping[str, Any]) -> Collection[str]:
        return (settings["to"],) if "to" in settings else ()

    def enter(self, settings: Mapping[str, Any], scope: Any) -> Action:
        return Enter(settings["to"]) if "to" in settings else Wait(delay=1)


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    home, plugin = ModuleType(HOME), ModuleType("orderlines_approval_plugin")
    home.Approval, home.Delegate = Approval, Delegate  # type: ignore[attr-defined]
    sys.modules[HOME] = home

    @hookimpl
    def orderlines_node_types() -> list[NodeTypePlugin]:
        return [
            NodeTypePlugin("approval", "approve", f"{HOME}:Approval"),
            NodeTypePlugin("delegate", "delegate", f"{HOME}:Delegate"),
        ]

    plugin.ORDERLINES_API = 1  # type: ignore[attr-defined]
    plugin.orderlines_node_types = orderlines_node_types  # type: ignore[attr-defined]
    yield Registry(given({"approval-tests": plugin}))
    del sys.modules[HOME]


def document(**fields: Any) -> dict[str, Any]:
    ask = [{"id": "mail", "signal": "answer-${person}"}]
    return {"flow": "x", "line": [{"id": "a", "ask": ask, "approve": "the plan", **fields}]}


def test_it_is_read_with_its_own_keys(registry: Registry) -> None:
    flow = load_data(document(people=3, patience="1m"), registry).flow
    node = flow.line.nodes[0]
    assert (node.type, node.settings["people"], node.settings["patience"]) == ("approval", 3, 60)
    assert list(flow.data["line"][0]) == ["id", "approve", "people", "ask", "patience"]
    assert flow.data["line"][0]["patience"] == 60
    assert from_canonical(flow.data, registry) == flow
    assert load_data(document(people=2), registry).flow.digest == load_data(document(), registry).flow.digest
    assert registry.node_type("approval").enter(node.settings, {}) == Each([0, 1, 2], 1, False, "person")


@pytest.mark.parametrize(
    ("fields", "path", "said"),
    [
        ({"people": 0}, "$.line[0].people", "too small"),
        ({"ask": []}, "$.line[0].ask", "empty list"),
        ({"ask": [{"id": "b", "signal": "${nobody}"}]}, "$.line[0].ask[0].signal", "'nobody'"),
        ({"peopel": 3}, "$.line[0].peopel", "unknown key"),
        ({"with": {}}, "$.line[0].with", "does not take"),
    ],
)
def test_what_is_wrong_in_it_is_found(registry: Registry, fields: dict[str, Any], path: str, said: str) -> None:
    with pytest.raises(InvalidFlow) as caught:
        load_data(document(**fields), registry)
    assert [(problem.path, said in problem.reason) for problem in caught.value.problems] == [(path, True)]


def test_what_it_needs_must_be_there(registry: Registry) -> None:
    with pytest.raises(InvalidFlow, match="'ask' is missing"):
        load_data({"flow": "x", "line": [{"id": "a", "approve": "the plan"}]}, registry)


def test_it_enters_flows(registry: Registry) -> None:
    inner = load_data({"flow": "inner", "vars": {"n": 1}, "line": [{"id": "i", "end": None}]}, registry).flow
    line = [{"id": "d", "delegate": "inner", "with": {"n": 2}}, {"id": "w", "delegate": None}]
    flow = load_data({"flow": "x", "line": line}, registry, flows={"inner": inner}).flow
    assert flow.data["flows"] == {"inner": inner.digest}
    kind = registry.node_type("delegate")
    assert [kind.enter(node.settings, {}) for node in flow.line.nodes] == [Enter("inner"), Wait(delay=1)]


def test_it_is_in_the_schema(registry: Registry) -> None:
    schema, _ = native_schema(registry)
    validator = Draft7Validator(schema)
    assert validator.is_valid(document(people=3))
    assert not validator.is_valid(document(peopel=3))
