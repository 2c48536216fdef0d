"""What calls say: logs and progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orderlines.states import LineStatus
from orderlines.stores.records import LogRow, ProgressRow
from orderlines.testing.drivers.played import everything
from orderlines.testing.drivers.records import ending, fork, opening, step, task
from orderlines.testing.stores.case import StoreCase

if TYPE_CHECKING:
    from typing import Any

    from orderlines.stores.base import Store
    from orderlines.stores.records import LineRow
    from orderlines.testing.drivers.played import PlayedDriver

MANY = 1_000
TEXTS = ["\U0001f600 \u00e9", "a\0b", "", "  \t\r\n", "'\"; DROP TABLE logs; --", "x" * 1_048_576]


def said(line: LineRow, text: str, **given: Any) -> LogRow:
    """Return a row of a line's log."""
    return LogRow(line.run, line.id, "n", 1, 1, 1.0, None, text)._replace(**given)


def texts(store: Store, run: int, **given: Any) -> list[str]:
    """Return the texts of a run's log."""
    return [kept.row.text for kept in store.logs(run, **given)]


class SayTests(StoreCase):
    """``keep_logs``, ``logs``, ``keep_progress``, ``progress``, and the logs of a step."""

    def test_logs_are_read_in_order_of_time(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.store.keep_logs([said(line, "c", at=3.0), said(line, "a", at=1.0)])
        driver.store.keep_logs([said(line, "b", at=2.0), said(line, "d", at=3.0)])
        assert texts(driver.store, line.run) == ["a", "b", "c", "d"]

    @pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
    def test_a_row_is_kept_as_it_is(self, driver: PlayedDriver, text: str) -> None:
        line = driver.begin()
        row = said(line, text, node="\u8282", visit=3, attempt=2, at=1763901513.123457, level="WARNING")
        driver.store.keep_logs([row])
        (kept,) = driver.store.logs(line.run)
        assert (kept.path, kept.row._replace(at=0.0)) == ("", row._replace(at=0.0))
        assert kept.row.at == pytest.approx(row.at, abs=5e-7)

    def test_logs_are_those_of_a_run_a_node_and_a_line(self, driver: PlayedDriver) -> None:
        parent, stranger = driver.begin(), driver.begin()
        one, two = driver.write(fork(parent, opening("ab"))).opened
        driver.store.keep_logs([said(one, "1n"), said(one, "1m", node="m"), said(two, "2n"), said(stranger, "no")])
        assert texts(driver.store, parent.run) == ["1n", "1m", "2n"]
        assert texts(driver.store, parent.run, node="n") == ["1n", "2n"]
        assert texts(driver.store, parent.run, line=one.path) == ["1n", "1m"]
        assert texts(driver.store, parent.run, node="n", line=two.path) == ["2n"]
        assert texts(driver.store, parent.run, node="N") == []
        assert [kept.path for kept in driver.store.logs(parent.run)] == [one.path, one.path, two.path]

    def test_what_is_written_later_has_a_higher_number(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.store.keep_logs([said(line, "b", at=2.0)])
        (first,) = driver.store.logs(line.run)
        driver.store.keep_logs([said(line, "a", at=1.0), said(line, "c", at=3.0)])
        assert texts(driver.store, line.run, after=first.id) == ["a", "c"]
        last = max(kept.id for kept in driver.store.logs(line.run))
        assert texts(driver.store, line.run, after=last) == []

    def test_the_newest_are_the_last_ones(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.store.keep_logs([said(line, str(number), at=float(number)) for number in range(10)])
        assert texts(driver.store, line.run, newest=3) == ["7", "8", "9"]
        assert texts(driver.store, line.run, newest=99) == [str(number) for number in range(10)]

    def test_many_rows_of_one_moment_are_all_read_once(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.store.keep_logs([said(line, str(number)) for number in range(MANY)])
        assert texts(driver.store, line.run) == [str(number) for number in range(MANY)]

    def test_reading_logs_slowly_keeps_nobody_from_writing(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        line = driver.begin()
        driver.store.keep_logs([said(line, str(number)) for number in range(MANY)])
        logs = driver.store.logs(line.run)
        assert next(logs).row.text == "0"
        rival.begin()
        rival.store.keep_logs([said(line, "later", at=0.5)])
        assert [kept.row.text for kept in logs] == [str(number) for number in range(1, MANY)]

    def test_a_step_keeps_the_log_of_its_attempt(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        line = driver.go(step(line, tasks=(task("n"),), logs=(said(line, "a"), said(line, "b", at=2.0))))
        driver.write(ending(line)._replace(logs=(said(line, "c", at=3.0),)))
        assert texts(driver.store, line.run) == ["a", "b", "c"]

    def test_a_refused_step_keeps_no_log(self, driver: PlayedDriver) -> None:
        line = driver.begin()
        driver.write(step(line))
        before = everything(driver.store, line.run)
        assert driver.try_step(step(line, logs=(said(line, "a"),))).refused == "fenced"
        assert (everything(driver.store, line.run), texts(driver.store, line.run)) == (before, [])

    def test_progress_is_what_was_reported_last(self, driver: PlayedDriver) -> None:
        line, other = (driver.go(step(driver.begin(), LineStatus.CALL)) for _ in range(2))
        for report in ('[1,3,""]', '[2,3,"\u00e9"]'):
            driver.store.keep_progress([ProgressRow(line.run, line.id, line.epoch, line.seq, report)])
        assert driver.store.progress(line.run) == {line.id: '[2,3,"\u00e9"]'}
        assert driver.store.progress(other.run) == {}

    def test_progress_counts_until_the_next_step_or_owner(self, driver: PlayedDriver, rival: PlayedDriver) -> None:
        line = driver.go(step(driver.begin(), LineStatus.CALL))
        row = ProgressRow(line.run, line.id, line.epoch, line.seq, "[1,2]")
        driver.store.keep_progress([row])
        line = driver.go(step(line, LineStatus.CALL))
        assert driver.store.progress(line.run) == {}
        driver.store.keep_progress([row])
        assert driver.store.progress(line.run) == {}
        driver.store.keep_progress([row._replace(seq=line.seq)])
        driver.store.release(driver.id, [line.id])
        assert len(rival.claim(line.run)) == 1
        assert driver.store.progress(line.run) == {}
