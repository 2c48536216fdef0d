"""What is odd about a native flow: it can run, but perhaps not as somebody expects."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderlines.errors import Problem
    from orderlines.flow.load import Loaded

    Load = Callable[..., Loaded]
    Mistake = Callable[[str, str, str], Problem]

A = "\N{CYRILLIC SMALL LETTER A}"
CALL = "call: lib.echo, with: {value: 1}"


def warned(load: Load, text: str) -> list[tuple[str, str]]:
    return [(problem.path, f"{problem.reason} ({problem.hint})") for problem in load(text).warnings]


def flow(*nodes: str, head: str = "") -> str:
    return f"flow: x\n{head}line:\n" + "".join(f"- {{{node}}}\n" for node in nodes)


@pytest.mark.parametrize(
    ("after", "at_once"),
    [
        ({"a": "", "b": "a", "c": "b"}, False),
        ({"a": "b", "b": "c", "c": ""}, False),
        ({"a": "", "b": "a", "c": "a, b"}, False),
        ({"a": "", "b": "a", "c": "a"}, True),
        ({"a": "", "b": "", "c": "a, b"}, True),
        ({"a": "", "b": "a", "c": ""}, True),
        ({"a": "", "b": ""}, True),
        ({"a": ""}, False),
    ],
)
def test_only_what_could_run_at_once_is_told_that_it_runs_one_after_the_other(
    after: dict[str, str], at_once: bool, load: Load
) -> None:
    nodes = ", ".join(f"{{id: {name}, {CALL}, after: [{names}]}}" for name, names in after.items())
    told = warned(load, flow(f"id: g, graph: {{nodes: [{nodes}]}}"))
    assert [path for path, said in told if "one after the other" in said] == ["$.line[0].graph"] * at_once


def test_the_waits_between_calls_may_be_in_any_order(load: Load) -> None:
    """What makes no call does not count, and leads from one that does to the next."""
    wait = "{id: w, delay: 1, after: [a]}, {id: v, delay: 1}"
    for more, at_once in (("w", False), ("v", True)):
        nodes = f"{{id: b, {CALL}, after: [{more}]}}, {wait}, {{id: a, {CALL}}}"
        assert (
            any("one after the other" in said for _, said in warned(load, flow(f"id: g, graph: {{nodes: [{nodes}]}}")))
            == at_once
        )


SWITCH = "id: s, switch: [{when: '${n > 3}', goto: z}, {else: end}]"


def test_a_node_that_hides_the_end_of_its_line(load: Load) -> None:
    nodes = (f"id: end, {CALL}", SWITCH, f"id: z, {CALL}")
    ((path, said),) = warned(load, flow(*nodes, head="vars: {n: 1}\n"))
    assert path == "$.line[1].switch[1].else"
    assert "the node that is called 'end'" in said
    assert warned(load, flow(*nodes[1:], "id: end, end: ", head="vars: {n: 1}\n")) == []
    assert warned(load, flow(*nodes[1:], head="vars: {n: 1}\n")) == []


@pytest.mark.parametrize("more", ["on_error: skip", "on_error: {skip: 5}", "on_error: ignore", "enabled: false"])
def test_a_switch_that_may_be_skipped_says_where_the_line_goes_on_then(more: str, load: Load, mistake: Mistake) -> None:
    z, y, head = f"id: z, {CALL}", f"id: y, {CALL}", "vars: {n: 1}\n"
    wrong = flow(f"{SWITCH}, {more}", z, head=head)
    found = mistake(wrong, f"$.line[0].{more.partition(':')[0]}", "does not say where the line goes on")
    assert "`next`" in found.hint
    assert warned(load, flow(f"{SWITCH}, {more}, next: y", f"{y}, next: end", z, head=head)) == []
    ((path, said),) = warned(load, flow(f"{SWITCH}, next: z", z, head=head))
    assert path == "$.line[0].next"
    assert "never goes on at `next`" in said
    mistake(flow(f"{SWITCH}, next: nowhere", z, head=head), "$.line[0].next", "there is no node 'nowhere'")


@pytest.mark.parametrize("more", ["on_error: skip", "on_error: {skip: 5}", "enabled: false"])
def test_a_variable_that_a_skipped_node_leaves_unset(more: str, load: Load) -> None:
    nodes = (f"id: a, {CALL}, set: {{v: '${{result}}'}}, {more}", "id: b, call: lib.echo, with: {value: '${v}'}")
    ((path, said),) = warned(load, flow(*nodes))
    assert path == "$.line[1].with"
    assert "the variable 'v' is not set where 'a' is skipped" in said
    assert warned(load, flow(*nodes, head="vars: {v: 0}\n")) == []
    assert warned(load, flow(nodes[0], "id: b, call: lib.echo, with: {value: '${default(v, 0)}'}")) == []


def test_the_on_failure_of_a_node_stands_for_the_flows(load: Load) -> None:
    handler = "{call: lib.echo, with: {value: 1}}"
    head = f"on_failure: {handler}\n"
    node = f"id: a, {CALL}, on_failure: {handler}"
    ((path, said),) = warned(load, flow(node, head=head))
    assert path == "$.line[0].on_failure"
    assert "the flow's own `on_failure` is not" in said
    assert warned(load, flow(f"id: g, group: [{{{node}}}]", head=head)) == []
    assert warned(load, flow(node)) == []


def test_expressions_of_a_skipped_value_are_checked(load: Load, mistake: Mistake) -> None:
    good = "on_error: {skip: {x: '${n + 1}', why: '${error.message}'}}"
    assert warned(load, flow(f"id: a, {CALL}, {good}", head="vars: {n: 1}\n")) == []
    mistake(flow(f"id: a, {CALL}, on_error: {{skip: {{x: '${{nope}}'}}}}"), "$.line[0].on_error.skip.x", "nope")
    mistake(flow(f"id: a, {CALL}, on_error: {{skip: '${{1 +}}'}}"), "$.line[0].on_error.skip", "")


def test_names_that_look_alike(load: Load, mistake: Mistake) -> None:
    mistake(flow(f"id: a, {CALL}", f"id: {A}, {CALL}"), "$.line[1].id", unicodedata.name(A))
    mistake(flow(f"id: a, {CALL}", head=f"vars: {{x{A}: 1, xa: 2}}\n"), "$.vars.xa", "looks like")
    mistake(flow(f'id: "e\\u0301", {CALL}', f'id: "\\u00e9", {CALL}'), "$.line[1].id", "is not LATIN SMALL LETTER E")
    mistake(flow(f'id: "a\\u0301", {CALL}', f'id: "{A}\\u0301", {CALL}'), "$.line[1].id", unicodedata.name(A))
    ((_, said),) = warned(load, flow(f"id: p{A}y, {CALL}"))
    assert "write it as 'pay'" in said


@pytest.mark.parametrize(
    "name", ["\u8ba2\u5355", "\u8ba2\u5355a1", "\u0441\u043e\u0440\u0442", "\u0394T", "caf\u00e9", "\u03b2-test"]
)
def test_names_in_any_script_are_fine(name: str, load: Load) -> None:
    assert warned(load, flow(f"id: {name}, {CALL}")) == []


def test_who_sets_what_an_item_is_called_is_told(load: Load) -> None:
    line = f"{{id: a, {CALL}, set: {{order: 1, total: 2}}}}"
    ((path, said),) = warned(load, flow(f"id: e, foreach: [1], as: order, line: [{line}]"))
    assert path == "$.line[0].line[0].set.order"
    assert "in the lines of 'e', 'order' is the item" in said


def test_an_expression_in_vars_is_told_to_stay_text(load: Load) -> None:
    head = "vars: {a: 1, b: ['${a}', {c: 'x ${a}'}], d: plain}\n"
    told = warned(load, flow(f"id: a, {CALL}", head=head))
    assert [path for path, _ in told] == ["$.vars.b[0]", "$.vars.b[1].c"]
    assert all("stays the text that it is" in said for _, said in told)
