"""What a line of a graph is given: the assignments of all lines before it, merged in the order of the flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlines.flow.ordering import merging_order
from orderlines.line import Assignments, Before, predecessors, within
from orderlines.line.scope import Outcomes

if TYPE_CHECKING:
    from random import Random

Graph = tuple[dict[int, tuple[int, ...]], dict[int, dict[str, int]], list[int]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Return who comes after whom, what each assigns, and an order in which they may end."""
    order = draw(st.permutations(range(draw(st.integers(1, 12)))))
    after = {
        place: tuple(sorted(draw(st.sets(st.sampled_from(order[:position]))))) if position else ()
        for position, place in enumerate(order)
    }
    assigned = {place: draw(st.dictionaries(st.sampled_from("abc"), st.integers())) for place in order}
    return {place: before for place, before in after.items() if before}, assigned, order


@given(graphs())
def test_it_is_what_merging_all_lines_before_it_gives(graph: Graph) -> None:
    after, assigned, order = graph
    assignments = Assignments(after)
    for place in order:
        expected: dict[str, int] = {}
        earlier = set(predecessors(after, place))
        for before in merging_order(after, len(order)):
            if before in earlier:
                expected.update(assigned[before])
        assert assignments.complete(place)
        assert assignments.before(place, "abc") == expected
        assert assignments.before(place, "b") == {name: value for name, value in expected.items() if name == "b"}
        assignments.ended(place, assigned[place])


@given(graphs())
def test_what_is_merged_later_comes_after_or_is_listed_after(graph: Graph) -> None:
    after, _, order = graph
    merged = list(merging_order(after, len(order)))
    assert sorted(merged) == sorted(order)
    earlier = {place: {place, *predecessors(after, place)} for place in order}
    for rank, place in enumerate(merged):
        assert earlier[place] <= set(merged[: rank + 1])
        for one in merged[rank + 1 :]:  # One that is listed before it makes way only for what itself or another needs.
            assert one > place or any(place in earlier[needing] for needing in range(one + 1))


def test_a_graph_may_be_deeper_than_the_stack() -> None:
    depth = 20_000
    assignments = Assignments({place: (place - 1,) for place in range(1, depth)})
    assignments.ended(0, {"a": 1})
    for place in range(1, depth):
        assignments.ended(place, {})
    assert assignments.before(depth - 1, ["a", "b"]) == {"a": 1}


@given(graphs(), st.randoms(use_true_random=False))
def test_what_comes_before_a_line_is_found_in_any_order(graph: Graph, chance: Random) -> None:
    after, _, order = graph
    for place in order:
        before = Before(after, place)
        asked = chance.sample(order, len(order)) * 2
        assert {each for each in asked if each in before} == set(predecessors(after, place))


class Uncopied(dict[str, int]):
    """Outcomes that may be looked up and not walked over."""

    def keys(self) -> Any:
        raise AssertionError("all outcomes are walked over to look at one of them")

    __iter__ = keys


def test_who_looks_at_one_outcome_does_not_copy_all() -> None:
    nodes = Outcomes(Uncopied(a=1), Uncopied(a=2, b=3))
    assert (nodes["a"], nodes["b"], nodes.get("c")) == (1, 3, None)
    assert len(Outcomes({"a": 1}, {"a": 2, "b": 3})) == 2


@pytest.mark.parametrize(
    ("task", "line", "found"),
    [
        ("", "", True),
        ("/f#1/0", "", True),
        ("/f#1/0/g#2/0", "/f#1/0", True),
        ("/f#1/0", "/f#1/0/g#2/0", False),
        ("/f#1/01", "/f#1/0", False),
        ("/f#2/0", "/f#1/0", False),
        ("/f#1/0/s#1/~sub", "/f#1/0", False),
        ("/s#1/~sub/g#1/0", "", False),
        ("/s#1/~sub/g#1/0", "/s#1/~sub", True),
    ],
)
def test_the_tasks_of_a_line_are_its_own_and_those_of_lines_that_it_opens_in_its_flow(
    task: str, line: str, found: bool
) -> None:
    assert within(task, line) == found
