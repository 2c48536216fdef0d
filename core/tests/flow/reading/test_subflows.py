"""Flows that enter other flows: where these are found, how they are pinned, what is wrong with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from orderlines.errors import InvalidFlow
from orderlines.flow.load import from_canonical, load_data, load_file
from orderlines.flow.pinning import inside, pinned, pins

if TYPE_CHECKING:
    from pathlib import Path

    from orderlines.flow.load import Loaded
    from orderlines.plugins import Registry

INNER = "flow: inner\nvars: {n: 1, total: 0}\ntypes: {n: int}\nline: [{id: a, call: lib.echo, with: {value: '${n}'}}]\n"


def outer(reference: str, more: str = "") -> str:
    return f"flow: outer\nline:\n- {{id: sub, flow: {reference}{more}}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner.yaml").write_text(INNER, encoding="utf-8")
    return tmp_path


def load(folder: Path, text: str, registry: Registry) -> Loaded:
    path = folder / "outer.yaml"
    path.write_text(text, encoding="utf-8")
    return load_file(path, registry)


def refused(folder: Path, text: str, registry: Registry) -> list[str]:
    """Load a flow that must be refused and return its problems, each with the name of its file."""
    with pytest.raises(InvalidFlow) as caught:
        load(folder, text, registry)
    return [
        f"{(problem.file or '').rpartition('/')[2]}: {problem.path}: {problem.reason}"
        for problem in caught.value.problems
    ]


@pytest.mark.parametrize("reference", ["inner", "./inner.yaml", "inner.yaml", "sub/../inner.yaml"])
def test_a_subflow_is_found_beside_the_file_that_names_it(folder: Path, registry: Registry, reference: str) -> None:
    (folder / "sub").mkdir()
    flow = load(folder, outer(reference, ", with: {n: 3}, set: {t: '${result.total}'}"), registry).flow
    inner = load_file(folder / "inner.yaml", registry).flow
    assert flow.flows == {reference: inner}
    assert pins(flow) == {reference: inner.digest}
    assert flow.unpinned == ()


def test_the_digest_covers_what_is_entered_however_deep(folder: Path, registry: Registry) -> None:
    (folder / "middle.yaml").write_text(outer("./inner.yaml").replace("outer", "middle"), encoding="utf-8")
    text = outer("./middle.yaml", "}\n- {id: again, flow: ./inner.yaml")
    first = load(folder, text, registry).flow
    assert [flow.name for flow in inside(first)] == ["inner", "middle"]
    (folder / "inner.yaml").write_text(INNER.replace("total: 0", "total: 5"), encoding="utf-8")
    second = load(folder, text, registry).flow
    assert first.digest != second.digest
    assert first.flows["./middle.yaml"].digest != second.flows["./middle.yaml"].digest


def test_a_folder_inside_has_its_own_neighbours(folder: Path, registry: Registry) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "middle.json").write_text(
        json.dumps({"flow": "middle", "line": [{"id": "s", "flow": "../inner.yaml"}]}), encoding="utf-8"
    )
    flow = load(folder, outer("sub/middle.json"), registry).flow
    assert [each.name for each in inside(flow)] == ["inner", "middle"]


def test_canonical_data_keeps_its_pins(folder: Path, registry: Registry) -> None:
    flow = load(folder, outer("./inner.yaml"), registry).flow
    data = json.loads(json.dumps(flow.data))
    assert from_canonical(data, registry) == flow._replace(flows={})
    assert load_data(data, registry).flow.digest == flow.digest


def test_a_name_without_a_file_is_left_to_the_store(folder: Path, registry: Registry) -> None:
    flow = load(folder, outer("elsewhere"), registry).flow
    assert (flow.unpinned, pins(flow), flow.flows) == (("elsewhere",), {}, {})
    inner = load_file(folder / "inner.yaml", registry).flow
    accepted = pinned(flow, {"elsewhere": inner})
    assert (accepted.unpinned, pins(accepted)) == ((), {"elsewhere": inner.digest})
    assert accepted.digest != flow.digest
    assert from_canonical(accepted.data, registry).digest == accepted.digest
    assert load_data(flow.data, registry, flows={"elsewhere": inner}).flow == accepted


def test_a_pin_holds(folder: Path, registry: Registry) -> None:
    text = outer("./inner.yaml")
    pin = load(folder, text, registry).flow.data["flows"]["./inner.yaml"]
    held = f"{text}flows: {{./inner.yaml: {pin}}}\n"
    assert load(folder, held, registry).flow == load(folder, text, registry).flow
    (folder / "inner.yaml").write_text(INNER + "timeout: 5\n", encoding="utf-8")
    (problem,) = refused(folder, held, registry)
    assert "not what it was when it was pinned" in problem
    loaded = load(folder, f"{text}flows: {{nobody: {pin}}}\n", registry)
    assert ["'nobody'" in warning.reason for warning in loaded.warnings] == [True]


@pytest.mark.parametrize(
    ("more", "path", "said"),
    [
        (", with: {m: 1}", "$.line[0].with.m", "has no variable 'm'"),
        (", with: {n: one}", "$.line[0].with.n", "is declared int"),
        (", executor: process", "$.line[0].executor", "does not take"),
    ],
)
def test_what_a_subflow_is_given_is_checked(folder: Path, registry: Registry, more: str, path: str, said: str) -> None:
    (problem,) = refused(folder, outer("./inner.yaml", more), registry)
    assert path in problem
    assert said in problem


def test_the_problems_of_a_subflow_stand_in_its_own_file(folder: Path, registry: Registry) -> None:
    (folder / "inner.yaml").write_text(INNER.replace("lib.echo", "lib.ehco"), encoding="utf-8")
    first, second = refused(folder, outer("./inner.yaml", "}\n- {id: b, call: lib.echo, with: {value: 1}"), registry)
    assert first.startswith("outer.yaml: $.line[0].flow: the flow in ")
    assert second.startswith("inner.yaml: $.line[0].call: ")


def test_the_warnings_of_a_subflow_are_shown(folder: Path, registry: Registry) -> None:
    (folder / "inner.yaml").write_text(INNER + f"flows: {{nobody: {64 * 'f'}}}\n", encoding="utf-8")
    assert [warning.path for warning in load(folder, outer("inner"), registry).warnings] == ["$.flows.nobody"]


@pytest.mark.parametrize("direct", [True, False])
def test_a_flow_cannot_contain_itself(folder: Path, registry: Registry, direct: bool) -> None:
    (folder / "inner.yaml").write_text(
        outer("./outer.yaml").replace("flow: outer\n", "flow: inner\n"), encoding="utf-8"
    )
    problems = refused(folder, outer("./outer.yaml" if direct else "./inner.yaml"), registry)
    ring = "outer.yaml -> outer.yaml" if direct else "outer.yaml -> inner.yaml -> outer.yaml"
    assert ["a flow cannot contain itself" in problem and ring in problem for problem in problems].count(True) == 1


@pytest.mark.parametrize(("depth", "fits"), [(19, True), (20, False)])
def test_how_deep_flows_may_be_nested(folder: Path, registry: Registry, depth: int, fits: bool) -> None:
    for level in range(1, depth):
        text = outer(f"./f{level + 1}.yaml").replace("outer", f"f{level}")
        (folder / f"f{level}.yaml").write_text(text, encoding="utf-8")
    (folder / f"f{depth}.yaml").write_text(INNER, encoding="utf-8")
    if fits:
        assert len(list(inside(load(folder, outer("./f1.yaml"), registry).flow))) == depth
    else:
        (problem,) = refused(folder, outer("./f1.yaml"), registry)
        assert "deeper than 20" in problem
        assert problem.startswith("f19.yaml: "), "said once, where it is"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("", "cannot run"),
        ("flow: other\nline: [{id: a, end: null}]", "holds the flow 'other'"),
    ],
)
def test_a_file_of_no_use(folder: Path, registry: Registry, content: str | None, said: str) -> None:
    if content is None:
        (folder / "bad.yaml").mkdir()
    else:
        (folder / "bad.yaml").write_text(content, encoding="utf-8")
    problems = refused(folder, outer("bad.yaml" if content is None else "bad"), registry)
    assert said in problems[0]


def test_an_original_flow_enters_the_file_beside_it(folder: Path, registry: Registry) -> None:
    nodes = [
        {"task_id": 1, "task_type": "start", "task_module": "BuiltIn", "method_name": "start", "next_id": 2},
        {"task_id": 2, "task_type": "sub_process", "method_kwargs": {"process_name": "inner", "n": 4}, "next_id": 3,
         "task_config": {"timeout": 5, "task_strategy": "retry", "retry_time": 1},
         "result": [{"total": "${total}", "variable_type": "int"}]},
        {"task_id": 3, "task_type": "end", "task_module": "BuiltIn", "method_name": "end", "next_id": None},
    ]  # fmt: skip
    path = folder / "old.json"
    path.write_text(json.dumps({"process_info": {"process_name": "old"}, "nodes": nodes}), encoding="utf-8")
    flow = load_file(path, registry).flow
    assert flow.flows["inner"].name == "inner"
    node = flow.line.nodes[1]
    assert (node.type, node.timeout, node.strategies[0].name) == ("sub_process", 5, "retry")
