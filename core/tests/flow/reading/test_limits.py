"""Times and numbers that read well and mean nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.errors import Problem
    from orderlines.flow.load import Loaded

    Problems = Callable[..., list[Problem]]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("timeout: 0\nline: [{id: a, call: lib.echo, with: {value: 1}}]", "$.timeout"),
        ("line: [{id: a, call: lib.echo, with: {value: 1}, timeout: 0s}]", "$.line[0].timeout"),
        ("line: [{id: a, signal: go, timeout: 0.0}]", "$.line[0].timeout"),
        (
            "line: [{id: a, signal: go, on_failure: {call: lib.echo, with: {value: 1}, timeout: 0}}]",
            "$.line[0].on_failure.timeout",
        ),
    ],
)
def test_a_timeout_of_nothing_is_refused(text: str, path: str, problems: Problems) -> None:
    (found,) = problems(f"flow: x\n{text}\n")
    assert (found.path, "leave it out" in found.hint) == (path, True)


def test_more_chance_than_delay_is_refused(problems: Problems, load: Callable[..., Loaded]) -> None:
    text = "flow: x\nline: [{{id: a, call: lib.echo, with: {{value: 1}}, retry: {{jitter: {}}}}}]\n"
    (found,) = problems(text.format(7))
    assert (found.path, "between 0 and 1" in found.reason) == ("$.line[0].retry.jitter", True)
    assert load(text.format(1)).flow.line.nodes[0].strategies[0].settings == {"jitter": 1}


@pytest.mark.parametrize("given", ["[1, 2]", "5", "text"])
def test_what_is_no_mapping_of_arguments_is_one_problem(given: str, problems: Problems) -> None:
    for place in ("call: lib.add", "call: lib.echo, with: {value: 1}, on_failure: {call: lib.add"):
        closing = "}" if "{call" in place else ""
        (found,) = problems(f"flow: x\nline: [{{id: a, {place}, with: {given}{closing}}}]\n")
        assert found.path.endswith(".with")


def original(**task: Any) -> str:
    start = {"task_id": 1, "task_type": "start", "next_id": 2}
    node = {"task_id": 2, "task_type": "common", "task_module": "lib", "method_name": "echo", "next_id": 3}
    end = {"task_id": 3, "task_type": "end", "next_id": None}
    nodes = [start, {**node, "method_kwargs": {"value": 1}, **task}, end]
    return json.dumps({"process_id": "x", "task_nodes": nodes})


@pytest.mark.parametrize("given", [[1, 2], 5, "text", True])
def test_what_is_no_mapping_of_arguments_is_one_problem_in_the_original_too(given: Any, problems: Problems) -> None:
    (found,) = problems(original(method_name="add", method_kwargs=given), "flow.json")
    assert (found.path, "must be a mapping" in found.reason) == ("$.task_nodes[1].method_kwargs", True)


@pytest.mark.parametrize("given", [0, 0.0])
def test_a_timeout_of_nothing_was_none_in_the_original(given: float, load: Callable[..., Loaded]) -> None:
    loaded = load(original(task_config={"timeout": given}), "flow.json")
    assert loaded.flow.line.nodes[1].timeout is None
    (warning,) = loaded.warnings
    assert (warning.path, "taken for none" in warning.reason) == ("$.task_nodes[1].task_config.timeout", True)
    document = json.loads(original()) | {"process_config": {"timeout": given}}
    whole = load(json.dumps(document), "flow.json")
    assert (whole.flow.timeout, [warning.path for warning in whole.warnings]) == (None, ["$.process_config.timeout"])


@pytest.mark.parametrize("strategy", [None, "raise", "skip", "retry"])
@pytest.mark.parametrize(
    ("key", "value"), [("retry_time", -1), ("retry_time", 1.5), ("sleep_time", "x"), ("sleep_time", -1)]
)
def test_attempts_are_checked_whatever_the_strategy(
    strategy: str | None, key: str, value: Any, problems: Problems
) -> None:
    (found,) = problems(original(task_config={"task_strategy": strategy, key: value}), "flow.json")
    assert found.path == f"$.task_nodes[1].task_config.{key}"
