"""What calls say on its way to the store: output to the logs of attempts, and progress."""

from __future__ import annotations

import json
import time
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from orderlines.errors import StoreUnavailable
from orderlines.stores.records import LogRow, ProgressRow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from orderlines.executors.base import Outcome
    from orderlines.line import Begin, Line, Turn
    from orderlines.stores.base import Store

    Flight = Callable[[int], tuple[Line, Begin] | None]

FLUSH = 0.2
"""Seconds for which what a call says may wait for the end of its attempt, whose step it is written with."""
MERGED = 0.01
"""Seconds within which what an attempt prints becomes one row."""
ROW = 4096
"""Characters of a row that takes no more."""
TEXT = 200
"""Characters of a report's text that are kept."""
PROGRESS = 1.0
"""Seconds between two reports of a line that are written."""


class Sayings:
    """Collects what calls say, from whatever thread, and has it written.

    A thread of its own writes what the end of the attempt does not come soon enough for.

    :param flight: returns the line of a call in flight, and the call.
    :ivar stirred: whether output waits or is being written.
    """

    def __init__(self, store: Store, flight: Flight) -> None:
        self.stirred = False
        self._store = store
        self._flight = flight
        self._lock = Lock()
        self._writing = Lock()
        self._said: dict[int, list[LogRow]] = {}
        self._loose: list[LogRow] = []
        self._reports: dict[int, ProgressRow] = {}
        self._written: dict[int, float] = {}
        self._wake = Event()
        self._closed = Event()
        self._thread: Thread | None = None

    def observe(self, call: int, kind: str, values: Sequence[Any]) -> None:
        """Take what a call says: the option ``observe`` of executors. What nobody waits for any more is dropped."""
        flight = self._flight(call)
        if flight is None:
            return
        with self._lock:
            if kind == "output":
                _add(self._said.setdefault(call, []), _row(*flight, *values))
                self.stirred = True
            elif kind == "progress":
                line = flight[0]
                report = ProgressRow(line.info.id, line.id, line.epoch, line.seq, _report(*values))
                self._reports[line.id] = report
            else:
                return
            self._have_written()

    def end(self, outcome: Outcome) -> tuple[LogRow, ...]:
        """Return what an attempt that has ended has said and nobody has written, and its traceback at last."""
        with self._writing, self._lock:  # What is being written now must be there when the attempt's end is.
            rows = self._said.pop(outcome.call, [])
        flight = self._flight(outcome.call)
        if flight is not None and outcome.details:
            rows.append(_row(*flight, time.time(), "ERROR", outcome.details))
        return tuple(rows)

    def put(self, turn: Turn, rows: tuple[LogRow, ...]) -> Turn:
        """Have the step that ends an attempt write what it has said."""
        if turn.step is not None and rows:
            return turn._replace(step=turn.step._replace(logs=rows))
        self.keep(rows)
        return turn

    def keep(self, rows: Sequence[LogRow]) -> None:
        """Have rows written that no step has written."""
        if not rows:
            return
        with self._lock:
            self._loose.extend(rows)
            self._have_written()

    def close(self) -> None:
        """Write what waits; nothing comes after it."""
        self._closed.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self._write()

    def _have_written(self) -> None:
        """Let the thread know that there is something to write."""
        self._wake.set()
        if self._thread is None:
            self._thread = Thread(target=self._tend, name="orderlines-logs", daemon=True)
            self._thread.start()

    def _tend(self) -> None:
        while self._wake.wait() and not self._closed.wait(FLUSH):
            self._wake.clear()
            self._write()

    def _write(self) -> None:
        with self._writing:
            with self._lock:
                rows = [row for said in self._said.values() for row in said] + self._loose
                self._said.clear()
                self._loose.clear()
                reports = self._due(time.monotonic())
            try:
                if rows:
                    self._store.keep_logs(rows)
                if reports:
                    self._store.keep_progress(reports)
            except StoreUnavailable:  # The driver says so.
                self.keep(rows)
            with self._lock:
                self.stirred = bool(self._said or self._loose)
                if self.stirred or self._reports:
                    self._wake.set()

    def _due(self, now: float) -> list[ProgressRow]:
        """Take the reports whose lines may have one written again."""
        self._written = {line: when for line, when in self._written.items() if now - when < PROGRESS}
        due = [row for line, row in self._reports.items() if line not in self._written]
        for row in due:
            del self._reports[row.line]
            self._written[row.line] = now
        return due


def _row(line: Line, begin: Begin, at: float, level: str | None, text: str) -> LogRow:
    return LogRow(line.info.id, line.id, begin.node, begin.visit, begin.attempt, at, level or None, text)


def _add(rows: list[LogRow], row: LogRow) -> None:
    """Add a row, to the one before it where both were printed at about the same moment."""
    last = rows[-1] if rows else None
    printed = last is not None and last.level is None is row.level
    if last is not None and printed and row.at - last.at < MERGED and len(last.text) < ROW and last.text[-1:] == "\n":
        rows[-1] = last._replace(text=last.text + row.text)
    else:
        rows.append(row)


def _report(done: Any, total: Any = None, text: Any = "") -> str:
    """Return a report as JSON, whatever a component has reported."""
    numbers = [each if isinstance(each, (int, float)) else None for each in (done, total)]
    return json.dumps([*numbers, str(text)[:TEXT]])
