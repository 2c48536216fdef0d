"""Runs are taken away with all that belongs to them, but for their keys; flows that nobody names go too."""

# ruff: noqa: PLR2004 -- as in any test, the expected numbers are the test

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines.errors import Refused, UnknownRun
from orderlines.states import LineStatus
from orderlines.stores.records import AttemptRow, FlowRow, LogRow, ProgressRow, Reopening
from orderlines.stores.references import fingerprint, refer
from orderlines.testing.bench import until
from orderlines.testing.drivers.crowd import Peer
from orderlines.testing.drivers.played import everything
from orderlines.testing.drivers.records import ending, fork, new_run, opening, step, task
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from typing import Any

    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow
    from orderlines.testing.drivers.played import PlayedDriver
    from orderlines.testing.stores.case import Crowd

LATER = 1_000.0
"""Seconds from now before which a run of a test has ended in any case."""
STATUSES = ("SUCCESS", "FAILURE")


class PruneTests(StoreCase):
    """``prunable``, ``prune``, ``prune_flows``, ``marked`` and ``identity``."""

    def test_a_run_that_ended_is_taken_away_with_all_that_belongs_to_it(self, driver: PlayedDriver) -> None:
        store, kept, gone = driver.store, self.full(driver), self.full(driver)
        before = self.whole(store, kept)
        row = store.run(gone)
        assert row is not None
        assert store.prune([gone], store.now() + LATER) == [gone]
        assert store.run(gone) is store.run(row.name) is None
        assert [run.id for run in store.runs(10)] == [kept]
        assert self.whole(store, gone) == (None, [], [], [], [], {}, [])
        assert self.whole(store, kept) == before

    def test_what_goes_on_or_ended_later_stays(self, driver: PlayedDriver) -> None:
        store, line = driver.store, driver.begin()
        ended = self.ended(driver)
        (moment,) = (run.finished for run in store.runs(10) if run.id == ended)
        assert moment is not None
        assert store.prune([line.run, ended, 10**9], moment) == []
        assert {run.id for run in store.runs(10)} == {line.run, ended}
        assert store.prune([line.run, ended, 10**9], moment + LATER) == [ended]
        assert driver.try_step(step(line)).refused is None

    def test_the_runs_that_may_go_are_named_in_pages(self, driver: PlayedDriver) -> None:
        store = driver.store
        runs = [self.ended(driver, status) for status in (*STATUSES, *STATUSES)]
        driver.begin()
        after, moment = store.now() + LATER, store.now() - LATER
        first = store.prunable(after, (), 3)
        assert [run.id for run in first] == runs[:3]
        assert [run.name for run in first] == [run.name for run in reversed(store.runs(10)) if run.id in runs[:3]]
        assert [run.id for run in store.prunable(after, (), 3, first[-1].id)] == runs[3:]
        assert [run.id for run in store.prunable(after, ["FAILURE"], 10)] == runs[1::2]
        assert [run.id for run in store.prunable(after, ["FAILURE", "SUCCESS"], 10)] == runs
        assert store.prunable(after, ["STOP"], 10) == store.prunable(moment, (), 10) == []

    def test_a_key_outlives_its_run(self, driver: PlayedDriver, other: Store) -> None:
        store, run = driver.store, new_run(key="k", vars='{"a":"first"}')
        line = driver.claim(store.accept(run).id)[0]
        driver.write(ending(line, variables='{"a":2}'))
        before = store.run(run.name)
        assert before is not None
        assert store.prune([line.run], store.now() + LATER) == [line.run]
        left = before._replace(vars=fingerprint(run.vars), variables=None, error=None, pruned=True)
        assert store.run(run.name) == store.run(line.run) == left
        assert other.accept(new_run(key="k", vars=run.vars)) == left
        for given in (new_run(key="k", vars='{"a":"other"}'), new_run(key="k", vars=run.vars, digest="other")):
            with pytest.raises(Refused, match="'k'"):
                other.accept(given)
        assert (store.runs(10), store.lines(line.run), store.prunable(store.now() + LATER, (), 10)) == ([], [], [])
        assert store.prune([line.run], store.now() + LATER) == []
        assert driver.claim() == []

    def test_nothing_can_be_done_to_what_was_pruned(self, driver: PlayedDriver) -> None:
        store = driver.store
        keyed, other = self.ended(driver, "FAILURE", key="k"), self.ended(driver, "FAILURE")
        store.prune([keyed, other], store.now() + LATER)
        with pytest.raises(Refused, match="pruned"):
            store.reopen(Reopening(keyed, 1))
        with pytest.raises(Refused):
            store.signal(keyed, "s", "1")
        for act in (
            lambda: store.reopen(Reopening(other, 1)),
            lambda: store.signal(other, "s", "1"),
            lambda: store.wish(other, "stop"),
            lambda: store.resume(other),
        ):
            with pytest.raises(UnknownRun):
                act()
        assert set(store.ended([keyed, other])) == {keyed, other}

    def test_the_number_of_a_run_or_a_line_is_never_given_again(self, driver: PlayedDriver) -> None:
        store, line = driver.store, driver.begin()
        driver.write(ending(line))
        store.prune([line.run], store.now() + LATER)
        again = driver.begin()
        assert again.run > line.run
        assert again.id > line.id

    def test_what_comes_late_is_kept_of_no_line_that_is_gone(self, driver: PlayedDriver) -> None:
        store, line = driver.store, driver.begin(key="k")
        calling = driver.go(step(line, LineStatus.CALL, attempt=1, began=1.0))
        driver.write(ending(calling))
        store.prune([line.run], store.now() + LATER)
        store.late(line.id, AttemptRow("node", 1, 1, 1.0, 2.0, '&"late"'))
        store.keep_logs([LogRow(line.run, line.id, "node", 1, 1, 1.0, None, "late")])
        store.keep_progress([ProgressRow(line.run, line.id, calling.epoch, calling.seq, "[1]")])
        assert driver.try_step(step(calling)).refused == "fenced"
        with pytest.raises(UnknownRun):
            store.line(line.id)
        assert (list(store.logs(line.run)), list(store.marked(line.run, '&"late"'))) == ([], [])
        assert store.progress(line.run) == {}

    def test_a_retried_run_is_pruned_by_its_last_end(self, driver: PlayedDriver) -> None:
        store, run = driver.store, self.ended(driver, "FAILURE")
        moment = store.now() + LATER
        store.reopen(Reopening(run, 1))
        assert (store.prunable(moment, (), 10), store.prune([run], moment)) == ([], [])
        driver.write(ending(driver.claim(run)[0]))
        assert [each.id for each in store.prunable(moment, ["SUCCESS"], 10)] == [run]
        assert store.prune([run], moment) == [run]
        assert store.rounds(run) == []

    def test_a_large_run_goes_while_others_go_on(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        store, line, other = driver.store, driver.begin(), rival.begin()
        for _ in range(20):
            line = driver.go(step(line, tasks=tuple(task(str(number)) for number in range(1_000))))
        driver.write(ending(line))
        with Peer(self.kind, store.url, "prune", {"runs": [line.run], "before": store.now() + LATER}) as peer:
            peer.go()
            until(lambda: store.run(line.run) is None, "it is out of sight")
            for _ in range(20):
                other = rival.go(step(other, tasks=(task(),)))
            assert peer.result() == [line.run]
        assert list(store.tasks(line.run)) == []
        assert len(list(store.tasks(other.run))) == 20

    def test_who_dies_in_the_middle_leaves_nothing_for_ever(self, driver: PlayedDriver) -> None:
        store, line = driver.store, driver.begin()
        for _ in range(40):
            line = driver.go(step(line, tasks=tuple(task(str(number)) for number in range(1_000))))
        driver.write(ending(line))
        moment = store.now() + LATER
        with Peer(self.kind, store.url, "prune", {"runs": [line.run], "before": moment}) as peer:
            peer.go()
            until(lambda: store.run(line.run) is None, "it is out of sight")
        half = store.prunable(0.0, ["STOP"], 10)
        assert [run.id for run in half] in ([], [line.run])
        assert store.prune([line.run], 0.0) == [run.id for run in half]
        assert (store.prunable(moment, (), 10), list(store.tasks(line.run)), store.lines(line.run)) == ([], [], [])

    def test_many_prune_at_once(self, driver: PlayedDriver, crowd: Crowd) -> None:
        store = driver.store
        runs = [self.full(driver) for _ in range(12)]
        stays = self.full(driver)
        before = self.whole(store, stays)
        answers = crowd("prune", [{"runs": runs, "before": store.now() + LATER}] * 4)
        assert sorted(number for answer in answers for number in answer) == runs
        assert [run.id for run in store.runs(100)] == [stays]
        assert self.whole(store, stays) == before

    def test_flows_that_nobody_names_go(self, driver: PlayedDriver) -> None:
        store = driver.store
        inner = FlowRow("in", "inner", "1", '{"flow":"inner"}')
        outer = {"name": "r", "flow": "outer", "digest": "out", "body": '{"flows":{"inner":"in"}}', "flows": (inner,)}
        line = driver.begin(**outer)
        store.accept(new_run(flow="inner", digest="in2", body='{"flow":"inner","version":2}'))
        other = self.ended(driver, flow="outer", digest="out2", body='{"a":1}')
        assert store.prune_flows() == 0
        driver.write(ending(line))
        store.prune([line.run, other], store.now() + LATER)
        assert store.prune_flows() == 2
        assert store.flow_named("outer") == ("out2", "outer", "1", '{"a":1}')
        found = store.flow_named("inner")
        assert found is not None
        assert found.digest == "in2"
        again = store.accept(new_run(**{**outer, "name": "r2"}))
        assert (store.flow(again.digest), store.flow("in")) == (outer["body"], inner.body)

    def test_a_flow_that_a_pruned_key_names_goes_as_well(self, driver: PlayedDriver) -> None:
        store, gone = driver.store, self.ended(driver, key="k", digest="one", body="not JSON")
        self.ended(driver, digest="two", body="no more than this")
        store.prune([gone], store.now() + LATER)
        assert store.prune_flows() == 1
        found = store.flow_named("flow")
        assert found is not None
        assert found.digest == "two"
        assert store.accept(new_run(key="k", digest="one", body="not JSON")).pruned

    def test_marked_texts_are_found_wherever_they_stand(self, driver: PlayedDriver) -> None:
        store, texts = driver.store, [f"&{number}" for number in range(12)]
        run, other = store.accept(new_run(vars=texts[0])), self.full(driver)
        (line,) = driver.claim(run.id)
        line = driver.go(
            step(line, tasks=(task(result=texts[1], assigned=texts[2]), task("n2", result="plain & text")))
        )
        store.late(line.id, AttemptRow("node", 1, 1, 1.0, 2.0, texts[3]))
        store.signal(run.id, "s", texts[4])
        join = opening("a")._replace(flow="inner", vars=texts[5])
        (child,) = driver.write(fork(line, join, vars=texts[6])).opened
        assert set(store.marked(run.id, "&")) == {texts[number] for number in (0, 1, 2, 3, 4, 5, 6)}
        woken = driver.write(ending(child, result=texts[7], variables=texts[8])).woken
        assert woken is not None
        waiting = driver.write(step(woken, LineStatus.SIGNAL, keep=False, waits=("s",), state='["s"]')).woken
        assert waiting is not None
        assert waiting.state == texts[4]
        driver.write(ending(waiting, LineStatus.FAILURE, result=texts[9], variables=texts[10]))
        store.reopen(Reopening(run.id, 1, vars=texts[11]))
        found = set(store.marked(run.id, "&"))
        assert found >= {texts[number] for number in (0, 1, 2, 3, 4, 7, 8, 11)}
        assert found <= set(texts)
        assert list(store.marked(other, "&")) == []
        assert set(store.marked(run.id, "&11")) == {"&11"}

    def test_a_key_knows_its_variables_by_a_reference_as_well(self, store: Store) -> None:
        data = '{"a":"' + "x" * 1_000 + '"}'
        reference = refer(data.encode(), "elsewhere", "sqlite:////place.db")
        first = store.accept(new_run(key="k", vars=reference.text()))
        assert store.accept(new_run(key="k", vars=reference._replace(run="later", place="").text())) == first
        assert store.accept(new_run(key="k", vars=data)) == first
        with pytest.raises(Refused):
            store.accept(new_run(key="k", vars=reference._replace(size=3).text()))

    def test_each_store_has_an_identity_of_its_own(self, store: Store, other: Store, fresh_url: Any) -> None:
        assert len(store.identity()) >= 16
        assert store.identity() == other.identity() == store.identity()
        another = self.kind(fresh_url())  # type: ignore[call-arg]
        assert another.identity() != store.identity()
        another.close()

    # What the tests are about

    def ended(self, driver: PlayedDriver, status: str = "SUCCESS", **given: Any) -> int:
        line = driver.begin(**given)
        driver.write(ending(line, status))
        return line.run

    def full(self, driver: PlayedDriver) -> int:
        """Return a run that has ended and has a row of every kind."""
        line = driver.begin()
        said = LogRow(line.run, line.id, "node", 1, 1, 1.0, None, "said")
        failed = AttemptRow("node", 1, 1, 1.0, 2.0, "{}")
        driver.store.signal(line.run, "s", "1", "key")
        line = driver.go(step(line, tasks=(task(), task("n2")), attempts=(failed,), logs=(said,)))
        join = opening("abc", 2)._replace(after={1: (0,), 2: (0,)})
        (child,) = driver.write(fork(line, join)).opened
        woken = self._end_all(driver, [child], join)
        calling = driver.go(step(woken, LineStatus.CALL, attempt=1, began=1.0))
        driver.store.keep_progress([ProgressRow(line.run, line.id, calling.epoch, calling.seq, "[1]")])
        driver.write(ending(calling, LineStatus.FAILURE))
        driver.store.reopen(Reopening(line.run, 1))
        (root,) = driver.claim(line.run)
        driver.write(ending(root))
        return line.run

    def _end_all(self, driver: PlayedDriver, lines: list[LineRow], join: Any) -> LineRow:
        while lines:
            done = driver.write(ending(lines.pop(), siblings=join))
            lines += done.opened
            if done.woken is not None:
                return done.woken
        raise AssertionError("the join has not ended")

    def whole(self, store: Store, run: int) -> tuple[Any, ...]:
        """Return all that can be read about a run, and nothing that depends on others."""
        logs, marked = list(store.logs(run)), list(store.marked(run, ""))
        return *everything(store, run), store.rounds(run), logs, store.progress(run), sorted(marked)
