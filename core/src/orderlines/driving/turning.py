"""Asking the line machine what a line does next, with what the store knows and the machine needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderlines import line as machine
from orderlines.errors import StoreUnavailable, ValueLost
from orderlines.logger import logger
from orderlines.states import Halt, LineStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderlines.driving.patience import Patience
    from orderlines.driving.serving import Served
    from orderlines.executors.base import Outcome
    from orderlines.line import Line, Turn
    from orderlines.line.walk import Admit
    from orderlines.stores.base import Store


class Turning:
    """Makes turns of lines.

    :param runs: those that are served, by their numbers.
    :ivar admit: whether a call may begin now.
    """

    def __init__(self, store: Store, runs: Mapping[int, Served], patiently: Patience, admit: Admit) -> None:
        self.admit = admit
        self._store = store
        self._runs = runs
        self._patiently = patiently

    def turn(self, line: Line, outcome: Outcome | None, now: float) -> Turn:
        """Return what a line does next; a machine that raises fails its line and no other."""
        try:
            if outcome is not None and line.halt < Halt.SKIP:
                return machine.complete(line, outcome, now, self.admit)
            return self._patiently(lambda: self._next(line, outcome, now))
        except StoreUnavailable:
            raise
        except ValueLost as error:
            return machine.unread(line, now, error)
        except Exception as error:  # noqa: BLE001 -- logged; the line fails with it
            path, run = line.path or "/", line.info.name
            logger().exception("line %s of run %s", path, run, extra={"run": run, "line": path})
            return machine.broken(line, now, error)

    def _next(self, line: Line, outcome: Outcome | None, now: float) -> Turn:
        admit = self.admit
        if line.unread is not None and line.halt != Halt.STOP and line.status != LineStatus.JOIN:
            raise line.unread
        if line.halt == Halt.SKIP:
            return machine.skipped(line, now, admit)
        if line.halt == Halt.STOP:
            row = self._store.run(line.info.id)
            return machine.halted(line, now, None if row is None else row.wish, outcome, admit)
        if line.status == LineStatus.JOINED:
            children, memory = self._runs[line.info.id].children(line)
            return machine.joined(line, children, memory, now, admit)
        return machine.resume(line, now, admit)
