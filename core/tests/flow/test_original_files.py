"""The flow files of the original notation: what each comes to, and that no mutation of one does harm."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from orderlines.flow.original import is_original

if TYPE_CHECKING:
    from collections.abc import Iterator

LEFT_TO_THE_NATIVE_READER = {
    "refuse_endless_loop.json",
    "refuse_extra_argument.json",
    "refuse_missing_argument.json",
    "refuse_undefined_variable.json",
    "refuse_unknown_component.json",
    "refuse_unknown_library.json",
}


def test_a_file_is_translated_or_refused(flow_case: dict[str, Any], flow_file: Any, original: Any) -> None:
    document = flow_file(flow_case["file"])
    result = original(document)
    refused = bool(flow_case.get("refused")) and flow_case["file"] not in LEFT_TO_THE_NATIVE_READER
    assert is_original(document)
    assert bool(result.told.errors) == refused
    if refused:
        said = " ".join(said.reason for said in result.told.errors)
        assert all(name in said for name in flow_case["names"])
    for expected in flow_case.get("warnings", ()):
        assert any(expected in warning for warning in result.told.warnings)


def nodes_of(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for node in value:
            yield node
            for key in ("group", "parallel"):
                yield from nodes_of(node.get(key))
    elif isinstance(value, dict):
        for line in value["lines"].values():
            yield from nodes_of(line)


def test_every_node_that_runs_is_in_the_translation(flow_case: dict[str, Any], flow_file: Any, original: Any) -> None:
    result = original(flow_file(flow_case["file"]))
    ids = [node["id"] for node in nodes_of(result.document["line"])]
    expected = {*flow_case.get("order", ()), *flow_case.get("tasks", ()), *flow_case.get("results", ())}
    assert expected <= set(ids)
    assert len(ids) == len(set(ids))


def test_an_accepted_file_has_no_warning_but_the_expected_ones(
    flow_case: dict[str, Any], flow_file: Any, original: Any
) -> None:
    told = original(flow_file(flow_case["file"])).told
    assert bool(told.warnings) == bool(flow_case.get("warnings")) or flow_case.get("refused")


def test_the_documented_example_comes_out_whole(flow_file: Any, original: Any) -> None:
    result = original(flow_file("documented.json"))
    add = {
        "id": "1003",
        "name": "add1",
        "call": "Test.test_add",
        "with": {"a": 1, "b": 123143},
        "set": {"add_value": "${result.add_value + 1}"},
        "types": {"add_value": "int"},
    }
    subtract = {
        "id": "1004",
        "name": "subtraction1",
        "call": "Test.test_subtraction",
        "with": {"a": "${add_value}", "b": 123123},
        "set": {"return_value": "${result.subtraction_value}"},
        "types": {"return_value": "int"},
    }
    second = {"id": "1006", "name": "减法", "call": "Test.test_subtraction", "with": {"a": 10, "b": 12}}
    lines = {
        "1002": [{"id": "1002", "name": "任务组1", "group": [add, subtract]}],
        "1005": [{"id": "1005", "name": "任务组2", "group": [second]}],
    }
    assert result.document == {
        "flow": "test_parallel_with_process",
        "lenient": True,
        "timeout": 1,
        "extra": {"process_id": "1006", "creator": "blue"},
        "line": [
            {"id": "1000", "name": "start", "start": {}},
            {"id": "1001", "name": "并行网关", "parallel": {"lines": lines, "executor": "gevent"}},
            {"id": "1007", "name": "end", "end": {}},
        ],
    }


def test_a_place_in_the_translation_leads_back_to_the_file(flow_file: Any, original: Any) -> None:
    origin = original(flow_file("documented.json")).origin
    inside = ("line", 1, "parallel", "lines", "1002", 0, "group", 1)
    assert origin(inside) == ("nodes", 4)
    assert origin((*inside, "with", "a")) == ("nodes", 4, "method_kwargs", "a")
    assert origin((*inside, "set", "return_value")) == ("nodes", 4, "result", 0, "subtraction_value")
    assert origin(("timeout",)) == ("process_info", "process_config", "timeout")
    assert origin(("flow",)) == ("process_info", "process_name")


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(spot for key, item in inner for spot in spots(item, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    copied = copy.copy(value)
    copied[path[0]] = replaced(value[path[0]], path[1:], other)
    return copied


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["${x}+", "1002", "success"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(data=st.data())
def test_no_mutation_of_a_file_raises(
    data: st.DataObject, flow_names: list[str], flow_file: Any, original: Any
) -> None:
    document = flow_file(data.draw(st.sampled_from(flow_names)))
    for _ in range(data.draw(st.integers(1, 3))):
        spot = data.draw(st.sampled_from(spots(document)))
        other = at(document, data.draw(st.sampled_from(spots(document))))
        document = replaced(document, spot, copy.deepcopy(data.draw(JSON | st.just(other))))
    result = original(document)
    assert all(said.path.startswith("$") for said in result.told.said)
    assert isinstance(result.document["line"], list)
    assert result.document["line"] or result.told.errors
