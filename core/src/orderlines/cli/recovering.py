"""What a recovery waits for: said once for each run that waits, and a run that is paused is not waited for."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from orderlines.cli.driving import NAMED, kept
from orderlines.cli.output import tell
from orderlines.errors import StoreUnavailable
from orderlines.plugins import registry
from orderlines.states import LineStatus, RunStatus
from orderlines.stores.showing import shown_option
from orderlines.unplanned import end_unplanned
from orderlines.views.wording import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orderlines.stores.records import LineRow, RunRow
    from orderlines.supervision.supervisor import Supervisor

_LOOK: Final = 1.0
"""Seconds between two looks at whether a run has been paused, and until the first at what a run waits for."""
_OVER: Final = frozenset({LineStatus.SUCCESS, LineStatus.FAILURE, LineStatus.STOP})


class Recovering:
    """Has runs driven, but for those that are paused.

    :param url: the store's.
    """

    def __init__(self, supervisor: Supervisor, url: str) -> None:
        self._supervisor = supervisor
        self._url = url
        self._told: set[int] = set()
        self._unserved: set[int] = set()
        self._pause = _LOOK
        self._next_look = self._first = time.monotonic() + _LOOK
        self._next_word = self._next_look

    def add(self, row: RunRow) -> None:
        """Have a run driven to its end."""
        if row.status == RunStatus.PAUSED:
            self._leave(row)
        else:
            self._supervisor.join(row.id)

    def look(self) -> None:
        """Say what there is to say; called again and again."""
        for number in self._supervisor.failures.keys() - self._unserved:
            self._end_unserved(number)
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK
        words = now >= self._next_word
        if words:  # Where a run has many lines, to read them all takes time.
            self._pause *= 2
            self._next_word = now + self._pause
        with suppress(StoreUnavailable):  # The driver waits for it, and says so.
            for number in sorted(self._supervisor.waiting):
                self._look_at(number, words=words and number not in self._told)

    def _look_at(self, number: int, *, words: bool) -> None:
        store = self._supervisor.store
        row = store.run(number)
        if row is None or not (words or row.status == RunStatus.PAUSED):
            return
        lines = [line for line in store.lines(number) if line.status not in _OVER]
        if any(line.owner is not None for line in lines):
            return  # A call goes on: where the run is paused, that is still recorded.
        if row.status == RunStatus.PAUSED:
            self._leave(row)
            self._supervisor.waiting.discard(number)
        elif row.wish == "stop" and (queues := {line.queue for line in lines if line.queue is not None}):
            # No worker has come for it meanwhile, and to end it takes none.
            end_unplanned(store, registry(), row, sorted(queues))
        elif what := _awaited(lines):
            self._told.add(number)
            tell(f"run {row.name} waits {what}; Ctrl-C gives it back", run=row.name)

    def _end_unserved(self, number: int) -> None:
        """End a run that cannot be driven on here, where it is to stop and no worker comes for it."""
        store = self._supervisor.store
        row = store.run(number)
        if row is not None and row.wish == "stop":
            time.sleep(max(0.0, self._first - time.monotonic()))  # Workers have been rung for, and know its plan.
            lines = [line for line in store.lines(number) if line.status not in _OVER]
            queues = sorted({line.queue for line in lines if line.queue is not None})
            # What waits for the lines at workers may be for none.
            if end_unplanned(store, registry(), row, queues) or end_unplanned(store, registry(), row, None):
                self._supervisor.failures.pop(number)
                return
        self._unserved.add(number)
        # The end of the command tells it as well, which may be days away while others wait.
        if row is not None and self._supervisor.waiting and len(self._unserved) <= NAMED:
            tell(kept(row.name, self._supervisor.failures[number]), run=row.name)

    def _leave(self, row: RunRow) -> None:
        tell(
            f"run {row.name} is paused, and is not waited for; let it go on with:"
            f" orderlines resume {row.name} {shown_option(self._url)}, and recover again",
            run=row.name,
        )


def _awaited(lines: Sequence[LineRow]) -> str:
    """Return what the lines of a run wait for, the first thing of it; nothing where they only go on soon."""
    for line in lines:
        if line.status == LineStatus.SIGNAL:
            (node, *_) = json.loads(line.state or "[]")
            return "for a signal at " + printable(f"{line.path}/{node}".lstrip("/"))
        if line.status in {LineStatus.TIME, LineStatus.RETRY} and line.due is not None:
            return f"until {datetime.fromtimestamp(line.due, UTC).isoformat(timespec='seconds')}"
        if line.queue is not None and line.status == LineStatus.READY:
            return f"for a worker of the queue {line.queue!r}"
    return ""
