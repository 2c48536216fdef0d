"""A flow as YAML reads back as the same flow, whatever is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlines.flow.converting import to_yaml
from orderlines.flow.load import load_data, load_file, load_text
from orderlines.flow.report import Report
from orderlines.flow.source import Source

if TYPE_CHECKING:
    from pathlib import Path

    from orderlines.plugins import Registry

_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.sampled_from(
    ["on", "1e3", "0o17", "0x1F", "1:30", "2027-01-01", "~", "", "null", "<<", "=", "a: b", "- a", "#", "!x", "&a",
     "*a", "a\nb\n", " a", "a ", "\n", "${a}", "{", "%", "@", "1_000", ".5", "5.", "NaN", ".nan", "9" * 5000, "\u2028",
     "\x85"]
)  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=10,
)


@given(_VALUES)
def test_any_value_reads_back(registry: Registry, value: Any) -> None:
    document = {
        "flow": "x",
        "vars": {"v": value},
        "line": [{"id": "a", "call": "lib.echo", "with": {"value": 1}}],
    }
    flow = load_data(document, registry).flow
    text = to_yaml(flow)
    assert Source(text, "x.yaml").read(Report()) == flow.data
    assert load_text(text, registry).flow == flow


def test_repeated_values_are_written_out(registry: Registry) -> None:
    value = {"a": [1, 2]}
    node = {"id": "a", "call": "lib.echo", "with": {"value": [value, value]}}
    text = to_yaml(load_data({"flow": "x", "line": [node]}, registry).flow)
    assert "&" not in text
    assert text == (
        "flow: x\nline:\n- id: a\n  call: lib.echo\n  with:\n    value:\n    - a: [1, 2]\n    - a: [1, 2]\n"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("parallel: {executor: process, lines: {l: [{id: z, end: null}]}, limit: 2}",
         "parallel: {limit: 2, lines: {l: [{id: z, end: null}]}, executor: process}"),
        ("switch: [{goto: end, when: '${1 > 2}'}, {else: end}]",
         "switch: [{when: '${1 > 2}', goto: end}, {else: end}]"),
        ("call: lib.echo, with: {value: 1}, retry: {delay: 1s, times: 2}",
         "call: lib.echo, with: {value: 1}, retry: {times: 2, delay: 1}"),
        ("graph: {nodes: [{after: [], id: z, end: null}], limit: 1}",
         "graph: {limit: 1, nodes: [{id: z, end: null, after: []}]}"),
    ],
)  # fmt: skip
def test_the_order_of_settings_means_nothing(registry: Registry, one: str, other: str) -> None:
    texts = (f"flow: x\nline: [{{id: a, {node}}}]" for node in (one, other))
    first, second = (load_text(text, registry).flow for text in texts)
    assert first.data == second.data
    assert first.digest == second.digest


def test_pins_are_not_written_but_made_anew(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "inner.yaml").write_text("{flow: inner, line: [{id: a, end: null}]}", encoding="utf-8")
    (tmp_path / "one.json").write_text('{"flow": "x", "line": [{"id": "s", "flow": "./inner.yaml"}]}', encoding="utf-8")
    flow = load_file(tmp_path / "one.json", registry).flow
    text = to_yaml(flow)
    assert "flows" not in text
    (tmp_path / "two.yaml").write_text(text, encoding="utf-8")
    assert load_file(tmp_path / "two.yaml", registry).flow == flow
