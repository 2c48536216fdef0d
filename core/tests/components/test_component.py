"""Names, values, arguments, results and schema of a component."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from typing import Any

RUN = "def run(a: int, b: float = 2.0, *, c: str | None = None) -> int:\n    return a"


@pytest.mark.parametrize(
    ("names", "problems"),
    [
        (["a"], []),
        (["a", "b", "c"], []),
        ([], ["the argument 'a' is missing"]),
        (["x"], ["the argument 'a' is missing", "there is no argument 'x' (arguments: a, b, c)"]),
        (["a", "context"], ["there is no argument 'context' (arguments: a, b, c)"]),
    ],
)
def test_names(load: Any, names: list[str], problems: list[str]) -> None:
    assert load(RUN).check_names(names) == problems


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"a": 1}, None),
        ({"a": 1, "b": 3, "c": None}, None),
        ({"a": 1, "b": True}, "the argument 'b' does not fit: expected float, got bool"),
        ({"a": 1, "c": 5}, "the argument 'c' does not fit: expected str | None, got int"),
        ({"b": 1.0}, "the argument 'a' is missing"),
        ({"a": 1, "x": 1}, "there is no argument 'x' (arguments: a, b, c)"),
    ],
)
def test_arguments(load: Any, arguments: dict[str, Any], reason: str | None) -> None:
    assert load(RUN).check_arguments(arguments) == reason


def test_a_value_by_itself(load: Any) -> None:
    found = load(RUN)
    assert found.check_value("a", 1) is None
    assert found.check_value("a", "1") == "expected int, got str"
    assert found.check_value("nowhere", "1") is None


def test_unhinted_arguments_take_anything(load: Any) -> None:
    assert load("def run(a): ...").check_arguments({"a": object()}) is None


def test_further_arguments(load: Any) -> None:
    found = load("def run(a: int, **more: str): ...")
    assert found.check_names(["a", "x", "y"]) == []
    assert found.check_arguments({"a": 1, "x": "y"}) is None
    assert found.check_arguments({"a": 1, "x": 2}) == "the argument 'x' does not fit: expected str, got int"
    assert found.check_value("x", 2) == "expected str, got int"
    assert found.schema()["additionalProperties"] == {"type": "string"}


@pytest.mark.parametrize("more", ["", ", **more"])
def test_the_context_is_not_the_flows_to_give(load: Any, more: str) -> None:
    found = load(f"def run(context{more}): ...")
    assert found.check_arguments({"context": 1}) == "the argument 'context' is given by the engine"
    assert found.check_names(["context"]) == ["the argument 'context' is given by the engine"]


def test_result(load: Any) -> None:
    assert load(RUN).check_result(1) is None
    assert load(RUN).check_result("1") == "the result does not fit the component's hint: expected int, got str"
    assert load("def run(): ...").check_result(object()) is None


def test_schema(load: Any) -> None:
    found = load(
        '''
        from __future__ import annotations
        from datetime import datetime
        from typing import Any, Literal, TypedDict
        class Item(TypedDict, total=False):
            name: str
            parts: list[Item]
        def run(
            a: int, when: datetime, item: Item, value: Any, kinds: list[Literal["x", "y"]],
            b: float = 1.5, c: dict[str, bool] | None = None, d: tuple[int, str] = (1, "a"), e: set[str] = frozenset(),
            context: Context = None,
        ) -> None:
            """Do one thing
            and another.

            :param a: the first,
                which counts.
            :param float b: the second.
            """
        '''
    )
    item = f"{found.target}.Item"
    assert found.schema() == {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "lib.run",
        "description": "Do one thing and another.",
        "type": "object",
        "properties": {
            "a": {"type": "integer", "description": "the first, which counts."},
            "when": {"type": "string", "format": "date-time"},
            "item": {"allOf": [{"$ref": f"#/definitions/{item}"}]},
            "value": {},
            "kinds": {"type": "array", "items": {"enum": ["x", "y"]}},
            "b": {"type": "number", "default": 1.5, "description": "the second."},
            "c": {
                "anyOf": [{"type": "object", "additionalProperties": {"type": "boolean"}}, {"type": "null"}],
                "default": None,
            },
            "d": {
                "type": "array",
                "items": [{"type": "integer"}, {"type": "string"}],
                "minItems": 2,
                "maxItems": 2,
                "default": (1, "a"),
            },
            "e": {"type": "array", "uniqueItems": True, "items": {"type": "string"}},
        },
        "required": ["a", "when", "item", "value", "kinds"],
        "additionalProperties": False,
        "definitions": {
            item: {
                "title": "Item",
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "parts": {"type": "array", "items": {"$ref": f"#/definitions/{item}"}},
                },
                "required": [],
                "additionalProperties": False,
            },
        },
    }
