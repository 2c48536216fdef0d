"""Each part of a valid flow, in both notations, with something else in its place: read, or refused with reasons."""

from __future__ import annotations

import json
import os
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orderlines.errors import InvalidFlow
from orderlines.flow.load import from_canonical, load_text
from orderlines.flow.report import Report
from orderlines.flow.source import Source
from orderlines.plan import compile_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.errors import Problem
    from orderlines.flow.load import Loaded
    from orderlines.plugins import Registry

    Where = tuple[str | int, ...]
    Load = Callable[..., Loaded]

FLOWS = Path(__file__).resolve().parents[4] / "tests" / "flows"
HOLE = "@hole@"
EVERY = 1 if os.environ.get("ORDERLINES_CHAOS") else 3
"""Of how many places each thing is put into one; different things into different ones."""
NATIVE = {
    "flow": "all-of-it", "version": "3", "vars": {"a": 1, "b": [1, {"c": "d"}]}, "types": {"a": "int"},
    "timeout": "10m", "executor": "inline",
    "on_failure": {"call": "lib.echo", "with": {"value": "${error.message}"}, "timeout": 3},
    "line": [
        {
            "id": "one", "name": "One", "call": "lib.add", "with": {"a": "${a}", "b": 1}, "set": {"a": "${result}"},
            "types": {"a": "int"}, "timeout": "30s",
            "retry": {"times": 3, "delay": "2s", "backoff": 2, "max_delay": "1m", "jitter": 0.1, "on": ["timeout"]},
            "on_error": {"skip": {"x": [1]}}, "on_crash": "fail", "executor": "process", "grace": 1,
            "on_failure": {"call": "lib.report", "with": None}, "enabled": True, "next": "two",
        },
        {"id": "two", "start": {}},
        {
            "id": "both", "timeout": 3, "on_error": {"goto": "tidy"},
            "parallel": {
                "executor": "process", "limit": 8, "on_branch_failure": "wait",
                "lines": {
                    "eu": [{"id": "e", "call": "lib.add", "with": {"a": 1, "b": 2}}],
                    "us": [{"id": "u", "call": "lib.echo", "with": {"value": ["${nodes.one.result}"]}}],
                },
            },
        },
        {"id": "tidy", "group": [{"id": "g", "call": "lib.fetch", "with": {"url": "${b[0]}"}}], "set": {"w": 1}},
        {
            "id": "each", "foreach": "${b}", "as": "it", "limit": 2, "on_branch_failure": "wait",
            "set": {"w": "${result}"}, "types": {"w": "list"}, "timeout": 9, "on_error": "raise",
            "line": [{"id": "i", "call": "lib.echo", "with": {"value": ["${it}", "${index}"]}}],
        },
        {
            "id": "dag", "timeout": "1h", "on_error": {"goto": "sub"},
            "graph": {
                "executor": "process", "limit": 3, "on_branch_failure": "wait",
                "nodes": [
                    {"id": "x", "call": "lib.add", "with": {"a": 1, "b": 2}},
                    {"id": "y", "call": "lib.echo", "with": {"value": "${nodes.x.result}"}, "after": ["x"]},
                ],
            },
        },
        {
            "id": "sub", "flow": "other", "with": {"a": "${a}"}, "set": {"w": "${result}"}, "timeout": 5,
            "retry": {"times": 1},
        },
        {"id": "file", "flow": "./other.yaml", "with": {"a": 1}},
        {"id": "pause", "delay": "1m"},
        {"id": "later", "delay": "${a}"},
        {"id": "then", "until": "2027-01-01T00:00:00+08:00"},
        {"id": "asked", "signal": "go-${a}", "set": {"w": "${result}"}, "timeout": "2d", "on_error": {"skip": 1}},
        {
            "id": "s", "max_visits": 7,
            "switch": [{"when": "${a > 3}", "goto": "e1"}, {"when": False, "goto": "s"}, {"else": "end"}],
        },
        {"id": "e1", "end": {}},
    ],
    "flows": {"./other.yaml": "0" * 64},
}  # fmt: skip
ORIGINAL = [
    "envelope_canvas.json", "gate_status_second_good.json", "gate_value_first.json", "gate_value_second.json",
    "group.json", "parallel_plain.json", "skip.json", "variable_first_form.json", "variable_second_form.json",
]  # fmt: skip
INSTEAD = [
    "[]", "{}", "null", "3", "-1", "0.5", '"x"', '""', "true", "1e400", '"${"', '"${who}"', "9" * 4000, "[null]",
    '{"x": null}', "[[[]]]", '{"": {}}', '"end"', '"\\u0000"', "-1e308",
]  # fmt: skip


def places(value: Any, at: Where = ()) -> Iterator[Where]:
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*at, key))


def with_hole(value: Any, at: Where) -> Any:
    """Copy a document; the hole stands in it where something else will."""
    if not at:
        return HOLE
    copy = value.copy()
    copy[at[0]] = with_hole(value[at[0]], at[1:])
    return copy


