"""Accepting runs, and what a key stands for."""

# ruff: noqa: PLR2004 -- as in any test, the expected numbers are the test

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from orderlines.errors import Refused
from orderlines.states import LineStatus, RunStatus
from orderlines.testing.drivers.played import everything
from orderlines.testing.drivers.records import ending, new_run
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.testing.drivers.played import PlayedDriver
    from orderlines.testing.stores.case import Crowd


class AcceptTests(StoreCase):
    """``accept``: keep a new run with its flow and its root line, or return the run with the same flow and key."""

    def test_a_new_run_is_kept_with_its_flow_and_its_root_line(self, store: Store) -> None:
        before = store.now()
        new = new_run(key="k", executor="thread")
        row = store.accept(new)
        assert row == store.run(row.id) == store.run(new.name)
        assert (row.name, row.flow, row.version, row.digest) == (new.name, new.flow, new.version, new.digest)
        assert (row.vars, row.key, row.executor, row.status) == (new.vars, "k", "thread", RunStatus.PENDING)
        assert (row.wish, row.started, row.deadline, row.finished, row.variables, row.error) == (None,) * 6
        assert row.round == 1
        assert before <= row.created <= store.now()
        assert store.flow(new.digest) == new.body
        (line,) = store.lines(row.id)
        assert line == store.line(line.id)
        assert (line.run, line.path, line.parent, line.join, line.block) == (row.id, "", None, None, 0)
        assert (line.status, line.cursor, line.seq, line.owner, line.halt) == (LineStatus.READY, 0, 0, None, 0)
        assert (line.due, line.attempt, line.tasks, line.vars, line.vars_at) == (None, 0, 0, new.vars, 0)

    def test_without_a_key_each_run_is_another(self, store: Store) -> None:
        runs = [store.accept(new_run()) for _ in range(3)]
        assert len({run.id for run in runs}) == 3
        assert [len(store.lines(run.id)) for run in runs] == [1, 1, 1]

    def test_the_same_flow_and_key_is_the_same_run(self, store: Store, other: Store) -> None:
        first = store.accept(new_run(key="k"))
        assert other.accept(new_run(key="k")) == first
        assert len(store.lines(first.id)) == 1
        assert store.runs(10) == [first]

    def test_a_key_stands_for_its_run_after_its_end(self, driver: PlayedDriver) -> None:
        line = driver.begin(key="k")
        driver.write(ending(line))
        again = driver.store.accept(new_run(key="k"))
        assert (again.id, again.status) == (line.run, RunStatus.SUCCESS)
        assert driver.claim() == []

    @pytest.mark.parametrize("changed", [{"digest": "another"}, {"vars": '{"a":2}'}], ids=["digest", "variables"])
    def test_a_key_used_with_something_else_is_refused(self, store: Store, changed: dict[str, Any]) -> None:
        first = store.accept(new_run(key="the-key"))
        with pytest.raises(Refused, match="the-key") as refusal:
            store.accept(new_run(key="the-key", **changed))
        assert first.name in str(refusal.value)
        assert store.runs(10) == [first]
        assert store.accept(new_run(key="the-key")) == first

    def test_keys_of_different_flows_are_independent(self, store: Store) -> None:
        runs = [store.accept(new_run(key="k", flow=flow, digest=flow)) for flow in ("one", "two")]
        assert runs[0].id != runs[1].id
        assert [run.flow for run in runs] == ["one", "two"]

    @pytest.mark.parametrize(
        ("one", "two"),
        [("a", "A"), ("a", "a "), ("e", "\u00e9"), ("\u00e9", "e\u0301"), ("ss", "\u00df"), ("a", "a\0"), ("", None)],
        ids=["case", "trailing space", "accent", "composition", "sharp s", "zero byte", "empty"],
    )
    def test_keys_are_compared_exactly(self, store: Store, one: str, two: str | None) -> None:
        first, second = (store.accept(new_run(key=key)) for key in (one, two))
        assert first.id != second.id
        assert (first.key, second.key) == (one, two)
        assert store.accept(new_run(key=one)) == first

    def test_many_at_once_with_one_key_get_one_run(self, store: Store, crowd: Crowd) -> None:
        answers = crowd("accept", [{"key": "k", "times": 5}] * 8)
        (run,) = store.runs(10)
        assert answers == [[run.id] * 5] * 8
        assert len(store.lines(run.id)) == 1

    def test_many_at_once_without_a_key_lose_no_run(self, store: Store, crowd: Crowd) -> None:
        answers = crowd("accept", [{"key": None, "times": 10}] * 6)
        numbers = sorted(number for answer in answers for number in answer)
        assert numbers == sorted(run.id for run in store.runs(100))
        assert len(set(numbers)) == 60

    def test_a_refused_key_changes_nothing(self, store: Store) -> None:
        first = store.accept(new_run(key="k"))
        before = everything(store, first.id)
        with pytest.raises(Refused):
            store.accept(new_run(key="k", digest="another", body="{}"))
        assert everything(store, first.id) == before
        assert store.flow(first.digest) == new_run().body
