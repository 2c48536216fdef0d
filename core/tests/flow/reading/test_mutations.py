"""Whatever is changed in a flow, it is either refused or read, kept, written, drawn and described as the same flow."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from orderlines.drawing import dot, mermaid, text
from orderlines.drawing.picture import picture
from orderlines.errors import InvalidFlow
from orderlines.flow.converting import to_yaml
from orderlines.flow.load import from_canonical, load_data, load_text
from orderlines.flow.schema import native_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlines.plugins import Registry

    Fits = Callable[[object], bool]

CALL = {"call": "lib.echo", "with": {"value": "${n}"}}
DOCUMENT: dict[str, Any] = {
    "flow": "x",
    "vars": {"n": 1},
    "on_failure": {"call": "lib.echo", "with": {"value": "${error.node}"}},
    "line": [
        {"id": "a", **CALL, "set": {"v": "${result}"}, "retry": {"times": 1}, "on_error": {"goto": "d"}, "timeout": 5},
        {"id": "b", "parallel": {"limit": 1, "lines": {"l": [{"id": "c", **CALL}]}}},
        {"id": "d", "foreach": [1, "${n}"], "as": "it", "limit": 2, "line": [{"id": "e", **CALL}]},
        {"id": "f", "graph": {"nodes": [{"id": "g", **CALL}, {"id": "h", **CALL, "after": ["g"]}]}},
        {"id": "i", "group": [{"id": "j", **CALL}], "timeout": "1m"},
        {"id": "k", "flow": "other", "with": {"n": "${n}"}, "set": {"w": "${result}"}},
        {"id": "l", "delay": "${n}s"},
        {"id": "m", "until": "2027-01-01T00:00:00Z"},
        {"id": "o", "signal": "go", "enabled": False},
        {"id": "p", "switch": [{"when": "${n > 1}", "goto": "a"}, {"else": "end"}], "max_visits": 3},
    ],
}
JUNK: list[Any] = [
    None, True, 5, -1, 1.5, "", "x", "a b", "${n}", "${", "./x.yaml", [], ["g"], [5], {}, {"id": "q", "end": None},
    [{"id": "q", "end": None}], {"a": 1}, "end", "item", "__class__", "process", "5m",
]  # fmt: skip
KEYS = ["as", "limit", "after", "flow", "line", "delay", "until", "max_visits", "executor", "timeout", "set", "with",
        "next", "on_error", "retry", "enabled", "flows", "types", "goto", "else"]  # fmt: skip


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in steps:
        yield (*path, step)
        yield from paths(item, (*path, step))


@st.composite
def mutations(draw: st.DrawFn) -> dict[str, Any]:
    """Return the document with up to three things replaced, taken away or added."""
    document = deepcopy(DOCUMENT)
    for _ in range(draw(st.integers(1, 3))):
        *outer, last = draw(st.sampled_from([*paths(document)]))
        at: Any = document
        for step in outer:
            at = at[step]
        change, junk = draw(st.sampled_from(["replace", "take", "add"])), deepcopy(draw(st.sampled_from(JUNK)))
        if change == "replace":
            at[last] = junk
        elif change == "take":
            del at[last]
        elif isinstance(at, dict):
            at[draw(st.sampled_from(KEYS))] = junk
        else:
            at.insert(last, junk)
        assume(document)
    return document


@pytest.fixture(scope="module")
def fits(registry: Registry) -> Fits:
    """Return whether a document fits the schema: a function, because hypothesis shows what a test is given."""
    validator = Draft7Validator(native_schema(registry)[0])

    def fits(document: object) -> bool:
        return bool(validator.is_valid(document))

    return fits


@given(mutations())
def test_a_changed_flow(registry: Registry, fits: Fits, document: dict[str, Any]) -> None:
    try:
        flow = load_data(document, registry).flow
    except InvalidFlow:
        return
    assert load_data(flow.data, registry).flow == flow == from_canonical(flow.data, registry)
    assert load_text(to_yaml(flow), registry).flow == flow
    assert fits(document)
    assert fits(flow.data)
    for form in (text, mermaid, dot):
        assert list(form.draw(picture(flow, registry)))