def original(name: str) -> Any:
    """Read a flow of the original, which calls what the tests' library has."""
    text = (FLOWS / name).read_text(encoding="utf-8")
    for theirs in ("test_add", "test_subtraction", "test_multi"):
        text = text.replace(f'"{theirs}"', '"add"')
    return json.loads(text.replace('"Test"', '"lib"'))


def outcome(text: str, registry: Registry) -> tuple[Problem, ...]:
    """Return the problems of a flow; one that has none can be compiled, and be read again from what is stored."""
    try:
        loaded = load_text(text, registry, file="f.json")
    except InvalidFlow as refused:
        return refused.problems
    again = from_canonical(json.loads(json.dumps(loaded.flow.data)), registry)
    assert again == loaded.flow
    compile_plan(again, registry, None)
    return loaded.warnings


@pytest.mark.parametrize("instead", INSTEAD, ids=lambda instead: instead[:12])
@pytest.mark.parametrize("name", ["native", *ORIGINAL])
def test_anything_anywhere_is_read_or_refused(name: str, instead: str, registry: Registry) -> None:
    document = NATIVE if name == "native" else original(name)
    for place in islice(places(document), INSTEAD.index(instead) % EVERY, None, EVERY):
        text = json.dumps(with_hole(document, place)).replace(f'"{HOLE}"', instead)
        for problem in outcome(text, registry):
            assert problem.line is not None, (place, problem)
            assert problem.column is not None, (place, problem)
            assert problem.path.startswith("$"), (place, problem)
            assert problem.hint or problem.warning, (place, problem)
            assert len(str(problem)) < 2000, place


@pytest.mark.parametrize("name", ["native", *ORIGINAL])
def test_the_flows_are_good_before(name: str, registry: Registry) -> None:
    document = NATIVE if name == "native" else original(name)
    found = outcome(json.dumps(document), registry)
    assert [problem for problem in found if not problem.warning] == []


# Of each: the native line, the fields of the original's node, and what is said of both.
MISTAKES = [
    ("[{id: a, call: lib.echo, with: {value: 1}, next: b}]", {"next_id": "b"}, "b"),
    ("[{id: a, call: lib.nope}]", {"method_name": "nope"}, "nope"),
    ("[{id: a, call: nope.echo}]", {"task_module": "nope"}, "nope"),
    ("[{id: a, call: lib.add, with: {a: 1}}]", {"method_kwargs": {"a": 1}}, "'b' is missing"),
    ("[{id: a, call: lib.echo, with: {value: 1, w: 2}}]", {"method_kwargs": {"a": 1, "b": 2, "w": 3}}, "'w'"),
    ("[{id: a, call: lib.echo, with: {value: '${1 +}'}}]", {"method_kwargs": {"a": "${x}+", "b": 2}}, "expression"),
    ("[{id: a, call: lib.echo, with: {value: '${who}'}}]", {"method_kwargs": {"a": "${who}", "b": 2}}, "who"),
    ("[{id: a, call: lib.echo, with: {value: 1}, timeout: soon}]", {"task_config": {"timeout": "soon"}}, "duration"),
    ("[{id: a, call: lib.echo, with: {value: 1}, timeout: -1}]", {"task_config": {"timeout": -1}}, "negative"),
    ("[{id: a, call: lib.echo, with: {value: 1}, executor: warp}]", {"task_config": {"runner": "warp"}}, "warp"),
    ("[{id: a, call: lib.echo, with: {value: 1}, on_error: pray}]", {"task_config": {"task_strategy": "pray"}}, "pray"),
    ("[{id: a, call: lib.echo, with: {value: 1}, next: a}]", {"next_id": "a"}, "without an exit"),
    ("[{id: a, call: lib.echo, with: {value: 1}, retry: {times: -1}}]",
     {"task_config": {"task_strategy": "retry", "retry_time": -1}}, "too small"),
    ("[{id: __class__, call: lib.__class__}]", {"method_name": "__class__"}, "__class__"),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["yaml", "json"])
@pytest.mark.parametrize(("native", "fields", "said"), MISTAKES, ids=[str(n) for n in range(len(MISTAKES))])
def test_a_mistake_is_found_in_both_notations(
    native: str, fields: dict[str, Any], said: str, kind: str, registry: Registry, load: Load
) -> None:
    node = {"task_id": "a", "task_type": "common", "task_module": "lib", "method_name": "add", "next_id": None}
    nodes = [
        {"task_id": "s", "task_type": "start", "next_id": "a"},
        node | {"method_kwargs": {"a": 1, "b": 2}} | fields,
    ]
    linked = {"process_info": {"process_id": "p"}, "task_nodes": nodes}
    texts = [f"flow: x\nline: {native}\n", json.dumps(linked, indent=1)]
    if kind == "json":
        texts[0] = json.dumps(Source(texts[0], kind="yaml").read(Report()), indent=1)
    for text in texts:
        with pytest.raises(InvalidFlow) as caught:
            load_text(text, registry, file=f"f.{kind}")
        found = [problem for problem in caught.value.problems if not problem.warning]
        (mine,) = [problem for problem in found if said in f"{problem.reason} {problem.hint}"]
        assert mine.file == f"f.{kind}"
        assert mine.line is not None
        assert mine.hint
