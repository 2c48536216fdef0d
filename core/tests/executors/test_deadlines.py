from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orderlines.executors.deadlines import Deadlines

OPERATIONS = st.lists(
    st.tuples(st.just("set"), st.integers(0, 9), st.floats(0, 100))
    | st.tuples(st.just("drop"), st.integers(0, 9), st.just(0.0))
    | st.tuples(st.just("due"), st.just(0), st.floats(0, 100)),
    max_size=300,
)


@given(OPERATIONS)
def test_they_are_a_mapping_from_keys_to_moments(operations: list[tuple[str, int, float]]) -> None:
    deadlines = Deadlines()
    model: dict[int, float] = {}
    for what, key, moment in operations:
        if what == "set":
            deadlines.set(key, moment)
            model[key] = moment
        elif what == "drop":
            deadlines.drop(key)
            model.pop(key, None)
        else:
            due = deadlines.due(moment)
            assert sorted(due) == sorted(key for key, when in model.items() if when <= moment)
            assert [model[key] for key in due] == sorted(model[key] for key in due)
            model = {key: when for key, when in model.items() if key not in due}
        assert deadlines.next() == min(model.values(), default=None)


def test_dropped_ones_take_no_room() -> None:
    deadlines = Deadlines()
    for key in range(10_000):
        deadlines.set(key, 1e9)
        deadlines.drop(key)
    assert len(deadlines._heap) < 200
