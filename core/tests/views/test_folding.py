"""Whatever the tree and the room: no more rows than there is room for, and every task is shown or counted."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orderlines.views.folding import Fold, fold
from orderlines.views.tree import Item, build_tree

STATUSES = st.sampled_from(["SUCCESS", "SUCCESS", "SUCCESS", "FAILURE", "RUNNING", "STOP"])


@st.composite
def trees(draw: st.DrawFn) -> list[dict[str, object]]:
    """Tasks of a run: each new one stands in a line that is there already, or in a new line of an earlier task."""
    tasks: list[dict[str, object]] = []
    lines = [""]
    for number in range(draw(st.integers(1, 60))):
        line = draw(st.sampled_from(lines))
        tasks.append({"line": line, "node": f"n{number}", "visit": 1, "status": draw(STATUSES)})
        lines += [f"{line}/n{number}#1/{child}" for child in range(draw(st.integers(0, 3)))]
    return tasks


def label(item: Item | Fold) -> str | None:
    return item.task["node"] if isinstance(item, Item) and item.task is not None else None


@given(tasks=trees(), limit=st.integers(1, 80))
def test_everything_is_shown_or_counted_in_the_room_there_is(tasks: list[dict[str, object]], limit: int) -> None:
    rows = fold(build_tree(tasks), limit)
    assert len(rows) <= limit
    seen = Counter(item.what.task["status"] for item in rows if isinstance(item.what, Item) and item.what.task)
    for row in rows:
        if isinstance(row.what, Fold):
            seen.update(row.what.counts)
    assert seen == Counter(task["status"] for task in tasks)


@given(tasks=trees())
def test_nothing_is_folded_where_there_is_room(tasks: list[dict[str, object]]) -> None:
    rows = fold(build_tree(tasks), 10 * len(tasks))
    assert not any(isinstance(row.what, Fold) for row in rows)
    assert Counter(label(row.what) for row in rows if label(row.what)) == Counter(task["node"] for task in tasks)


@given(tasks=trees(), limit=st.integers(1, 80))
def test_a_row_stands_one_step_below_what_it_belongs_to(tasks: list[dict[str, object]], limit: int) -> None:
    depths = [row.depth for row in fold(build_tree(tasks), limit)]
    assert depths[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(depths))
