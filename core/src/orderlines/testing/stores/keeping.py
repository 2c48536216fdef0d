"""Texts and numbers come back as they were given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines.testing.drivers.records import ending, fork, new_run, opening, step, task
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from orderlines.stores.base import Store
    from orderlines.testing.drivers.played import PlayedDriver

TEXTS = {
    "emoji": "\U0001f600 \U0001f469\u200d\U0001f469\u200d\U0001f467",
    "four-byte": "\U0001d11e\U0010ffff",
    "zero-byte": "a\0b\0",
    "empty": "",
    "blanks": "  a \t\r\n ",
    "quotes": "'\"`; DROP TABLE runs; -- \\' %s {0} ${a} \\N",
    "order-mark": "\ufeff\u202e\u0000\u001f\u007f",
    "megabyte": "0123456789abcdef" * 65_536,
    "megabyte-of-four": "\U0001f600" * 262_144,
}
PAIRS = [("a", "A"), ("e", "\u00e9"), ("a", "a "), ("\U0001f600", "\U0001f601"), ("", " ")]


class KeepTests(StoreCase):
    """What was given is kept whole: emoji, 4-byte text, zero bytes, a megabyte, and the empty text."""

    @pytest.fixture(params=list(TEXTS.values()), ids=list(TEXTS))
    def text(self, request: pytest.FixtureRequest) -> str:
        text: str = request.param
        return text

    def test_a_run_keeps_its_texts(self, store: Store, text: str) -> None:
        run = store.accept(new_run(vars=text, body=text))
        assert run.vars == text
        assert store.flow(run.digest) == text
        assert store.lines(run.id)[0].vars == text

    def test_a_short_text_may_be_a_key_or_a_version(self, store: Store, text: str) -> None:
        short = text[:40]
        run = store.accept(new_run(key=short, version=short, executor=short))
        assert (run.key, run.version, run.executor) == (short, short, short)
        assert store.accept(new_run(key=short, version=short, executor=short)) == run

    def test_a_step_keeps_its_texts(self, driver: PlayedDriver, text: str) -> None:
        kept = task(result=text, error=text, assigned=text)
        line = driver.go(step(driver.begin(), state=text, vars=text, tasks=(kept,)))
        assert (line.state, line.vars) == (text, text)
        assert [each.task for each in driver.store.tasks(line.run)] == [kept]
        assert driver.store.assigned(line.id, 0) == [text]
        assert driver.store.outcomes(line.id, ["node"]) == [kept]
        assert [each.task for each in driver.store.outcomes_inside([line.id], ["node"])] == [kept]

    def test_an_end_keeps_its_texts(self, driver: PlayedDriver, text: str) -> None:
        (child,) = driver.write(fork(driver.begin(), opening("a"))).opened
        parent = driver.write(ending(child, error=text, result=text, variables=text)).woken
        assert parent is not None
        (row,) = driver.store.children(parent.id, "fork#1")
        assert (row.error, row.result, row.variables) == (text, text, text)
        driver.write(ending(parent, error=text, variables=text))
        run = driver.store.run(parent.run)
        assert run is not None
        assert (run.error, run.variables) == (text, text)

    def test_nothing_is_not_the_empty_text(self, driver: PlayedDriver) -> None:
        line = driver.go(step(driver.begin(), tasks=(task(), task(result="", error="", assigned=""))))
        empty, full = (each.task for each in driver.store.tasks(line.run))
        assert (empty.result, empty.error, empty.assigned) == (None, None, None)
        assert (full.result, full.error, full.assigned) == ("", "", "")
        assert driver.store.assigned(line.id, 0) == [""]

    @pytest.mark.parametrize(("one", "two"), PAIRS)
    def test_node_names_are_compared_exactly(self, driver: PlayedDriver, one: str, two: str) -> None:
        line = driver.go(step(driver.begin(), tasks=(task(one), task(one, visit=2), task(two))))
        assert driver.store.visits(line.id) == {one: 2, two: 1}
        assert [each.task.node for each in driver.store.outcomes_inside([line.id], [two])] == [two]
        assert [each.node for each in driver.store.outcomes(line.id, [one])] == [one, one]
        for node in (one, two):
            done = driver.write(fork(line, opening([f"{node}/x"], node=node)))
            woken = driver.write(ending(done.opened[0], result=node)).woken
            assert woken is not None
            line = woken
        for node in (one, two):
            (row,) = driver.store.children(line.id, f"{node}#1")
            assert (row.path, row.result) == (f"/{node}#1/{node}/x", node)

    @pytest.mark.parametrize(("one", "two"), PAIRS[:4])
    def test_run_names_and_digests_are_compared_exactly(self, store: Store, one: str, two: str) -> None:
        rows = [store.accept(new_run(name=text, digest=text, body=f'"{text}"')) for text in (one, two)]
        assert [store.run(text) for text in (one, two)] == rows
        assert [store.flow(text) for text in (one, two)] == [f'"{one}"', f'"{two}"']
        with pytest.raises(LookupError):
            store.flow("none")

    @pytest.mark.parametrize("time", [0.0, 1e-6, 1763901513.123457, 2.5e9, 4.1e9])
    def test_times_are_kept_to_the_microsecond(self, driver: PlayedDriver, time: float) -> None:
        line = driver.go(step(driver.begin(), began=time, due=time, tasks=(task(started=time, finished=time),)))
        (kept,) = driver.store.tasks(line.run)
        for found in (line.began, line.due, kept.task.started, kept.task.finished):
            assert found == pytest.approx(time, abs=5e-7)
